"""The policy of a response is that of the view's own blueprint, not of a sibling."""

import logging
from collections.abc import Sequence
from typing import Any

import pytest
from crossorigin import Hints, PolicyError, cors, cors_headers_writer, find_policy, init_cors
from crossorigin.declare import Policies
from flask import Blueprint, Flask, Response, abort, redirect
from flask.typing import ResponseReturnValue
from werkzeug.routing import BaseConverter
from werkzeug.test import TestResponse

from tests.crossorigin.cases import APP, PAGE, WRITERS, lab, start

OPEN, CLOSED, LISTED = {"origins": ["*"]}, {"origins": ["none"]}, {"origins": [APP], "credentials": True}


class Quoted(BaseConverter):
    """A converter with a regular expression in the rule, from werkzeug's documentation."""

    def __init__(self, url_map: Any, *args: Any) -> None:  # noqa: D107
        super().__init__(url_map)
        self.regex = args[0]


def blueprint(name: str, prefix: str, policy: dict[str, Any] | None, *rules: str, **options: Any) -> Blueprint:
    """Return a blueprint. A rule is its methods and its path, for example "GET,POST /<name>"."""
    made = Blueprint(name, __name__, url_prefix=prefix, **options)
    if policy is not None:
        cors(made, **policy)
    for number, rule in enumerate(rules):
        methods, _, path = rule.partition(" ")
        made.add_url_rule(path, f"view{number}", view, methods=methods.split(","))
    return made


def view(**_: object) -> ResponseReturnValue:
    policy = find_policy()
    return policy.blueprint if policy else "none"


def make_app(*blueprints: Blueprint) -> Flask:
    app = Flask("lab", root_path="no-source", host_matching=False, subdomain_matching=True)
    app.config["SERVER_NAME"] = "lab.example"
    app.url_map.converters["quoted"] = Quoted
    for made in blueprints:
        app.register_blueprint(made)
    return app


def nest(outer: Blueprint, *inner: Blueprint) -> Blueprint:
    for made in inner:
        outer.register_blueprint(made)
    return outer


def get(app: Flask, path: str, origin: str = APP, **request: Any) -> TestResponse:
    return app.test_client().open(path, headers={"Origin": origin}, **request)


ADMIN = blueprint("admin", "/api/admin", None, "POST /wipe")
STATUS = blueprint("status", "/api", OPEN, "GET ")
USERS = blueprint("users", "/users/<name>", LISTED, "GET ", "POST /wipe")
PUB = blueprint("pub", "/users/public", OPEN, "GET ")
HOSTS = [blueprint(name, "/x", None if name == "b" else OPEN, "GET /y", subdomain=name) for name in "ab"]
REFUSED: dict[str, tuple[Sequence[Blueprint], list[str]]] = {  # and what the message names
    "a sibling without a policy": ([STATUS, ADMIN], ["'/api'", "'admin.view0'", 'cors(admin, origins=["none"])']),
    "a literal beside a variable": ([USERS, PUB], ["'/users/public/wipe'", "'/users/<name>'", "another prefix"]),
    "overlapping variables": (
        [blueprint("a", "/<one>", OPEN, "GET /x"), blueprint("b", "/v<two>", LISTED, "GET /x")],
        ["'/<one>'", "'/v<two>'"],
    ),
    "one path on two subdomains": (HOSTS, ["'b.view0'", "has no policy"]),
    "a > in the arguments of a converter": (
        [
            blueprint("a", "/x", OPEN, "GET "),
            blueprint("b", '/<quoted("[^>]+"):name>', LISTED, "POST /wipe"),
        ],
        ["'/x'", "'b.view0'"],
    ),
    "a rule of several segments that changes something": (
        [STATUS, blueprint("files", "/", None, "PUT /<path:name>")],
        ["'files.view0'", 'cors(files, origins=["none"])'],
    ),
    "a view above that a variable leads below": (
        [blueprint("a", "/a", LISTED, "DELETE /<name>"), blueprint("b", "/a/b", OPEN, "GET ")],
        ["'/a/b'", "'a.view0'"],
    ),
}


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("layout", REFUSED)
def test_init_cors_refuses(layout: str, order: int) -> None:
    blueprints, names = REFUSED[layout]
    with pytest.raises(PolicyError) as caught:
        init_cors(make_app(*blueprints[::order]))
    assert [name for name in [*names, "test_policy_of_a_response.py:"] if name not in caught.value.message] == []
    assert caught.value.message.count("test_policy_of_a_response.py:") >= 2


LEGAL: dict[str, tuple[Sequence[Blueprint], dict[str, str]]] = {  # and which policy a path has
    "a sibling below with a separate policy": (
        [blueprint("a", "/a", OPEN, "GET "), blueprint("b", "/a/b", LISTED, "GET /c")],
        {"/a": "a", "/a/b/c": "b"},
    ),
    "a closed sibling below": (
        [STATUS, blueprint("admin", "/api/admin", CLOSED, "GET /list")],
        {"/api": "status", "/api/admin/list": "admin"},
    ),
    "a nested blueprint without a policy": (
        [nest(blueprint("a", "/a", OPEN), blueprint("b", "/b", None, "GET /c"))],
        {"/a/b/c": "a"},
    ),
    "a nested blueprint with a policy": (
        [nest(blueprint("a", "/a", OPEN, "GET "), blueprint("b", "/b", LISTED, "GET /c"))],
        {"/a": "a", "/a/b/c": "a.b"},
    ),
    "a literal beside a variable that does not take it": (
        [blueprint("a", "/a", LISTED, "DELETE /<int:id>"), blueprint("b", "/a/b", OPEN, "GET ")],
        {"/a/b": "b"},
    ),
    "a literal whose routes come before those of the variable": (
        [blueprint("a", "/a", LISTED, "GET /<name>"), blueprint("b", "/a/me", OPEN, "GET,POST ")],
        {"/a/me": "b", "/a/you": "a"},
    ),
    "variables of different form": (
        [blueprint("a", "/v<x>", OPEN, "GET "), blueprint("b", "/w<x>", LISTED, "GET ")],
        {"/v1": "a", "/w1": "b"},
    ),
    "a front end below everything": (
        [STATUS, blueprint("files", "/", None, "GET /<path:name>")],
        {"/api": "status", "/index.html": "none", "/api/no/such": "none"},
    ),
}


@pytest.mark.parametrize("layout", LEGAL)
def test_init_cors_allows(layout: str) -> None:
    blueprints, policies = LEGAL[layout]
    app = make_app(*blueprints)
    init_cors(app)
    for path, name in policies.items():
        answer = get(app, path, base_url="http://lab.example")
        assert (answer.status_code, answer.text) == (200, name)


def test_a_view_of_another_package_can_be_closed() -> None:
    app = make_app(STATUS)
    app.add_url_rule("/api/ping", "ping", view)
    with pytest.raises(PolicyError, match=r'init_cors\(app, closed=\["ping"\]\)'):
        init_cors(app)
    app = make_app(STATUS)
    app.add_url_rule("/api/ping", "ping", view)
    init_cors(app, closed=["ping"])
    asks = {"Origin": APP, "Access-Control-Request-Method": "GET"}
    answers = [get(app, "/api/ping", base_url="http://lab.example")]
    answers.append(app.test_client().options("/api/ping", headers=asks))
    assert [answer.status_code for answer in answers] == [200, 403]
    assert all("Access-Control-Allow-Origin" not in answer.headers for answer in answers)
    assert app.test_client().options("/api/pong", headers=asks).status_code == 204


def test_an_unknown_closed_endpoint_is_refused() -> None:
    app = make_app(STATUS)
    app.add_url_rule("/ping", "ping", view)
    with pytest.raises(PolicyError, match="'pinng', which is not an endpoint; write 'ping'"):
        init_cors(app, closed=["pinng"])


@pytest.mark.parametrize("status", [401, 403, 429])
def test_a_response_before_the_view_has_the_policy_of_the_view(status: int) -> None:
    inner = blueprint("b", "/b", LISTED, "GET /c")
    inner.before_request(lambda: abort(status))
    app = make_app(nest(blueprint("a", "/a", OPEN), inner))
    init_cors(app)
    answer = get(app, "/a/b/c", base_url="http://lab.example")
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (status, APP)
    assert get(app, "/a/b/no", base_url="http://lab.example").headers["Access-Control-Allow-Origin"] == APP


def test_a_view_after_init_cors_is_refused_at_the_first_request() -> None:
    app = start(lab("/api", "status", origins=["*"]))
    app.add_url_rule("/api/late", "late", view)
    with pytest.raises(PolicyError, match="'late'"):
        app.test_client().get("/")


@cors_headers_writer
def write(response: Response) -> Response:
    return response


def test_a_writer_that_does_not_run_last_is_refused() -> None:
    app = make_app(lab())
    app.after_request(lambda response: response)
    app.after_request(write)
    with pytest.raises(PolicyError, match=r"init_app\(app\) first in create_app"):
        init_cors(app)
    app = start(lab())
    app.after_request_funcs[None].insert(0, lambda response: response)
    with pytest.raises(PolicyError, match="first in create_app"):
        app.test_client().get("/lab")


def test_an_application_has_no_wsgi_layer_before_init_cors() -> None:
    app = make_app(lab())
    assert app.wsgi_app == Flask.wsgi_app.__get__(app)


@pytest.mark.parametrize("debug", [True, False])
def test_a_500_is_readable_in_debug_mode(debug: bool) -> None:
    broken = lab()
    broken.add_url_rule("/broken", view_func=lambda: 1 / 0)
    app = start(broken)
    app.debug = debug
    answer = get(app, "/lab/broken", PAGE)
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (500, PAGE)


@pytest.mark.parametrize("changes", [{"TESTING": True}, {"PROPAGATE_EXCEPTIONS": True}], ids=str)
def test_an_exception_is_raised_in_tests_and_with_propagate_exceptions(changes: dict[str, bool]) -> None:
    broken = lab()
    broken.add_url_rule("/broken", view_func=lambda: 1 / 0)
    app = start(broken)
    app.debug = True
    app.config.update(changes)
    with pytest.raises(ZeroDivisionError):
        get(app, "/lab/broken", PAGE)


@pytest.mark.parametrize("name", WRITERS)
def test_a_500_from_after_request_has_cors_headers(name: str) -> None:
    fine = lab(credentials=True)
    fine.add_url_rule("/fine", view_func=view)
    app = start(fine, writer=WRITERS[name])
    app.after_request(lambda _: 1 / 0)
    for path, allowed in (("/lab/fine", PAGE), ("/lab/none", PAGE), ("/none", None)):
        answer = get(app, path, PAGE)
        assert (answer.status_code, answer.headers.get("Access-Control-Allow-Origin")) == (500, allowed)
        assert answer.headers.get("Vary") == (allowed and "Origin")


@pytest.mark.parametrize("production", [True, False])
def test_a_header_set_by_hand_causes_a_warning_in_development(
    production: bool, caplog: pytest.LogCaptureFixture
) -> None:
    by_hand = lab()
    by_hand.add_url_rule("/x", view_func=lambda: ("", 200, {"Access-Control-Allow-Origin": "https://own.example"}))
    answer = get(start(by_hand, hints=Hints(production=production)), "/lab/x", PAGE)
    assert answer.headers.getlist("Access-Control-Allow-Origin") == [PAGE]
    texts = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert [("'https://own.example'" in text, "cors(" in text) for text in texts] == [(True, True)] * (not production)


def test_a_preflight_has_the_request_id_of_the_application() -> None:
    app = start(lab(), hints=Hints(mark_preflight=lambda environ: [("X-Request-ID", environ["HTTP_X_REQUEST_ID"])]))
    asks = {"Origin": PAGE, "Access-Control-Request-Method": "GET", "X-Request-ID": "seven"}
    for path, status in (("/lab", 204), ("/none", 403)):
        answer = app.test_client().options(path, headers=asks)
        assert (answer.status_code, answer.headers["X-Request-ID"]) == (status, "seven")


def test_a_private_address_over_http_is_trusted_in_development_only(caplog: pytest.LogCaptureFixture) -> None:
    private = {"origins": ["http://192.168.1.20:5173"], "credentials": True}
    with pytest.raises(PolicyError, match="controls the network"):
        start(lab(**private))
    start(lab(**private), hints=Hints(production=False))
    assert "production refuses it" in caplog.text


def test_a_redirect_of_a_view_has_the_policy_of_the_view() -> None:
    moved = lab()
    moved.add_url_rule("/old", view_func=lambda: redirect("/elsewhere"))
    assert get(start(moved), "/lab/old", PAGE).headers["Access-Control-Allow-Origin"] == PAGE


def test_policies_are_checked_at_the_first_request_only(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Policies] = []
    monkeypatch.setattr(Policies, "check", lambda policies: asked.append(policies))
    app = start(lab())
    for _ in range(3):
        get(app, "/lab/1", PAGE)
    assert len(asked) == 1
