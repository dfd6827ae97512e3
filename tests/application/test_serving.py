"""Production: trusted hosts, reverse proxies, the log and the entry points."""

import json
import logging

import click
import pytest
from conftest import PAGE, PASSWORD, settings, sign_in
from crossorigin.doctor.cli import commands
from my_lab_api import create_app, create_production_app

LOGIN = "/api/auth/login"
HELLO = "/api/public/hello"
UNKNOWN_USER = {"username": "nobody", "password": PASSWORD}
HOSTS = [  # TRUSTED_HOSTS, Host, whether it is served
    ("", "any.example", True),
    ("", "my_lab:8000", True),
    ("", "[::1]:8000", True),
    ("", "", False),
    ("", "one.example,two.example", False),
    ("", "me:secret@lab.example", False),
    ("Lab.example, other.example", "lab.example", True),
    ("lab.example", "LAB.example:8443", True),
    ("lab.example", "evil.example", False),
    ("lab.example", "a.lab.example", False),
    ("lab.example", "lab.example.evil.example", False),
    (".lab.example", "a.lab.example", True),
]
PROXIES = [  # TRUSTED_PROXIES, X-Forwarded-For, the client's address
    ("0", "6.6.6.6", "127.0.0.1"),
    ("1", "1.2.3.4", "1.2.3.4"),
    ("1", "6.6.6.6, 1.2.3.4", "1.2.3.4"),
    ("2", "6.6.6.6, 1.2.3.4, 5.6.7.8", "1.2.3.4"),
    ("2", "6.6.6.6", "127.0.0.1"),
]


def create_client(database, **changes):
    return create_app(settings(database, **changes)).test_client()


@pytest.mark.parametrize(("trusted_hosts", "host", "accepted"), HOSTS)
def test_an_untrusted_host_is_refused_except_for_health_checks(database, trusted_hosts, host, accepted):
    client = create_client(database, TRUSTED_HOSTS=trusted_hosts)
    answer = client.get(HELLO, environ_overrides={"HTTP_HOST": host})
    assert answer.status_code == (200 if accepted else 400)
    assert accepted or answer.mimetype == "application/problem+json"
    assert client.get("/health/live", environ_overrides={"HTTP_HOST": host}).status_code == 200


def test_explain_works_with_any_trusted_hosts(database):
    app = create_app(settings(database, TRUSTED_HOSTS="lab.example"))
    said = app.test_cli_runner().invoke(commands, ["explain", "GET", HELLO, "--origin", PAGE]).output
    assert "The response is 200" in said


@pytest.mark.parametrize(("proxies", "forwarded", "address"), PROXIES)
def test_the_client_address_comes_from_the_number_of_trusted_proxies(database, caplog, proxies, forwarded, address):
    client = create_client(database, TRUSTED_PROXIES=proxies, LOGIN_LIMIT="1 per minute")
    with caplog.at_level(logging.INFO):
        first = client.post(LOGIN, json=UNKNOWN_USER, headers={"X-Forwarded-For": forwarded})
    assert caplog.records[-1].request["address"] == address
    other = forwarded.replace("6.6.6.6", "7.7.7.7")  # sent by the client itself
    second = client.post(LOGIN, json=UNKNOWN_USER, headers={"X-Forwarded-For": other})
    assert [first.status_code, second.status_code] == [401, 429]


@pytest.mark.parametrize("trusted", [False, True])
def test_scheme_and_host_come_from_a_trusted_proxy(database, trusted):
    client = create_client(database, TRUSTED_PROXIES=str(int(trusted)), TRUSTED_HOSTS="localhost, lab.example")
    forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "lab.example"}
    assert ("Strict-Transport-Security" in client.get(HELLO, headers=forwarded).headers) is trusted
    assert client.post(LOGIN, json={"username": "ada", "password": PASSWORD}).status_code == 200
    answer = client.post("/api/auth/logout", headers={"Origin": "https://lab.example", **forwarded})
    assert answer.status_code == (204 if trusted else 403)
    forwarded["X-Forwarded-Host"] = "evil.example"
    assert client.get(HELLO, headers=forwarded).status_code == (400 if trusted else 200)


def test_every_log_record_has_the_request_id_and_none_has_a_secret(database, capsys):
    def fail():
        logging.getLogger("some.library").warning("it\nwarns")
        raise RuntimeError("it fails")

    app = create_app(settings(database, LOG_FORMAT="json"))
    app.add_url_rule("/fails", view_func=fail)
    ada = sign_in(app, "ada")
    ada.post(LOGIN, json={"username": "ada", "password": PASSWORD + "!"})
    ada.get("/fails?token=" + PASSWORD, headers={"X-Request-ID": "of-the-proxy"})
    said = capsys.readouterr().err
    lines = [json.loads(line) for line in said.splitlines()]
    assert all(line["request_id"] for line in lines)
    assert [line["logger"] for line in lines if line["request_id"] == "of-the-proxy"] == [
        "some.library",
        app.name,
        f"{app.name}.logs",
    ]
    cookie = ada.get_cookie(app.config["SESSION_COOKIE_NAME"]).value
    with ada.session_transaction() as session:
        secrets = [PASSWORD, cookie, session["key"], app.secret_key]
    assert [secret for secret in secrets if secret in said] == []


@pytest.mark.parametrize("env", ["development", "production"])
def test_wsgi_and_the_module_refuse_development(database, monkeypatch, env):
    given = settings(database, APP_ENV=env, SECRET_KEY="0123456789abcdef" * 2, FRONTEND_ORIGINS="none")
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    if env == "production":
        assert create_production_app().config["SESSION_COOKIE_SECURE"]
        return
    with pytest.raises(click.ClickException, match="APP_ENV=production and FRONTEND_ORIGINS=https"):
        create_production_app()


@pytest.mark.parametrize(("docs", "status"), [("", 404), ("0", 404), ("1", 200)])
def test_production_serves_the_documentation_only_with_docs(database, docs, status):
    production = {"APP_ENV": "production", "SECRET_KEY": "0123456789abcdef" * 2, "FRONTEND_ORIGINS": "none"}
    assert create_client(database, **production, DOCS=docs).get("/api/docs").status_code == status
