"""Errors, request ids, the log and the security headers of every response."""

import json
import logging
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from conftest import PASSWORD, settings
from flask.logging import default_handler
from my_lab_api import create_app
from my_lab_api.extensions import db
from sqlalchemy import event, exc
from sqlalchemy.orm import Session

LOGIN = "/api/auth/login"
HARDENED = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "private, no-cache",
}
ERRORS = [
    (400, "POST", LOGIN, {"data": "{", "content_type": "application/json"}),
    (404, "GET", "/nowhere", {}),
    (405, "GET", LOGIN, {}),
    (413, "POST", LOGIN, {"json": {"username": "x" * 200_000}}),
    (415, "POST", LOGIN, {"data": "{}", "content_type": "text/plain"}),
    (422, "POST", LOGIN, {"json": {}}),
    (429, "POST", LOGIN, {"json": {"username": "ada", "password": "x"}}),
    (500, "GET", "/fails", {}),
]


def create_client(database, **changes):
    def fail():
        raise RuntimeError("the password of the database is tiger")

    app = create_app(settings(database, LOGIN_ACCOUNT_LIMIT="1 per minute", **changes))
    app.add_url_rule("/fails", view_func=fail)
    return app.test_client()


@pytest.mark.parametrize(("status", "method", "path", "sent"), ERRORS, ids=[row[0] for row in ERRORS])
def test_every_error_is_a_problem_with_security_headers(database, status, method, path, sent):
    client = create_client(database)
    answer = client.open(path, method=method, **sent)
    if status == 429:  # the first request is within the limit
        answer = client.open(path, method=method, **sent)
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    members = {"type", "title", "status", "detail", "instance"} | ({"errors"} if status == 422 else set())
    assert set(answer.json) == members
    assert (answer.json["status"], answer.json["instance"]) == (status, path)
    assert set(answer.allow) == ({"OPTIONS", "POST"} if status == 405 else set())
    assert ("Retry-After" in answer.headers) is (status == 429)
    assert HARDENED.items() <= dict(answer.headers).items()


@pytest.mark.parametrize("name", ["OperationalError", "InterfaceError", "InternalError", "TimeoutError"])
def test_a_database_error_is_503_and_the_next_request_succeeds(client, name):
    error = getattr(exc, name)("INSERT INTO login_session", {}, RuntimeError("tiger"))

    def fail(*_):
        raise error

    event.listen(Session, "after_flush", fail, once=True)
    ada = {"username": "ada", "password": PASSWORD}
    answer = client.post(LOGIN, json=ada)
    assert (answer.status_code, answer.mimetype) == (503, "application/problem+json")
    assert "tiger" not in answer.text
    assert client.get("/api/auth/me").status_code == 401
    assert client.post(LOGIN, json=ada).status_code == 200


def test_a_database_error_after_the_view_does_not_lose_the_response(app, ada, monkeypatch):
    with app.app_context():
        dialect = db.engine.dialect

    def fail(*_):
        raise dialect.loaded_dbapi.OperationalError("gone")

    with monkeypatch.context() as patch:
        patch.setattr(dialect, "do_rollback", fail)
        assert ada.get("/api/auth/me").status_code == 200
    assert ada.get("/api/auth/me").status_code == 200


def test_hsts_is_sent_with_https_only(client):
    for scheme in ("http", "https"):
        answer = client.get("/api/auth/me", base_url=f"{scheme}://localhost")
        assert ("Strict-Transport-Security" in answer.headers) is (scheme == "https")


@pytest.mark.parametrize("log_format", ["plain", "json"])
def test_the_log_has_the_request_and_the_cause_of_an_error(database, caplog, log_format):
    client = create_client(database, LOG_FORMAT=log_format)
    with caplog.at_level(logging.INFO):
        answer = client.get("/nowhere%0A12:00:00%20INFO%20forged")
        failure = client.get("/fails")
    line, why, _ = (default_handler.format(record) for record in caplog.records)
    facts = {"method": "GET", "status": 404, "path": "/nowhere%0A12%3A00%3A00%20INFO%20forged"}
    facts["request_id"] = answer.headers["X-Request-ID"]
    assert all(str(fact) in line for fact in facts.values())
    assert "\n" not in line
    assert "tiger" in why
    assert "tiger" not in failure.text + str(failure.headers)
    assert failure.headers["X-Request-ID"] in failure.json["detail"]
    if log_format == "json":
        assert facts.items() <= json.loads(line).items()
        assert datetime.fromisoformat(json.loads(line)["time"]).tzinfo == UTC
        assert "tiger" in json.loads(why)["exception"]


def test_a_same_origin_request_is_not_logged_as_cross_origin(client, caplog):
    for origin, host, own in (
        ("https://lab.example", "lab.example", True),
        ("http://localhost:5173", "localhost:5173", True),
        ("http://localhost:5174", "localhost:5173", False),
    ):
        caplog.clear()
        with caplog.at_level(logging.INFO):
            client.post("/api/auth/logout", headers={"Origin": origin, "Host": host})
        assert ("not cross-origin" in caplog.text) is own, origin
    # Sec-Fetch-Site decides if the browser sends it, because a proxy can change the host or the scheme
    for site, origin in (("same-origin", "https://name-5173.app.github.dev"), ("cross-site", "http://localhost")):
        caplog.clear()
        with caplog.at_level(logging.INFO):
            client.post("/api/auth/logout", headers={"Origin": origin, "Sec-Fetch-Site": site})
        assert ("not cross-origin" in caplog.text) is (site == "same-origin")


def test_a_valid_request_id_is_kept_and_an_invalid_one_replaced(client):
    for given in ("a", "x" * 64, "0af7651916cd43dd-8448_eb.211c"):
        assert client.get("/nowhere", headers={"X-Request-ID": given}).headers["X-Request-ID"] == given
    for given in ("", "x" * 65, "a b", "a\n", "a\nb", "a\r\nSet-Cookie: b=c", "ä"):
        answer = client.get("/nowhere", environ_overrides={"HTTP_X_REQUEST_ID": given})
        assert len(answer.headers["X-Request-ID"]) == 32, given


def test_unusual_types_are_serialized_as_json(app):
    app.add_url_rule("/keys", view_func=lambda: {"errors": {0: ["no"]}, "price": Decimal("1.5")})
    assert app.test_client().get("/keys").json == {"errors": {"0": ["no"]}, "price": "1.5"}
