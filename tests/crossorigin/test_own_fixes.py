"""Fixes in this application: everything that a policy and its settings need, with the place of each."""

import json
from dataclasses import replace
from typing import Any, NamedTuple

import pytest
from crossorigin import FromConfig, Hints, cors, get_policies, init_cors
from crossorigin.doctor.trace import Explanation, build_request, explain
from crossorigin.doctor.transport import AppTransport
from flask import Blueprint, Flask

from tests.crossorigin.cases import APP, PAGE, lab, start

API, NUMBER, LAN, OTHER = (
    "http://localhost:8000",
    "http://127.0.0.1:5173",
    "http://192.168.1.20:5173",
    "http://b.localhost",
)
HINTS = Hints(settings_file=".env", production=False, api_url=API, frontend_api_url_setting="VITE_API_URL")
HOME = {"frontend_url": PAGE}
PRODUCTION = {"production": True, "api_url": "https://api.example.com", "cross_site_setting": "CROSS_SITE_COOKIES=1"}
SECURE = {"SESSION_COOKIE_SECURE": True}
PAGES: dict[str, Any] = {"origins": FromConfig("PAGES"), "credentials": True}
HERE = "tests/crossorigin/cases.py"
TWO_SITES = "page and API are two sites, which a change in this project cannot fix"


class Row(NamedTuple):
    """A request of a page, facts about the application, a part of the fix, and its edits by place."""

    page: str
    words: str
    edits: dict[str, str] | None = None  # the places without their lines
    policy: dict[str, Any] = PAGES
    hints: dict[str, Any] | None = None
    config: dict[str, Any] | None = None
    asks: dict[str, Any] | None = None  # besides GET, with credentials


def page(**changes: Any) -> dict[str, str]:
    return {"page": json.dumps(changes)}


TOKEN = {"Authorization": "Bearer TOKEN"}
ADDED = {".env": f"PAGES={PAGE},{{}}"}
ROWS = {
    "another port": Row("http://localhost:3000", "; then restart", {".env": f"PAGES={PAGE},http://localhost:3000"}),
    "a setting of the environment": Row(
        "http://localhost:3000",
        "(it overrides .env) (http://localhost:5173 is allowed. Yours differs in the port); then restart",
        {"environment": f"PAGES={PAGE},http://localhost:3000"},
        hints={"find_setting": lambda name: "environment" if name == "PAGES" else ".env"},
    ),
    "a private address in development": Row(
        LAN, "From another machine, call http://192.168.1.20:8000", page(origin=PAGE), hints=HOME
    ),
    "a private address without cookies": Row(
        LAN, "then restart", {".env": f"PAGES={PAGE},{LAN}"}, asks={"credentials": False}
    ),
    "a private address in production": Row(LAN, "anyone who controls the network", hints=PRODUCTION),
    "http in development": Row(
        "http://app.example.com", f"open the page at {PAGE}", page(origin=PAGE), hints=HOME, asks={"credentials": False}
    ),
    "two names of this machine": Row(
        NUMBER, f"open the page at {PAGE} ({PAGE} is allowed. Yours differs in the host)", page(origin=PAGE)
    ),
    "two schemes": Row(
        "https://localhost:5173",
        f"open the page at {PAGE} ({PAGE} is allowed. Yours differs in the scheme)",
        page(origin=PAGE),
    ),
    "two schemes in production": Row(
        "http://app.example.com",
        "open the page at https://app.example.com: both need the same scheme",
        page(origin=APP) | {".env": f"PAGES={PAGE},{APP}"},
        hints=PRODUCTION,
        config=SECURE,
    ),
    "two sites in development": Row(APP, f"open the page at {PAGE}", page(origin=PAGE), hints=HOME),
    "two sites in development, without a front end": Row(APP, TWO_SITES, {".env": f"PAGES={PAGE},{APP}"}),
    "two sites in production": Row(
        "https://app.example.org",
        "or .env: CROSS_SITE_COOKIES=1; then restart. Safari blocks such cookies",
        {".env": "CROSS_SITE_COOKIES=1"},
        hints=PRODUCTION,
        config=SECURE | {"PAGES": "https://app.example.org"},
    ),
    "an app": Row(
        "capacitor://localhost",
        "is an app, and browsers do not send cookies for apps",
        page(credentials=False, headers=TOKEN)
        | {".env": f"PAGES={PAGE},capacitor://localhost", HERE: 'request_headers=["Authorization"]'},
    ),
    "an app that the policy knows": Row(
        "capacitor://localhost",
        "and a token, if the application has tokens: Authorization: Bearer TOKEN",
        page(credentials=False, headers=TOKEN),
        policy=PAGES | {"request_headers": ["authorization"]},
        config={"PAGES": "capacitor://localhost"},
    ),
    "a file": Row("null", "open the page at", page(origin=PAGE), hints=HOME),
    "a file without a front end": Row("null", "serve the page over http (flask run)"),
    "one origin": Row(
        PAGE,
        f"open the page at {PAGE}; or .env: PAGES={PAGE}; then restart; and .env: VITE_API_URL={API}; then restart",
        {".env": f"PAGES={PAGE}", " .env": f"VITE_API_URL={API}"},
        hints=HOME | {"one_origin": True},
        config={"PAGES": "none"},
    ),
    "an origin, a method and a header": Row(
        "http://localhost:3000",
        "Yours differs in the port); and",
        {HERE: f'origins=["{PAGE}", "http://localhost:3000"]', f" {HERE}": 'methods=["GET", "PATCH"]'}
        | {f"  {HERE}": 'request_headers=["X-Lab"]'},
        policy={"origins": [PAGE], "methods": ["GET"]},
        asks={"method": "PATCH", "headers": [("X-Lab", "1")], "credentials": False},
    ),
    "an origin and cookies": Row(
        "http://localhost:3000",
        "withCredentials: false",
        {HERE: f'origins=["{PAGE}", "http://localhost:3000"]'} | page(credentials=False),
        policy={"origins": [PAGE]},
    ),
    "an origin, and a method that no route has": Row(
        "http://localhost:3000",
        'add a route with methods=["PUT"]; the policy allows the methods of the routes; and .env: PAGES=',
        asks={"method": "PUT"},
    ),
}


def ask(app: Flask, origin: str, path: str = "/lab", **asks: Any) -> Explanation:
    address = get_policies(app).hints.api_url or API
    request = build_request(url=f"{address}{path}", **{"method": "GET", "origin": origin, **asks})
    return explain(request, AppTransport(app, address, run_views=True), app)


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_the_fix_is_complete(row: Row) -> None:
    blueprint = lab(**row.policy)
    blueprint.add_url_rule("", "view", str)
    app = start(blueprint, hints=replace(HINTS, **row.hints or {}), **{"PAGES": PAGE, **(row.config or {})})
    found = ask(app, row.page, **{"credentials": True, **(row.asks or {})})
    assert row.words in (found.fix or "")
    assert [(edit.place.rpartition(":")[0] or edit.place, edit.set) for edit in found.edits] == [
        (place.strip(), line) for place, line in (row.edits or {}).items()
    ]
    assert "SAMESITE" not in (found.fix or "")


def test_a_new_policy_has_everything_that_the_request_needs() -> None:
    some_name = Blueprint("other", __name__, url_prefix="/other")
    some_name.add_url_rule("/", "view", str)
    app = start(lab(), hints=HINTS)
    app.register_blueprint(some_name)
    globals()["some_name"] = some_name
    found = ask(app, PAGE, "/other/", credentials=True, headers=[("X-Lab", "1")])
    line = f'cors(some_name, origins=["{PAGE}"], credentials=True, request_headers=["X-Lab"])'
    assert found.edits == [("tests/crossorigin/test_own_fixes.py", line)]


def test_the_fix_for_a_closed_view_is_in_init_cors() -> None:
    blueprint = Blueprint("lab", __name__, url_prefix="/lab")
    cors(blueprint, origins=[PAGE])
    for name in ("one", "two"):
        blueprint.add_url_rule(f"/{name}", name, str)
    app = Flask("lab")
    app.register_blueprint(blueprint)
    init_cors(app, closed=["lab.one", "lab.two"], hints=HINTS)
    found = ask(app, "http://localhost:3000", "/lab/one")
    lines = ['closed=["lab.two"]', f'origins=["{PAGE}", "http://localhost:3000"]']
    assert [edit.set for edit in found.edits] == lines
    assert all(edit.place.startswith("tests/crossorigin/test_own_fixes.py:") for edit in found.edits)


def test_one_fix_has_a_response_header_and_a_request_header() -> None:
    found = ask(start(lab(), hints=HINTS), PAGE, headers=[("Vary", "Origin"), ("X-Lab", "1")])
    assert [edit.set for edit in found.edits] == ['{"headers": {"Vary": null}}', 'request_headers=["X-Lab"]']


@pytest.mark.parametrize("path", ["/health", "/none"])
def test_the_cookie_of_a_page_of_the_same_origin_needs_no_policy(path: str) -> None:
    app = start(lab(), hints=replace(HINTS, api_url="http://api.example.com"), **SECURE)
    app.add_url_rule("/health", view_func=str)
    found = ask(app, "http://api.example.com", path, credentials=True)
    both = {"origin": "https://api.example.com", "url": f"https://api.example.com{path}"}
    assert (found.allowed, found.cookies_sent, found.edits) == (True, False, [("page", json.dumps(both))])


def test_the_fix_for_a_cookie_works_without_policies() -> None:
    app = Flask("lab")
    app.after_request(lambda response: response.headers.set("Access-Control-Allow-Origin", NUMBER) or response)
    app.after_request(lambda response: response.headers.set("Access-Control-Allow-Credentials", "true") or response)
    found = ask(app, NUMBER, credentials=True)
    assert (found.allowed, found.edits) == (True, [("page", json.dumps({"origin": PAGE}))])
    found = ask(app, APP, credentials=True)
    assert "two sites" not in (found.fix or "")
