"""The CORS headers of every response, and the responses to preflights.

Each case runs with each writer of headers: both variants of an application's `cors_headers.py`, and that of
`crossorigin` itself.
"""

import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pytest
from crossorigin import FromConfig, Hints, init_cors
from flask import Blueprint, Flask, Response, session
from werkzeug.test import TestResponse

from tests.crossorigin import cases
from tests.crossorigin.cases import (
    ALLOW,
    APP,
    DECIDED,
    EVIL,
    ORIGINS,
    PAGE,
    PATTERNS,
    POLICIES,
    WRITERS,
    Writer,
    lab,
)

ASKS = "Access-Control-Request-"
Start = Callable[..., Flask]
STATUSES = [200, 308, 400, 401, 403, 404, 405, 413, 415, 422, 429, 500]


def send(app: Flask, path: str, origin: str | None = PAGE, **request: Any) -> TestResponse:
    """Send a request with any origin, as a server passes it on."""
    given = {} if origin is None else {"HTTP_ORIGIN": origin}
    return app.test_client().open(path, environ_overrides=given, **request)


def ask(app: Flask, path: str, origin: str = PAGE, method: str = "PUT", **asked: str) -> TestResponse:
    """Send a preflight."""
    headers = {f"{ASKS}{name}": value for name, value in {"Method": method, **asked}.items()}
    return send(app, path, origin, method="OPTIONS", headers=headers)


def sort_lists(headers: Mapping[str, str]) -> list[tuple[str, list[str]]]:
    return sorted((name.title(), sorted(value.split(", "))) for name, value in headers.items())


def get_cors_headers(answer: TestResponse) -> list[tuple[str, list[str]]]:
    """Return the CORS headers, every line of them."""
    return [line for line in sort_lists(answer.headers) if line[0].startswith("Access-Control-")]


def has_vary_origin(answer: TestResponse) -> bool:
    lines = answer.headers.getlist("Vary")
    names = [name.strip().lower() for line in lines for name in line.split(",")]
    assert "origin" not in names or (len(lines) == 1 and names.count("origin") == 1)
    return "origin" in names


def check(answer: TestResponse, origin: str | None, expected: dict[str, str] | None) -> None:
    """Assert that a response has exactly the headers of its policy for an origin."""
    listed = expected is not None and f"{ALLOW}Origin" not in expected
    refused = expected is None or (listed and origin not in (PAGE, APP))
    wanted = {} if refused else {f"{ALLOW}Origin": origin, **expected}
    assert get_cors_headers(answer) == sort_lists(wanted)
    assert has_vary_origin(answer) == listed


@pytest.fixture(scope="module", params=WRITERS)
def writer(request: pytest.FixtureRequest) -> Writer:
    """Each writer of headers in turn."""
    return WRITERS[request.param]


@pytest.fixture(scope="module")
def site(writer: Writer) -> Flask:
    """An application in debug mode, with a path for each outcome under each prefix."""
    app = cases.start(*cases.blueprints(), writer=writer, PROPAGATE_EXCEPTIONS=False)
    app.debug = True  # where Flask shows a traceback instead of a 500
    return app


@pytest.fixture
def start(writer: Writer) -> Start:
    """Start an application with some blueprints."""
    return partial(cases.start, writer=writer)


@pytest.mark.parametrize("names", ["x-evil", "If-Match,CONTENT-TYPE", " ,,\tIf-Match ,", "*", "x" * 4096, ""])
@pytest.mark.parametrize("path", ["", "/", "/7", "/no/such", "//7", "/%00", "/%FF"])
def test_every_preflight_gets_the_complete_lists(site: Flask, path: str, names: str) -> None:
    for method in ("PUT", "patch", "EVIL", ""):
        asked = {"Headers": names, "Private-Network": "true"}
        answer = ask(site, f"/api/auth{path}", method=method, **asked)
        assert (answer.status_code, answer.data) == (204, b"")
        assert not {"Content-Type", "Set-Cookie"} & set(answer.headers.keys())
        check(answer, PAGE, POLICIES["/api/auth"][2])


@pytest.mark.parametrize("origin", ORIGINS[:4])
@pytest.mark.parametrize("prefix", POLICIES)
def test_any_other_options_request_reaches_the_application(site: Flask, prefix: str, origin: str) -> None:
    asks = {f"{ASKS}Method": "PUT"}
    check(send(site, f"{prefix}/outcome/200", origin, method="OPTIONS"), origin, POLICIES[prefix][1])
    check(send(site, prefix, None, method="OPTIONS", headers=asks), None, POLICIES[prefix][1])


def test_a_preflight_does_not_run_the_application(start: Start) -> None:
    ran, blueprint = [], lab()
    blueprint.add_url_rule("/", view_func=lambda: ran.append("view") or "", methods=["OPTIONS"])
    app = start(blueprint, SECRET_KEY="only-for-tests")
    app.before_request(lambda: ran.append("before") or session.update(a=1))
    answer = ask(app, "/lab/")
    assert (answer.status_code, answer.headers.get("Set-Cookie"), ran) == (204, None, [])
    answer = send(app, "/lab/", method="OPTIONS")
    assert (answer.status_code, "Set-Cookie" in answer.headers, ran) == (200, True, ["before", "view"])


REFUSALS = [{"origin": EVIL}, {"method": "patch"}, {"Headers": "x-lab"}, {"path": "/health/live"}]


@pytest.mark.parametrize("asked", REFUSALS, ids=str)
def test_a_refusal_is_logged_in_one_line_with_its_reason(
    site: Flask, caplog: pytest.LogCaptureFixture, asked: dict[str, str]
) -> None:
    with caplog.at_level(logging.DEBUG):
        ask(site, **{"path": "/api/auth/login", "method": "POST", **asked})
    lines = [record.getMessage() for record in caplog.records if "preflight" in record.getMessage()]
    assert len(lines) == 1
    assert "refused" in lines[0]
    assert all(value in lines[0].partition("refused")[2] for value in asked.values() if value[0] != "/")


@pytest.mark.parametrize(
    ("options", "headers"),
    [
        ({"max_age": 0}, {"Access-Control-Max-Age": "0"}),
        ({"methods": ["PUT", "GET"]}, {f"{ALLOW}Methods": "GET, PUT"}),
        ({"request_headers": ["*"], "expose_headers": ["*"]}, {f"{ALLOW}Headers": "*"}),  # no Authorization
        ({"request_headers": ["*", "Authorization"]}, {f"{ALLOW}Headers": "*, Authorization"}),
    ],
)
def test_a_preflight_has_the_declared_lists(start: Start, options: dict[str, Any], headers: dict[str, str]) -> None:
    app = start(lab(**options))
    check(ask(app, "/lab", Headers="authorization"), PAGE, headers)


@pytest.mark.parametrize(("prefixes", "path", "decides"), DECIDED.values(), ids=DECIDED)
def test_the_policy_that_decides_belongs_to(start: Start, prefixes: list[str], path: str, decides: int | None) -> None:
    labs, origins, methods = [], ["https://0.example", "https://1.example"], ["PATCH", "DELETE"]
    for prefix, origin, method in zip(prefixes, origins, methods, strict=False):
        labs.append(lab(prefix, f"lab{len(labs)}", origins=[origin], methods=[method]))
    app = start(*labs)
    for n, origin in enumerate(origins):
        answer, preflight = send(app, path, origin), ask(app, path, origin)
        wanted = {f"{ALLOW}Origin": origin} if n == decides else {}
        assert get_cors_headers(answer) == sort_lists(wanted)
        assert get_cors_headers(preflight) == sort_lists(wanted and {**wanted, f"{ALLOW}Methods": methods[n]})
        assert has_vary_origin(answer) == has_vary_origin(preflight) == (decides is not None)


@pytest.mark.parametrize(("pattern", "allowed", "origins"), PATTERNS)
def test_a_pattern_allows_only_matching_origins(start: Start, pattern: str, allowed: bool, origins: list[str]) -> None:
    app = start(lab(origins=[EVIL, pattern]))
    for origin in origins:
        for answer in (send(app, "/lab", origin), ask(app, "/lab", origin)):
            assert answer.headers.getlist(f"{ALLOW}Origin") == ([origin] if allowed else [])


def test_a_policy_applies_to_each_registration_of_its_blueprint(writer: Writer) -> None:
    blueprint, outer, app = lab(), Blueprint("outer", __name__, url_prefix="/outer"), Flask("lab")
    writer(app)
    outer.register_blueprint(blueprint)
    app.register_blueprint(outer)
    for number in (1, 2):
        app.register_blueprint(blueprint, url_prefix=f"/lab{number}", name=f"lab{number}")
    init_cors(app)
    for path in ("/outer/lab", "/lab1/x", "/lab2", "/lab", "/outer"):
        check(send(app, path), PAGE, None if path in ("/lab", "/outer") else {})


def test_two_applications_share_a_blueprint_but_not_its_origins(start: Start) -> None:
    blueprint = lab(origins=FromConfig("PAGES"))
    first, second, third = (start(blueprint, PAGES=p) for p in (f"{PAGE},\n{APP}", [EVIL], "none"))
    for origin in (PAGE, APP, EVIL):
        check(send(first, "/lab", origin), origin, {})
        assert ("Access-Control-Allow-Origin" in send(second, "/lab", origin).headers) == (origin == EVIL)
        check(send(third, "/lab", origin), None, {})


def by_hand(response: Response | None = None) -> Response:
    vary = [("Vary", "Accept, origin"), ("Vary", "Cookie, Origin")]
    response = response or Response(iter("streamed"), headers=vary)
    for name in ("Origin", "Credentials", "Methods", "Private-Network"):
        response.headers.add(f"{ALLOW}{name}", "*")
    return response


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_headers_set_by_hand_are_removed_and_their_vary_is_kept(writer: Writer, method: str) -> None:
    app, blueprint = Flask("lab"), lab()
    writer(app)
    blueprint.add_url_rule("/x", view_func=by_hand, methods=["GET", "POST"])
    app.register_blueprint(blueprint)
    app.after_request(by_hand)
    init_cors(app)
    app.after_request(by_hand)
    app.add_url_rule("/free", view_func=by_hand, methods=["GET", "POST"])
    answer = send(app, "/lab/x", method=method)
    check(answer, PAGE, {})
    assert sorted(answer.headers["Vary"].lower().split(", ")) == ["accept", "cookie", "origin"]
    assert get_cors_headers(send(app, "/free", method=method)) == []


def test_a_page_on_another_site_causes_a_warning(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    others, same = ["http://127.0.0.1:5173", "https://localhost:5173"], "http://localhost:5173"
    for credentials in (True, False):
        for page in (*others, same):
            start(lab(origins=[page], credentials=credentials), hints=Hints(api_url="http://localhost:8000"))
    texts = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert [page in text for page, text in zip(others, texts, strict=True)] == [True, True]
    assert all("SameSite=Lax" in text and "401" in text for text in texts)


@pytest.mark.parametrize("origin", ORIGINS, ids=repr)
@pytest.mark.parametrize("prefix", POLICIES)
def test_every_response_has_the_headers_of_its_policy(site: Flask, prefix: str, origin: str | None) -> None:
    for status in STATUSES:
        answer = send(site, f"{prefix}/outcome/{status}", origin)
        assert answer.status_code == status
        check(answer, origin, POLICIES[prefix][1])


@pytest.mark.parametrize("origin", [origin for origin in ORIGINS if origin is not None], ids=repr)
@pytest.mark.parametrize("prefix", POLICIES)
def test_a_preflight_has_the_headers_of_its_policy(site: Flask, prefix: str, origin: str) -> None:
    answer = ask(site, prefix, origin)
    check(answer, origin, POLICIES[prefix][2])
    assert answer.status_code == (204 if get_cors_headers(answer) else 403)
    longer = ask(site, prefix, origin, Headers="x" * 4097)
    assert (longer.status_code, get_cors_headers(longer), has_vary_origin(longer)) == (403, [], has_vary_origin(answer))
