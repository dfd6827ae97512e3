"""CORS of the application: real errors, `flask cors` and the endpoint of development."""

import json
import logging
import os
import re
import subprocess
import sys

import pytest
from conftest import FRONTEND_ORIGINS, PAGE, settings
from crossorigin import get_policies
from crossorigin.doctor.cli import commands
from crossorigin.doctor.trace import build_request, explain
from crossorigin.doctor.transport import AppTransport
from crossorigin.dry_run import dry_run
from flask import Flask, abort
from flask.logging import default_handler
from my_lab_api import create_app

APP, API = "https://app.example.com", "http://localhost:8000"
PREFLIGHT_HEADERS = {"Access-Control-Request-Method": "PUT"}
STATUSES = [200, 400, 401, 403, 404, 405, 413, 415, 422, 429, 500]


def run_flask(app, *words):
    result = app.test_cli_runner().invoke(commands, words)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def assert_readable(response, policy):
    """Assert that the CORS headers allow what the policy allows for PAGE."""
    assert response.headers.getlist("Access-Control-Allow-Origin") == [policy.allow_origin(PAGE)]
    assert ("Access-Control-Allow-Credentials" in response.headers) is policy.credentials
    assert ("Origin" in response.headers.get("Vary", "")) is not policy.any_origin


@pytest.fixture
def debug_app(database, monkeypatch):
    """The application in debug mode, where Flask shows a traceback instead of a 500."""
    monkeypatch.setenv("FLASK_DEBUG", "1")
    changes = {"FRONTEND_ORIGINS": f"{PAGE}, {APP}", "LOGIN_ACCOUNT_LIMIT": "1 per minute"}
    return create_app(settings(database, **changes))


def find_policy(app, path):
    policies = [p for p in get_policies(app).built if path.startswith(f"{p.prefix}/") or path == p.prefix]
    return max(policies, key=lambda policy: len(policy.prefix))


ERRORS = [
    (401, "POST", "/api/auth/login", {"json": {"username": "nobody", "password": "wrong"}}),
    (429, "POST", "/api/auth/login", {"json": {"username": "nobody", "password": "wrong"}}),
    (413, "POST", "/api/public/echo", {"data": b" " * 2**21, "content_type": "application/json"}),
    (415, "POST", "/api/public/echo", {"data": "text"}),
    (422, "POST", "/api/public/echo", {"json": {}}),
    (400, "POST", "/api/public/echo", {"data": "{", "content_type": "application/json"}),
    (404, "GET", "/api/public//hello", {}),
    (404, "HEAD", "/api/auth/no/such", {}),
    (405, "DELETE", "/api/auth/me", {}),
    (401, "GET", "/api/notes", {}),
]


def test_the_real_errors_are_readable(debug_app: Flask) -> None:
    for status, method, path, body in ERRORS:
        response = debug_app.test_client().open(path, method=method, headers={"Origin": PAGE}, **body)
        assert response.status_code == status, path
        assert_readable(response, find_policy(debug_app, path))


@pytest.mark.parametrize("origin", [PAGE, APP, "https://evil.example", None])
def test_every_status_of_every_view_has_the_headers_of_its_policy(debug_app: Flask, origin: str | None) -> None:
    def answer(status: int) -> str:
        if status == 500:
            raise RuntimeError("provoked")
        return abort(status) if status >= 400 else "fine"

    views = {
        rule.endpoint: rule for rule in debug_app.url_map.iter_rules() if not rule.arguments and "GET" in rule.methods
    }
    headers = {"Origin": origin} if origin else {}
    for status in STATUSES:
        for endpoint, rule in views.items():
            debug_app.view_functions[endpoint] = lambda status=status: answer(status)
            response = debug_app.test_client().get(rule.rule, headers=headers)
            name = endpoint.rpartition(".")[0]
            policy = next((p for p in get_policies(debug_app).built if p.blueprint == name), None)
            allowed = policy and policy.allow_origin(origin or "")
            assert response.headers.getlist("Access-Control-Allow-Origin") == ([allowed] if allowed else []), rule
            assert ("Origin" in response.headers.get("Vary", "")) is bool(policy and not policy.any_origin), rule


def test_a_page_can_read_the_refusal_of_an_untrusted_host(database: str) -> None:
    app = create_app(settings(database, TRUSTED_HOSTS="lab.example", FRONTEND_ORIGINS=PAGE))
    for method, status in (("GET", 400), ("OPTIONS", 204)):
        headers = {"Host": "other.example", "Origin": PAGE, **PREFLIGHT_HEADERS}
        response = app.test_client().open("/api/auth/me", method=method, headers=headers)
        assert response.status_code == status
        assert response.headers["Access-Control-Allow-Origin"] == PAGE


def test_explain_does_not_count_for_rate_limits_and_writes_no_log(database: str) -> None:
    app = create_app(settings(database, LOGIN_LIMIT="1 per minute"))
    asks = build_request("POST", "http://localhost:8000/api/auth/login", "http://localhost:8000")
    record = logging.makeLogRecord({})
    assert [explain(asks, AppTransport(app, asks.origin, run_views=False), app).status for _ in range(3)] == [None] * 3
    wrong = app.test_client().post("/api/auth/login", json={"username": "ada", "password": "x"})
    assert wrong.status_code == 401
    assert default_handler.filter(record)
    with dry_run():
        assert not default_handler.filter(record)


def test_list_shows_the_policies_of_the_project(app: Flask) -> None:
    code, said = run_flask(app, "list")
    assert code == 0
    for words in (f"FRONTEND_ORIGINS → {FRONTEND_ORIGINS}", "auth.py:", "notes.py:", "public.py:"):
        assert words in said


def test_check_finds_no_problem_in_the_project(app: Flask) -> None:
    assert run_flask(app, "check")[0] == 0
    assert json.loads(run_flask(app, "check", "--json")[1]) == {"ok": True, "problems": [], "notes": []}


def test_with_one_origin_explain_sends_a_path_to_the_origin_of_the_page(database: str) -> None:
    app = create_app(settings(database, FRONTEND_ORIGINS="none"))
    code, said = run_flask(app, "explain", "PUT", "/api/notes/1", "--origin", PAGE, "--credentials")
    assert (code, f"PUT {PAGE}/api/notes/1" in said) == (0, True)
    assert run_flask(app, "explain", "PUT", "/api/notes/1", "--origin", APP)[0] == 1


def test_check_reports_a_failed_start_as_json() -> None:
    unsafe = {**os.environ, "APP_ENV": "development", "SECRET_KEY": "only-for-tests", "FRONTEND_ORIGINS": "null"}
    command = [sys.executable, "-m", "flask", "--app", create_app.__module__, "cors", "check", "--json"]
    run = subprocess.run(command, env=unsafe, text=True, capture_output=True, timeout=30, check=False)
    assert (run.returncode, run.stderr) == (1, "")
    assert "serve the page from http://localhost" in str(json.loads(run.stdout)["problems"])


def request_explanation(client, base="http://localhost", **changes):
    asks = {"method": "GET", "url": "http://localhost/api/auth/me", "origin": "http://localhost", **changes}
    given = {name: value for name, value in asks.items() if value is not None}
    return client.post("/api/dev/explain", base_url=base, json=given)


def test_a_page_gets_the_explanation_of_its_request(client) -> None:
    found = request_explanation(client, credentials=True, url="http://localhost/api/auth/nowhere").json
    assert (found["allowed"], found["status"], found["cookies_sent"]) == (True, 404, True)
    blocked = request_explanation(
        client, origin="http://127.0.0.1:5173", headers={"X-Lab": "1"}, url="http://127.0.0.1/api/auth/me"
    ).json
    assert (blocked["allowed"], blocked["preflighted"]) == (False, True)
    assert "http://localhost:5173" in (blocked["fix"])
    pairs = request_explanation(client, headers=[["A", "1"], ["A", "2"]], url=f"{API}/api/x", origin=API)
    assert pairs.json["status"] == 404


def test_the_endpoint_runs_no_view_and_sends_nothing_to_other_servers(app: Flask) -> None:
    app.view_functions["public.say_hello"] = lambda: pytest.fail("the view has run")
    found = request_explanation(app.test_client(), url="http://localhost/api/public/hello").json
    assert (found["allowed"], found["status"]) == (True, None)
    found = request_explanation(app.test_client(), url="https://api.example.org/").json
    assert (found["allowed"], found["reason"]) == (False, None)
    assert "https://api.example.org/ is not this API" in found["steps"][-1]["detail"]


INVALID_REQUESTS = [
    {"method": None},
    {"url": "/x"},
    {"url": "http://a/" + "x" * 5000},
    {"origin": "localhost"},
    {"other": 1},
]
INVALID_REQUESTS += [
    {"headers": value} for value in ("X-Lab", [["X-Lab"]], {"X-Lab": 1}, {"X Lab": "1"}, {"A": "x" * 10000})
]
INVALID_REQUESTS += [{"headers": [["A", "b"]] * 101}, {"credentials": "yes"}, {"method": "x" * 33}]


@pytest.mark.parametrize("changes", INVALID_REQUESTS, ids=lambda changes: str(changes)[:40])
def test_an_invalid_request_is_a_422(client, changes) -> None:
    assert request_explanation(client, **changes).status_code == 422


def test_the_endpoint_is_open_to_every_page_in_development_and_absent_in_production(app: Flask, database: str) -> None:
    answer = app.test_client().post("/api/dev/explain", json={}, headers={"Origin": "http://127.0.0.1:5173"})
    assert (answer.status_code, answer.headers.get("Access-Control-Allow-Origin")) == (422, "*")
    assert "Access-Control-Allow-Credentials" not in answer.headers
    safe = settings(database, APP_ENV="production", SECRET_KEY="0123456789abcdef" * 4, FRONTEND_ORIGINS=APP)
    assert create_app(safe).test_client().post("/api/dev/explain", json={}).status_code == 404


@pytest.mark.parametrize(("path", "method", "status"), [("/api/auth/me", "GET", 204), ("/health/live", "GET", 403)])
def test_the_answer_to_a_preflight_has_a_request_id(database, path, method, status):
    client = create_app(settings(database, FRONTEND_ORIGINS=PAGE)).test_client()
    asks = {"Origin": PAGE, "Access-Control-Request-Method": method}
    answer = client.options(path, headers={**asks, "X-Request-ID": "seven"})
    assert (answer.status_code, answer.headers["X-Request-ID"]) == (status, "seven")
    invalid = client.options(path, headers={**asks, "X-Request-ID": "a b"})
    assert re.fullmatch("[0-9a-f]{32}", invalid.headers["X-Request-ID"])


def test_a_response_for_every_origin_has_the_resource_policy_cross_origin(client):
    for path, policy in (("/api/public/hello", "cross-origin"), ("/api/auth/me", "same-origin")):
        assert client.get(path).headers["Cross-Origin-Resource-Policy"] == policy
