"""Explanations follow the browser's steps and name the line to change."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from crossorigin import Hints
from crossorigin.declare import get_policies
from crossorigin.doctor.trace import Explanation, build_request, explain
from flask import Blueprint

from scripts.blocked_by_cors import HINTS, Scripted
from scripts.blocked_by_cors import lab as policy_app
from tests.crossorigin.cases import APP, PAGE, lab, start

API, ELSEWHERE = "http://localhost", "https://api.example.org"
FINE = f"Origin: {PAGE} | Credentials: true"
LISTS = f"204 | {FINE} | Methods: PUT | Headers: Authorization, Content-Type"


def explain_scripted(
    *answers: str, method: str = "GET", headers: Any = (), origin: str = PAGE, **more: Any
) -> Explanation:
    asks = build_request(method, f"{API}/lab/1", origin, headers, more.get("credentials", False))
    return explain(asks, Scripted(*answers), start(lab(), hints=Hints(api_url=API)))


def test_the_object_has_exactly_these_keys() -> None:
    found = json.loads(json.dumps(explain_scripted(f"200 | {FINE} | X-Lab: 1 | ETag: 2 | Expires: 0").as_dict()))
    steps = found.pop("steps")
    assert {key for step in steps for key in step} == {"step", "ok", "detail"}
    assert all(step["ok"] for step in steps)
    assert "etag, x-lab" in steps[-1]["detail"]
    assert "add it to expose_headers of the policy (tests/crossorigin/cases.py:" in steps[-1]["detail"]
    assert found == {
        "allowed": True,
        "preflighted": False,
        "status": 200,
        "answered_by": "app",
        "reason": None,
        "fix": None,
        "edits": [],
        "readable_headers": ["expires"],
        "cookies_sent": None,
    }


REDIRECTS = {  # the status, the target, what is sent next, and what is not sent again
    "PUT is GET and has no type after 303": (303, "/x", "GET /x", "Content-Type"),
    "PUT stays PUT after 302": (302, "/x?a=b", "PUT /x?a=b", "Origin: null"),
    "POST is GET after 301": (301, "x", "GET /lab/x", "Content-Type"),
    "the origin is null after a second origin": (307, f"{ELSEWHERE}/x", "Origin: null", "Authorization"),
    "the origin is null even at its own origin": (307, f"{PAGE}/x", "Origin: null", "Authorization"),
}


@pytest.mark.parametrize(("status", "to", "sent", "gone"), REDIRECTS.values(), ids=REDIRECTS)
def test_after_a_redirect(status: int, to: str, sent: str, gone: str) -> None:
    second = LISTS.replace(PAGE, "null") if "://" in to else LISTS
    headers = [("Authorization", "a"), ("Content-Type", "application/json")]
    method = "POST" if status == 301 else "PUT"
    found = explain_scripted(
        LISTS, f"{status} | {FINE} | Location: {to}", second, second, method=method, headers=headers
    )
    last = [step.detail for step in found.steps if step.step.startswith("The browser sends")][-1]
    assert (found.allowed, sent in last.splitlines(), gone in last) == (True, True, False)


def test_a_redirect_from_the_same_origin_keeps_the_origin_of_the_page() -> None:
    asks = build_request("GET", f"{PAGE}/x", PAGE)
    found = explain(asks, Scripted(f"302 | Location: {API}/lab", f"200 | {FINE}"), start(lab()))
    assert found.allowed
    assert f"Origin: {PAGE}" in found.steps[-4].detail
    assert "Origin" not in found.steps[1].detail


def test_a_redirect_to_another_origin_must_not_have_a_user_name() -> None:
    found = explain_scripted(f"302 | {FINE} | Location: https://me@api.example.org/x")
    assert (found.allowed, found.reason) == (False, "CORSDidNotSucceed")
    assert "user name" in found.steps[-1].detail


def test_removed_headers_and_methods_in_lower_case_are_reported() -> None:
    headers = [("Cookie", "a=b"), ("X-HTTP-Method", "TRACE"), ("Accept", "*/*")]
    found = explain_scripted(LISTS, method="patch", headers=headers)
    assert "changes only DELETE, GET" in found.steps[0].detail
    assert found.steps[1].detail == "Removed by the browser: Cookie, X-HTTP-Method."


def test_an_https_page_gets_a_note_about_the_permission_and_is_allowed() -> None:
    found = explain_scripted(f"200 | Origin: {APP}", origin=APP)
    assert found.allowed
    assert "Chromium asks the visitor" in found.steps[2].detail


def test_the_cookie_of_a_secure_api_needs_https() -> None:
    app = start(lab(), SESSION_COOKIE_SECURE=True)
    policies = get_policies(app)
    policies.hints = replace(HINTS, api_url="http://api.example.com")
    asks = build_request("GET", "http://api.example.com/lab", "http://app.example.com", credentials=True)
    answer = "200 | Origin: http://app.example.com | Credentials: true"
    found = explain(asks, Scripted(answer), app)
    assert (found.allowed, found.cookies_sent) == (True, False)
    assert "https" in (found.fix or "")
    policies.hints = replace(HINTS, api_url=None)
    asks = build_request("GET", "http://localhost:5000/lab", "http://127.0.0.1:5173", credentials=True)
    answer = "200 | Origin: http://127.0.0.1:5173 | Credentials: true"
    assert ".env: API_URL=" in (explain(asks, Scripted(answer), app).fix or "")


FIXES = {  # the policy, the hints, the request of a page, the responses, and the fix
    "a view without a blueprint": ({}, {}, {"path": "/free"}, "200", "the view 'free' into a blueprint"),
    "a blueprint without a policy": (
        {},
        {},
        {"path": "/closed"},
        "200",
        f'test_trace.py: from crossorigin import cors; cors(closed, origins=["{PAGE}"], credentials=True), and set url',
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
    "cookies without a policy": ({}, {}, {"path": "/free"}, "200 | Origin: *", "remove what writes"),
    "no path like it": ({}, {}, {"path": "/~~~~~~"}, "404", "no route or policy has the path /~~~~~~"),
    "origins in a list": ({"origins": [APP]}, {}, {}, "200", f'lab.py:7: origins=["{APP}", "{PAGE}"]'),
    "no page at all": ({"origins": []}, {"one_origin": True}, {}, "200", f"and .env: VITE_API_URL={API}"),
    "methods in a list": (
        {"methods": ["PUT"]},
        {},
        {"method": "LOCK"},
        LISTS,
        'lab.py:7: methods=["PUT", "LOCK"]',
    ),
    "OPTIONS, which every route has": (
        {},
        {},
        {"method": "OPTIONS"},
        LISTS,
        'lab.py:7: methods=["GET", "HEAD", "POST", "PUT", "OPTIONS"]',
    ),
    "any page, and cookies": (
        {"origins": ["*"], "credentials": False},
        {},
        {},
        "200 | Origin: *",
        "credentials=True, origins=[…]",
    ),
    "a name above a pattern": (
        {"origins": ["https://*.localhost:5173"]},
        {},
        {"origin": "https://localhost:5173", "credentials": False},
        "200",
        "(https://*.localhost:5173 is allowed. Yours differs in the host)",
    ),
    "a bare 502": ({}, {}, {}, "502", "(Server: none)"),
}


@pytest.mark.parametrize(("policy", "hints", "asks", "answers", "fix"), FIXES.values(), ids=FIXES)
def test_the_fix_is(policy: Any, hints: Any, asks: Any, answers: str, fix: str) -> None:
    app = policy_app(**policy)
    get_policies(app).hints = replace(HINTS, **{"api_url": API, **hints})
    closed = Blueprint("closed", __name__)
    closed.add_url_rule("/closed", view_func=str)
    closed.add_url_rule("/closed/", "folder", view_func=str, methods=["PUT"])
    app.register_blueprint(closed)
    app.add_url_rule("/free", "free", str)
    given = {"method": "GET", "origin": PAGE, "credentials": True, **asks}
    asked = build_request(url=API + given.pop("path", "/api/lab"), **given)
    assert fix in (explain(asked, Scripted(answers), app).fix or "")


INVALID = {  # what browsers refuse, and a part of the message
    "a method": ({"method": "GE T"}, "write for example PUT"),
    "a pattern": ({"origin": "http://localhost:*"}, "write the origin of one page"),
    "an origin with a slash": ({"origin": f"{PAGE}/"}, f"write {PAGE!r}"),
    "a header's name": ({"headers": [("X Lab", "1")]}, "write a name without spaces"),
    "a header's value": ({"headers": [("X-Lab", "\n")]}, "write one line"),
    **{
        url: ({"url": url}, "is not a URL")
        for url in ("/x", "ftp://a", "http://", "http://a:x", "http://me@a", "http://a b", "http://[")
    },
    "an empty label": ({"url": "http://a..example.com"}, "is not a URL"),
    "a long label": ({"url": f"http://{'a' * 64}.example.com"}, "is not a URL"),
}


@pytest.mark.parametrize(("changes", "message"), INVALID.values(), ids=INVALID)
def test_an_invalid_request_is_refused(changes: Any, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        build_request(**{"method": "GET", "url": API, "origin": PAGE, **changes})


def test_a_url_is_written_as_browsers_send_it() -> None:
    assert (
        build_request("GET", "http://LocalHost:1/a b/é?q=ü#top", "null").url
        == "http://localhost:1/a%20b/%C3%A9?q=%C3%BC"
    )


PATHS = {"/lab/../x": "/x", "/lab/%2E%2e/x/.": "/x/", "/..": "/", "/a/..": "/", "/lab\\x": "/lab/x"}


@pytest.mark.parametrize(("path", "sent"), PATHS.items())
def test_dots_are_removed_before_a_policy_is_found(path: str, sent: str) -> None:
    assert build_request("GET", f"{API}{path}", "null").url == f"{API}{sent}"


@pytest.mark.parametrize("location", ["http://[", "http://a:x/", "http://..:1/"])
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_a_redirect_to_an_invalid_url_is_reported(location: str, method: str) -> None:
    found = explain_scripted(f"302 | {FINE} | Location: {location}", method=method)
    assert (found.allowed, found.steps[-1].ok) == (False, False)
