"""Who answered: the application, a server in front of it, or another server. Requests use the network."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
from crossorigin import Hints
from crossorigin.declare import get_policies
from crossorigin.doctor.trace import Explanation, build_request, explain
from crossorigin.doctor.transport import AppTransport, HttpTransport
from flask import Blueprint, Flask, Response, abort, redirect
from flask_cors import CORS
from werkzeug.serving import make_server

from scripts.blocked_by_cors import Scripted
from tests.crossorigin.cases import APP, EVIL, PAGE, lab, start

Answer = tuple[int, dict[str, str]] | None  # the response of a server in front; None passes the request on
IDENTITY = "https://sign-in.invalid"
HTML = {"Content-Type": "text/html; charset=utf-8"}
STAR = {"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Methods": "GET, PUT"}


@dataclass
class Front:
    """A server in front of an application: it answers by itself, and adds header lines to other answers."""

    app: Flask
    answer: Callable[[str], Answer] = lambda _method: None
    adds: tuple[tuple[str, str], ...] = ()
    url: str = ""
    asked: WSGIEnvironment = field(default_factory=dict)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Any:
        """Answer a request."""
        self.asked = environ
        if answer := self.answer(environ["REQUEST_METHOD"]):
            status, headers = answer
            start_response(f"{status} Front", list(headers.items()))
            return [b""]

        def begin(status: str, headers: Any, exc_info: Any = None) -> Any:
            return start_response(status, [*headers, *self.adds], exc_info)

        return self.app.wsgi_app(environ, begin)


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    """Return a server whose behaviour each test sets."""
    front = Front(Flask("none"))
    server = make_server("127.0.0.1", 0, lambda *args: front(*args), threaded=True)
    threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
    front.url = f"http://localhost:{server.server_port}"
    yield front
    server.shutdown()


def make_views() -> Blueprint:
    """Return a blueprint with views of every kind."""
    blueprint = lab(credentials=True, request_headers=["Content-Type"])
    blueprint.add_url_rule("/thing", "thing", str, methods=["GET", "PUT", "POST"])
    blueprint.add_url_rule("/me", "me", lambda: abort(401))
    blueprint.add_url_rule("/busy", "busy", lambda: abort(503))
    blueprint.add_url_rule("/sign-in", "sign-in", lambda: redirect(f"{IDENTITY}/authorize"))
    return blueprint


def make_marked_app(url: str) -> Flask:
    """Return an application with policies that sends X-Request-ID with every response."""

    def mark(response: Response) -> Response:
        response.headers["X-Request-ID"] = "1"
        return response

    hints = Hints(api_url=url, api_url_setting="API_URL", mark_preflight=lambda _: [("X-Request-ID", "1")])
    app = start(make_views(), lab("/guarded", "guarded"), hints=hints)
    app.view_functions["guarded.me"] = lambda: abort(401)
    app.add_url_rule("/guarded/me", "guarded.me", methods=["GET"])
    get_policies(app).hints = Hints(**{**vars(hints), "is_guarded": lambda name: name.endswith(".me")})
    app.after_request(mark)
    return app


def make_unmarked_app(url: str) -> Flask:
    """Return an application with policies and without that header."""
    return start(make_views(), hints=Hints(api_url=url))


def make_plain_app(url: str) -> Flask:
    """Return an application with flask-cors alone."""
    app = Flask("plain", root_path="no-source")
    app.register_blueprint(make_views_without_policy())
    CORS(app, origins=[PAGE], supports_credentials=True)
    get_policies(app)
    app.extensions["crossorigin"] = get_policies(app)
    app.extensions["crossorigin"].hints = Hints(api_url=url)
    return app


def make_views_without_policy() -> Blueprint:
    """Return the same views."""
    blueprint = Blueprint("lab", __name__, url_prefix="/lab")
    blueprint.add_url_rule("/thing", "thing", str, methods=["GET", "PUT", "POST"])
    blueprint.add_url_rule("/me", "me", lambda: abort(401))
    blueprint.add_url_rule("/busy", "busy", lambda: abort(503))
    return blueprint


APPS = {"marked": make_marked_app, "unmarked": make_unmarked_app, "plain": make_plain_app}


def ask(front: Front, method: str = "GET", path: str = "/lab/thing", **more: Any) -> Explanation:
    """Explain a request of a page to the server in front, over the network."""
    given = {"origin": PAGE, "credentials": True, **more}
    asked = build_request(method, front.url + path, **given)
    return explain(asked, HttpTransport(send_unsafe=False), front.app)


def always(status: int, **headers: str) -> Callable[[str], Answer]:
    return lambda _method: (status, {name.replace("_", "-"): value for name, value in headers.items()})


def options(status: int, headers: dict[str, str] | None = None) -> Callable[[str], Answer]:
    return lambda method: (status, headers or {}) if method == "OPTIONS" else None


IN_FRONT: dict[str, tuple[str, str, Callable[[str], Answer], tuple[tuple[str, str], ...], str]] = {
    # the applications that can tell, the method, what the server in front does, and the fix
    "a second header": (
        "marked unmarked plain",
        "GET",
        lambda _: None,
        (("Access-Control-Allow-Origin", PAGE),),
        "remove what writes",
    ),
    "any origin, and cookies": (
        "marked unmarked plain",
        "PUT",
        options(204, STAR),
        (),
        "pass OPTIONS and PUT /lab/thing",
    ),
    "OPTIONS with other lists": (
        "marked",
        "PUT",
        options(204, {"Access-Control-Allow-Origin": PAGE, "Access-Control-Allow-Credentials": "true"}),
        (),
        "pass OPTIONS and PUT /lab/thing to the API, which",
    ),
    "OPTIONS without headers": ("marked", "PUT", options(204), (), "pass OPTIONS and PUT /lab/thing to the API"),
    "OPTIONS with 405": ("marked", "PUT", options(405), (), "pass OPTIONS and PUT /lab/thing to the API"),
    "OPTIONS with 403": ("marked plain", "PUT", options(403), (), "pass OPTIONS and PUT /lab/thing to the API"),
    "OPTIONS with 401": (
        "marked unmarked plain",
        "PUT",
        options(401),
        (),
        "OPTIONS and PUT /lab/thing to the API without its sign-in",
    ),
    "a sign-in by 401": (
        "marked unmarked plain",
        "GET",
        always(401),
        (),
        "pass GET /lab/thing to the API without its sign-in",
    ),
    "a sign-in elsewhere": (
        "marked unmarked plain",
        "GET",
        always(302, Location=f"{IDENTITY}/?next=x"),
        (),
        "without its sign-in, which is at sign-in.invalid",
    ),
    "a sign-in elsewhere, for OPTIONS": (
        "marked unmarked plain",
        "PUT",
        always(302, Location=f"{IDENTITY}/?next=x"),
        (),
        "without its sign-in, which is at sign-in.invalid",
    ),
    "a large body": ("marked unmarked plain", "GET", always(413), (), "client_max_body_size"),
    "a warning page": ("marked", "GET", lambda _: (200, HTML), (), "turn off its warning page"),
    "a bot check": ("marked plain", "GET", lambda _: (403, HTML), (), "bot check"),
    "a limit": ("marked plain", "GET", always(429), (), "pass GET /lab/thing to the API"),
    "the API down": (
        "marked unmarked plain",
        "GET",
        always(502),
        (),
        "start the API behind the server in front that answered 502 (Server: Werkzeug",
    ),
    "the API down, for OPTIONS": ("marked unmarked plain", "PUT", always(504), (), "start the API behind"),
    "the API down, which the page can read": (
        "marked unmarked plain",
        "GET",
        always(503, Access_Control_Allow_Origin=PAGE, Access_Control_Allow_Credentials="true"),
        (),
        "start the API behind",
    ),
}


@pytest.mark.parametrize(
    ("kind", "method", "answer", "adds", "fix"),
    [pytest.param(kind, *row[1:], id=f"{name}, {kind}") for name, row in IN_FRONT.items() for kind in row[0].split()],
)
def test_a_server_in_front_answered(front: Front, kind: str, method: str, answer: Any, adds: Any, fix: str) -> None:
    front.app, front.answer, front.adds = APPS[kind](front.url), answer, adds
    found = ask(front, method)
    assert (found.answered_by, fix in str(found.fix)) == ("proxy", True), found.fix
    assert (found.edits, "A change in this project does not help" in str(found.fix)) == ([], True)


BY_THE_APP: dict[str, tuple[str, str, dict[str, Any], str, list[tuple[str, str]]]] = {
    # the applications, the request, and the fix with its edits
    "a preflight that is refused": (
        "marked unmarked",
        "PUT /lab/thing",
        {"origin": EVIL},
        "cases.py:",
        [("cases.py", f'origins=["{PAGE}", "{APP}", "{EVIL}"]')],
    ),
    "a response that is refused": (
        "marked unmarked",
        "GET /lab/thing",
        {"origin": EVIL},
        "cases.py:",
        [("cases.py", f'origins=["{PAGE}", "{APP}", "{EVIL}"]')],
    ),
    "flask-cors, which refuses": (
        "plain",
        "GET /lab/thing",
        {"origin": EVIL},
        "nothing in this application writes",
        [],
    ),
    "its own 503": ("marked unmarked plain", "GET /lab/busy", {"origin": PAGE}, "None", []),
    "its own 401 with cookies": ("marked unmarked plain", "GET /lab/me", {"origin": PAGE}, "None", []),
    "its own 401 without cookies": (
        "marked unmarked",
        "GET /lab/me",
        {"credentials": False},
        "withCredentials: true",
        [("page", '{"credentials": true}')],
    ),
    "its own 401 to a token": (
        "marked",
        "GET /lab/me",
        {"credentials": False, "headers": [("Authorization", "Bearer x")]},
        "request_headers",
        [("cases.py", 'request_headers=["Content-Type", "Authorization"]')],
    ),
    "a guarded view whose policy is without cookies, asked without them": (
        "marked",
        "GET /guarded/me",
        {"credentials": False},
        "credentials=True",
        [("page", '{"credentials": true}'), ("cases.py", "credentials=True")],
    ),
    "the same, asked with cookies": (
        "marked",
        "GET /guarded/me",
        {},
        "credentials=True",
        [("cases.py", "credentials=True")],
    ),
    "a view without a sign-in whose policy is without cookies": (
        "marked",
        "GET /guarded/nothing",
        {},
        "withCredentials: false",
        [("page", '{"credentials": false}')],
    ),
}


@pytest.mark.parametrize(
    ("kind", "asks", "given", "fix", "edits"),
    [pytest.param(kind, *row[1:], id=f"{name}, {kind}") for name, row in BY_THE_APP.items() for kind in row[0].split()],
)
def test_the_application_answered(
    front: Front, kind: str, asks: str, given: dict[str, Any], fix: str, edits: list[tuple[str, str]]
) -> None:
    front.app, front.answer, front.adds = APPS[kind](front.url), lambda _: None, ()
    found = ask(front, *asks.split(), **given)
    assert (found.answered_by, fix in str(found.fix)) == ("app", True), found.fix
    assert [(edit.place.rpartition("/")[2].partition(":")[0], edit.set) for edit in found.edits] == edits


@pytest.mark.parametrize("kind", APPS)
def test_a_503_of_the_application_is_not_attributed_to_a_server_in_front(front: Front, kind: str) -> None:
    front.app, front.answer, front.adds = APPS[kind](front.url), lambda _: None, ()
    found = ask(front, "GET", "/lab/busy")
    assert (found.allowed, found.status, found.answered_by, found.fix) == (True, 503, "app", None)


def test_the_fix_for_a_server_in_front_includes_the_policy(front: Front) -> None:
    front.app, front.answer, front.adds = make_marked_app(front.url), always(401), ()
    found = ask(front, "PUT", origin=EVIL, headers=[("X-Lab", "1")])
    assert (found.answered_by, "without its sign-in" in str(found.fix)) == ("proxy", True)
    assert [edit.set for edit in found.edits] == [
        f'origins=["{PAGE}", "{APP}", "{EVIL}"]',
        'request_headers=["Content-Type", "X-Lab"]',
    ]


@pytest.mark.parametrize("kind", APPS)
def test_a_server_at_another_address_is_another_server_with_any_headers(front: Front, kind: str) -> None:
    front.app, front.adds = APPS[kind]("http://localhost:1"), ()
    for status in (200, 401, 403, 502):
        front.answer = always(status, X_Request_ID="1", Server="nginx")
        found = ask(front, "GET")
        assert (found.answered_by, found.edits) == ("other", [])
        assert f"ask the owner of {front.url} to send Access-Control-Allow-Origin: {PAGE}; " in str(found.fix)
    front.answer = always(200, Access_Control_Allow_Origin=PAGE, Access_Control_Allow_Credentials="true")
    assert ask(front, "GET").answered_by == "other"


def test_without_an_application_every_server_is_another_server(front: Front) -> None:
    front.answer, front.adds = always(403), ()
    found = explain(build_request("PUT", f"{front.url}/x", PAGE), HttpTransport(send_unsafe=False), None)
    assert (found.answered_by, "Access-Control-Allow-Methods: PUT" in str(found.fix)) == ("other", True)


def test_airplay_is_another_server() -> None:
    app = make_marked_app("http://localhost:5000")
    found = explain(build_request("GET", "http://localhost:5000/lab", PAGE), Scripted("403 | Server: AirTunes/1"), app)
    assert (found.answered_by, "another port than 5000" in str(found.fix)) == ("other", True)


def test_hosts_of_the_api_are_its_addresses(front: Front) -> None:
    front.app, front.answer, front.adds = make_marked_app("https://api.example.com"), lambda _: None, ()
    assert ask(front, origin=EVIL).answered_by == "other"
    get_policies(front.app).hints = Hints(hosts=[".example.com", "localhost"])
    assert ask(front, origin=EVIL).answered_by == "app"


TUNNELS = {  # a part of the tunnel's host, the headers of its warning page, and the header that skips it
    "ngrok by its header": ("", {"Ngrok-Error-Code": "ERR_NGROK_6024"}, "ngrok-skip-browser-warning"),
    "ngrok by its host": ("lab.ngrok-free.app.", {}, "ngrok-skip-browser-warning"),
    "localtunnel": ("lab.loca.lt.", {}, "bypass-tunnel-reminder"),
    "dev tunnels": ("lab.devtunnels.ms.", {}, "X-Tunnel-Skip-AntiPhishing-Page"),
}


@pytest.mark.parametrize(("part", "headers", "skips"), TUNNELS.values(), ids=TUNNELS)
def test_the_warning_page_of_a_tunnel_is_skipped_with_its_header(
    front: Front, part: str, headers: dict[str, str], skips: str
) -> None:
    url = front.url.replace("//", f"//{part}")  # a name below localhost is this machine
    front.app, front.adds = make_marked_app(url), ()
    front.answer = lambda method: (200, HTML | headers) if method == "GET" and is_warned(front, skips) else None
    found = explain(build_request("GET", f"{url}/lab/thing", PAGE), HttpTransport(send_unsafe=False), front.app)
    assert (found.answered_by, found.edits[0]) == ("proxy", ("page", json.dumps({"headers": {skips: "1"}})))
    assert found.edits[1].set == f'request_headers=["Content-Type", "{skips}"]'
    front.app = start(lab(credentials=True, request_headers=[skips]), hints=get_policies(front.app).hints)
    asked = build_request("GET", f"{url}/lab/thing", PAGE, [(skips, "1")])
    assert explain(asked, HttpTransport(send_unsafe=False), front.app).allowed


def is_warned(front: Front, skips: str) -> bool:
    """Tell whether a tunnel shows its warning page: to browsers, without its header."""
    return (
        "Chrome/" in front.asked.get("HTTP_USER_AGENT", "")
        and f"HTTP_{skips.upper().replace('-', '_')}" not in front.asked
    )


MOVED = {  # what the page calls, and where a server in front redirects it
    "to the name with a slash": ("/lab/thing", "/lab/thing/"),
    "to https": ("/lab/thing", "https://localhost/lab/thing"),
    "to another host": ("/lab/thing?a=b", "http://api.example.com/lab/thing?a=b"),
}


@pytest.mark.parametrize("method", ["GET", "PUT"])
@pytest.mark.parametrize(("path", "to"), MOVED.values(), ids=MOVED)
def test_the_fix_for_a_redirect_to_the_same_path_is_its_target(front: Front, method: str, path: str, to: str) -> None:
    front.app, front.answer, front.adds = make_marked_app(front.url), always(308, Location=to), ()
    found = ask(front, method, path)
    target = urljoin(front.url, to)
    assert found.edits == [("page", json.dumps({"url": target}))]
    assert f"in the page's call: {target}" in str(found.fix)


def test_the_fix_for_a_redirect_to_this_api_is_its_target_and_its_policy(front: Front) -> None:
    front.app, front.adds = make_marked_app(front.url), ()
    front.answer = lambda _: None
    elsewhere = f"302 | Origin: {EVIL} | Credentials: true | Location: {front.url}/lab/thing"
    asked = build_request("GET", "https://api.example.org/x", EVIL, credentials=True)
    found = explain(asked, Scripted(elsewhere, "200"), front.app)
    assert [edit.set for edit in found.edits] == [
        json.dumps({"url": f"{front.url}/lab/thing"}),
        f'origins=["{PAGE}", "{APP}", "{EVIL}"]',
    ]


def test_a_view_that_redirects_to_a_sign_in_must_be_a_navigation(front: Front) -> None:
    front.app, front.answer, front.adds = make_marked_app(front.url), lambda _: None, ()
    network = HttpTransport(send_unsafe=False)
    for transport in (network, AppTransport(front.app, front.url, run_views=True, external=network)):
        found = explain(build_request("GET", f"{front.url}/lab/sign-in", PAGE, credentials=True), transport, front.app)
        assert (found.allowed, found.edits) == (False, [])
        assert f"open {front.url}/lab/sign-in with a navigation" in str(found.fix)
        assert IDENTITY in str(found.fix)
