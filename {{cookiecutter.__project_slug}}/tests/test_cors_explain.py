"""Explanations: they go the browser's way, with real answers, and change nothing."""

import http.client
import json
import logging
import re
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import PAGE, settings
from cors_cases import APP, lab, start
from flask import Blueprint, Flask, abort, redirect, request
from flask.logging import default_handler
from test_blocked_by_cors import Scripted
from test_blocked_by_cors import lab as policy_app
from werkzeug.serving import make_server

from {{ cookiecutter.__package }} import create_app
from {{ cookiecutter.__package }}.cors import fetch
from {{ cookiecutter.__package }}.cors.cures import Cures
from {{ cookiecutter.__package }}.cors.engine import STRATEGY
from {{ cookiecutter.__package }}.cors.exchange import InProcess, Live, rehearsal, silence
from {{ cookiecutter.__package }}.cors.explain import Explanation, explain, request_of

API, ELSEWHERE = "http://localhost", "https://api.example.org"
OPEN = STRATEGY != "proxy"  # whether a page of another origin can be let in at all
FINE = f"Origin: {PAGE} | Credentials: true"
LISTS = f"204 | {FINE} | Methods: PUT | Headers: Authorization, Content-Type"


def scripted(
    *answers: str, method: str = "GET", headers: Any = (), origin: str = PAGE, **more: Any
) -> Explanation:
    asks = request_of(method, f"{API}/lab/1", origin, headers, more.get("credentials", False))
    return explain(asks, Scripted(*answers), start(lab()))


def test_the_object_has_these_keys_and_no_others() -> None:
    found = json.loads(json.dumps(scripted(f"200 | {FINE} | X-Lab: 1 | ETag: 2 | Expires: 0").as_dict()))
    steps = found.pop("steps")
    assert {key for step in steps for key in step} == {"step", "ok", "detail"}
    assert all(step["ok"] for step in steps)
    assert "etag, x-lab" in steps[-1]["detail"]
    assert found == {
        "allowed": True,
        "preflighted": False,
        "status": 200,
        "reason": None,
        "cure": None,
        "readable_headers": ["expires"],
        "cookies_sent": None,
    }


REDIRECTS = {  # the status, where to, what is sent then, and what no more
    "PUT is GET and has no type after 303": (303, "/x", "GET /x", "Content-Type"),
    "PUT stays PUT after 302": (302, "/x?a=b", "PUT /x?a=b", "Origin: null"),
    "POST is GET after 301": (301, "x", "GET /lab/x", "Content-Type"),
    "the page is nobody after a second origin": (307, f"{ELSEWHERE}/x", "Origin: null", "Authorization"),
    "the page is nobody even at its own origin": (307, f"{PAGE}/x", "Origin: null", "Authorization"),
}


@pytest.mark.parametrize(("status", "to", "sent", "gone"), REDIRECTS.values(), ids=REDIRECTS)
def test_after_a_redirect(status: int, to: str, sent: str, gone: str) -> None:
    second = LISTS.replace(PAGE, "null") if "://" in to else LISTS
    headers = [("Authorization", "a"), ("Content-Type", "application/json")]
    method = "POST" if status == 301 else "PUT"
    found = scripted(
        LISTS, f"{status} | {FINE} | Location: {to}", second, second, method=method, headers=headers
    )
    last = [step.detail for step in found.steps if step.step.startswith("The browser sends")][-1]
    assert (found.allowed, sent in last.splitlines(), gone in last) == (True, True, False)


def test_a_redirect_of_the_own_origin_leads_into_cors_with_the_pages_name() -> None:
    asks = request_of("GET", f"{PAGE}/x", PAGE)
    found = explain(asks, Scripted(f"302 | Location: {API}/lab", f"200 | {FINE}"), start(lab()))
    assert found.allowed
    assert f"Origin: {PAGE}" in found.steps[-4].detail
    assert "Origin" not in found.steps[1].detail


def test_no_redirect_to_another_origin_has_a_user_name() -> None:
    found = scripted(f"302 | {FINE} | Location: https://me@api.example.org/x")
    assert (found.allowed, found.reason) == (False, "CORSDidNotSucceed")
    assert "user name" in found.steps[-1].detail


def test_what_a_script_cannot_set_is_said_and_what_it_writes_small_is_sent_so() -> None:
    headers = [("Cookie", "a=b"), ("X-HTTP-Method", "TRACE"), ("Accept", "*/*")]
    found = scripted(LISTS, method="patch", headers=headers)
    assert "Only DELETE, GET" in found.steps[0].detail
    assert found.steps[1].detail == "Dropped without a word: Cookie, X-HTTP-Method."


def test_a_page_with_https_is_told_of_the_permission_and_goes_on() -> None:
    found = scripted(f"200 | Origin: {APP}", origin=APP)
    assert found.allowed
    assert "Chromium asks the visitor" in found.steps[2].detail


def test_the_cookie_of_a_secure_api_needs_https() -> None:
    app = start(lab(), SESSION_COOKIE_SECURE=True)
    asks = request_of("GET", "http://api.example.com/lab", "http://app.example.com", credentials=True)
    answer = "200 | Origin: http://app.example.com | Credentials: true"
    found = explain(asks, Scripted(answer), app)
    assert (found.allowed, found.cookies_sent) == (True, False)
    assert "https" in (found.cure or "")


ran: list[str] = []


@pytest.fixture(scope="module")
def site() -> Flask:
    """An application of which it is known which views have run."""
    blueprint, closed = lab(credentials=True), Blueprint("closed", __name__, url_prefix="/closed")
    blueprint.add_url_rule(
        "/thing", "thing", lambda: ran.append(request.method) or "", methods=["GET", "PUT"]
    )
    blueprint.add_url_rule("/moved", "moved", lambda: redirect(f"{ELSEWHERE}/x"))
    blueprint.add_url_rule("/folder/", "folder", str)
    blueprint.before_request(lambda: abort(401) if "sign-in" in request.args else None)
    closed.before_request(lambda: {}["nothing"])
    closed.add_url_rule("/", "closed", str, methods=["DELETE"])
    app = start(blueprint, closed, API_URL=API)
    app.get("/free")(str)
    return app


def within(
    site: Flask, method: str, path: str, origin: str = API, views: bool = True, **more: Any
) -> Explanation:
    ran.clear()
    return explain(request_of(method, API + path, origin, **more), InProcess(site, API, views=views), site)


IN_PROCESS = {  # what is asked, the status, and whether the view has run
    "GET runs the view": ("GET", "/lab/thing", 200, True),
    "HEAD as well": ("HEAD", "/lab/thing", 200, True),
    "PUT does not": ("PUT", "/lab/thing", None, False),
    "PUT to a path that only reads gets its 405": ("PUT", "/lab/folder/", 405, False),
    "an unknown path gets its 404": ("PUT", "/lab/nowhere", 404, False),
    "what stands before the view answers": ("PUT", "/lab/thing?sign-in", 401, False),
    "what fails before the view is a 500": ("DELETE", "/closed/", 500, False),
}


@pytest.mark.parametrize(("method", "path", "status", "runs"), IN_PROCESS.values(), ids=IN_PROCESS)
@pytest.mark.parametrize("origin", [API, PAGE])
def test_in_process(site: Flask, method: str, path: str, status: int | None, runs: bool, origin: str) -> None:
    found = within(site, method, path, origin)
    let_in = origin == API or (OPEN and path[1] == "l")
    assert (found.allowed, bool(ran)) == (let_in, runs and (let_in or method in fetch.SAFELISTED_METHODS))
    assert found.status == (status if let_in else None)
    assert within(site, method, path, origin, views=False).status != 200
    assert ran == []


def test_a_redirect_for_the_slash_is_followed_and_one_out_of_the_api_asks_nobody(site: Flask) -> None:
    found = within(site, "GET", "/lab/folder")
    assert (found.allowed, found.status) == (True, 200)
    out = within(site, "GET", "/lab/moved")
    assert (out.allowed, out.reason, out.cure) == (
        False,
        None,
        f"uv run flask cors explain GET {ELSEWHERE}/x asks it",
    )


def test_the_process_asks_the_network_only_about_what_lies_beyond(site: Flask) -> None:
    asks = request_of("PUT", f"{API}/lab/moved", API)
    beyond = Scripted(LISTS.replace(PAGE, API), f"200 | Origin: {API}")
    asks = asks._replace(method="GET", headers=(("X-Lab", "1"),))
    found = explain(asks, InProcess(site, API, views=True, beyond=beyond), site)
    assert (found.allowed, found.reason) == (False, "CORSMissingAllowHeaderFromPreflight")
    assert len(beyond.left) == 1


CURES = {  # the policy, the configuration, what a page asks for, the answers, and the cure
    "a view without a blueprint": ({}, {}, {"path": "/free"}, "200", "the view 'free' into a blueprint"),
    "a blueprint without a policy": (
        {},
        {},
        {"path": "/closed"},
        "200",
        f'explain.py: cors(closed, origins=["{PAGE}"])',
    ),
    "a method without a policy": (
        {},
        {},
        {"path": "/free", "method": "PUT"},
        LISTS.replace("PUT", ""),
        "into a blueprint",
    ),
    "a header without a policy": (
        {},
        {},
        {"path": "/free", "headers": [("X-Lab", "1")]},
        LISTS,
        "into a blueprint",
    ),
    "cookies without a policy": ({}, {}, {"path": "/free"}, "200 | Origin: *", "withCredentials: false"),
    "no path like it": ({}, {}, {"path": "/~~~~~~"}, "404", "no route and no policy is under /~~~~~~"),
    "origins in a list": ({"origins": [APP]}, {}, {}, "200", f'lab.py:7: origins=["{APP}", "{PAGE}"]'),
    "no page at all": ({"origins": []}, {}, {}, "200", f"and VITE_API_URL={API}"),
    "methods in a list": (
        {"methods": ["PUT"]},
        {},
        {"method": "LOCK"},
        LISTS,
        'lab.py:7: methods=["PUT", "LOCK"]',
    ),
    "any page, and cookies": (
        {"origins": ["*"], "credentials": False},
        {},
        {},
        "200 | Origin: *",
        "FromConfig(",
    ),
    "http in production": (
        {"origins": [APP], "credentials": False},
        {"APP_ENV": "production"},
        {},
        "200",
        "https://localhost:5173",
    ),
    "a bare 502": ({}, {}, {}, "502", "(Server: not said)"),
}


@pytest.mark.parametrize(("policy", "config", "asks", "answers", "cure"), CURES.values(), ids=CURES)
def test_the_cure_is(policy: Any, config: Any, asks: Any, answers: str, cure: str) -> None:
    app = policy_app(**policy)
    app.config.update(config, API_URL=API)
    closed = Blueprint("closed", __name__)
    closed.add_url_rule("/closed", view_func=str)
    closed.add_url_rule("/closed/", "folder", view_func=str, methods=["PUT"])
    app.register_blueprint(closed)
    app.add_url_rule("/free", "free", str)
    given = {"method": "GET", "origin": PAGE, "credentials": True, **asks}
    asked = request_of(url=API + given.pop("path", "/api/lab"), **given)
    assert cure in (explain(asked, Scripted(answers), app, Cures(app, "flask-cors")).cure or "")


def test_under_the_strategy_proxy_the_cure_is_the_pages_own_address() -> None:
    app = policy_app()
    found = explain(request_of("GET", f"{API}:8000/api/lab", APP), Scripted("200"), app, Cures(app, "proxy"))
    assert "open the page at its own address" in (found.cure or "")


NO_REQUEST = {  # what no browser takes, and what is said
    "a method": ({"method": "GE T"}, "write for example PUT"),
    "a pattern": ({"origin": "http://localhost:*"}, "write the origin of one page"),
    "an origin with a slash": ({"origin": f"{PAGE}/"}, f"write {PAGE!r}"),
    "a header's name": ({"headers": [("X Lab", "1")]}, "write a name without spaces"),
    "a header's value": ({"headers": [("X-Lab", "\n")]}, "write one line of Latin-1"),
    **{
        url: ({"url": url}, "is no address")
        for url in ("/x", "ftp://a", "http://", "http://a:x", "http://me@a", "http://a b", "http://[")
    },
}


@pytest.mark.parametrize(("changes", "sentence"), NO_REQUEST.values(), ids=NO_REQUEST)
def test_it_is_no_request(changes: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=re.escape(sentence)):
        request_of(**{"method": "GET", "url": API, "origin": PAGE, **changes})


def test_a_url_is_written_as_browsers_send_it() -> None:
    assert (
        request_of("GET", "http://LocalHost:1/a b/é?q=ü#top", "null").url
        == "http://localhost:1/a%20b/%C3%A9?q=%C3%BC"
    )


@pytest.fixture(scope="module")
def server(site: Flask) -> Iterator[str]:
    """The same application, behind a socket."""
    found = make_server("127.0.0.1", 0, site, threaded=True)
    threading.Thread(target=found.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{found.server_port}"
    found.shutdown()


@pytest.mark.parametrize(
    ("method", "send", "status", "runs"),
    [("GET", False, 200, True), ("PUT", False, None, True), ("PUT", True, 200, True)],
)
def test_a_url_is_asked_over_the_network(
    site: Flask, server: str, method: str, send: bool, status: int | None, runs: bool
) -> None:
    ran.clear()
    found = explain(request_of(method, f"{server}/lab/thing?a=b", server), Live(send=send), site)
    assert (found.allowed, found.status, ran) == (
        True,
        status,
        ["GET" if method == "GET" else "PUT" if send else "HEAD"],
    )
    assert found.preflighted is False
    preflight = explain(request_of("PUT", f"{server}/lab/thing", PAGE), Live(send=send), site)
    assert (preflight.preflighted, preflight.allowed) == (True, OPEN)


def test_a_server_that_is_not_there_or_speaks_something_else_is_told(server: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    for url, words in (
        (f"http://127.0.0.1:{port}", "Nothing answers at"),
        (f"https{server[4:]}", "does not speak https"),
    ):
        found = explain(request_of("GET", url, PAGE), Live(send=False), start(lab()))
        assert (found.allowed, found.reason, words in found.steps[-1].detail) == (
            False,
            "CORSDidNotSucceed",
            True,
        )


SILENCES = [
    (socket.gaierror(), "No machine is called 'api.example.com'"),
    (TimeoutError(), "does not answer within 5 seconds"),
    (ssl.SSLCertVerificationError(), "is not trusted"),
    (ssl.SSLError(), "does not speak https"),
    (http.client.BadStatusLine(""), "does not speak https"),
    (OSError(113, "No route to host"), "(No route to host)"),
]


@pytest.mark.parametrize(("error", "words"), SILENCES)
def test_silence_has_a_reason_and_a_cure(error: Exception, words: str) -> None:
    found = silence("https://api.example.com/x", error)
    assert words in str(found)
    assert found.cure


def test_explaining_counts_for_no_limit_and_writes_no_line_of_the_log(database: Path) -> None:
    app = create_app(settings(database, LOGIN_LIMIT="1 per minute"))
    asks = request_of("POST", "http://localhost:8000/api/auth/login", "http://localhost:8000")
    record = logging.makeLogRecord({})
    assert [explain(asks, InProcess(app, asks.origin, views=False), app).status for _ in range(3)] == [
        None
    ] * 3
    assert (
        app.test_client().post("/api/auth/login", json={"username": "ada", "password": "x"}).status_code
        == 401
    )
    assert default_handler.filter(record)
    with rehearsal():
        assert not default_handler.filter(record)
