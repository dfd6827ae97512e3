"""Errors: each response is problem+json (RFC 9457) without internal details."""

import json
import logging

import pytest
from conftest import PASSWORD
from sqlalchemy import event, exc
from sqlalchemy.orm import Session

from {{ cookiecutter.__package }} import create_app

LOGIN = "/api/auth/login"
ADA = {"username": "ada", "password": PASSWORD}


@pytest.fixture
def failing_client(settings):
    """Return a client of an application that has a view with a bug."""
    app = create_app(settings)

    def fail():
        raise RuntimeError("the password of the database is tiger")

    app.add_url_rule("/fails", view_func=fail)
    return app.test_client()


def assert_problem(response, status):
    assert response.status_code == status
    assert response.mimetype == "application/problem+json"
    assert {"type", "title", "status", "detail", "instance"} <= set(response.json)
    assert response.json["status"] == status


def test_a_body_that_is_not_json_is_400(client):
    assert_problem(client.post(LOGIN, data="{", content_type="application/json"), 400)


def test_a_request_without_a_sign_in_is_401(client):
    assert_problem(client.get("/api/auth/me"), 401)


def test_an_unknown_path_is_404(client):
    response = client.get("/no/such/path")
    assert_problem(response, 404)
    assert response.json["instance"] == "/no/such/path"


def test_a_method_without_a_route_is_405(client):
    response = client.get(LOGIN)
    assert_problem(response, 405)
    assert "POST" in response.headers["Allow"]


def test_a_body_that_is_too_large_is_413(app, client):
    large = b" " * (1 + app.config["MAX_CONTENT_LENGTH"])
    assert_problem(client.post(LOGIN, data=large, content_type="application/json"), 413)


def test_a_body_without_the_json_content_type_is_415(client):
    assert_problem(client.post(LOGIN, data="{}", content_type="text/plain"), 415)


def test_a_compressed_body_is_415(client):
    assert_problem(client.post(LOGIN, json=ADA, headers={"Content-Encoding": "gzip"}), 415)


def test_invalid_fields_are_422_and_listed_by_name(client):
    response = client.post(LOGIN, json={"username": 1, "password": "x"})
    assert_problem(response, 422)
    assert list(response.json["errors"]["json"]) == ["username"]


def test_a_bug_is_500_and_only_the_log_has_its_reason(failing_client, caplog):
    response = failing_client.get("/fails")
    assert_problem(response, 500)
    assert "tiger" not in response.text
    assert "tiger" in caplog.text


def test_the_response_to_a_bug_has_the_request_id_of_the_log(failing_client):
    response = failing_client.get("/fails")
    assert response.headers["X-Request-ID"] in response.json["detail"]


def test_a_database_error_is_503_and_the_next_request_succeeds(client):
    def fail(*_):
        raise exc.OperationalError("INSERT INTO login_session", {}, RuntimeError("tiger"))

    event.listen(Session, "after_flush", fail, once=True)
    response = client.post(LOGIN, json=ADA)
    assert_problem(response, 503)
    assert "tiger" not in response.text
    assert client.post(LOGIN, json=ADA).status_code == 200


def test_every_response_has_security_headers(client):
    headers = client.get("/no/such/path").headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_hsts_is_sent_on_https_only(client):
    assert "Strict-Transport-Security" not in client.get("/api/auth/me").headers
    response = client.get("/api/auth/me", base_url="https://localhost")
    assert "Strict-Transport-Security" in response.headers


def test_an_untrusted_host_is_refused(settings):
    client = create_app(settings | {"TRUSTED_HOSTS": "lab.example"}).test_client()
    assert client.get("/api/auth/me", base_url="http://lab.example").status_code == 401
    assert_problem(client.get("/api/auth/me", base_url="http://evil.example"), 400)


def test_an_invalid_host_is_refused(client):
    assert_problem(client.get("/api/auth/me", environ_overrides={"HTTP_HOST": "a b"}), 400)


def test_the_client_address_comes_from_a_trusted_proxy(settings):
    client = create_app(settings | {"TRUSTED_PROXIES": "1", "LOGIN_LIMIT": "1 per minute"}).test_client()
    for address, status in (("192.0.2.1", 200), ("192.0.2.1", 429), ("192.0.2.2", 200)):
        response = client.post(LOGIN, json=ADA, headers={"X-Forwarded-For": address})
        assert response.status_code == status


def test_the_response_repeats_the_request_id_of_a_proxy(client):
    response = client.get("/api/auth/me", headers={"X-Request-ID": "of-the-proxy"})
    assert response.headers["X-Request-ID"] == "of-the-proxy"


def test_each_request_writes_a_log_line(client, caplog):
    caplog.set_level(logging.INFO)
    response = client.get("/no/such/path")
    line = caplog.messages[-1]
    assert "GET /no/such/path 404" in line
    assert response.headers["X-Request-ID"] in line


def test_the_log_format_can_be_json(settings, capsys):
    client = create_app(settings | {"LOG_FORMAT": "json"}).test_client()
    response = client.get("/no/such/path")
    line = json.loads(capsys.readouterr().err.splitlines()[-1])
    assert (line["path"], line["status"]) == ("/no/such/path", 404)
    assert line["request_id"] == response.headers["X-Request-ID"]
