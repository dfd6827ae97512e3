"""In production: hosts, proxies in front, slow clients, the log, and the end."""

import json
import logging
from io import BytesIO
from threading import Semaphore

import pytest
from conftest import PAGE, PASSWORD, settings, signed_in
from crossorigin.doctor.cli import commands
from my_lab_api import create_app, serve

LOGIN = "/api/auth/login"
HELLO = "/api/public/hello"
NOBODY = {"username": "nobody", "password": PASSWORD}
HOSTS = [  # TRUSTED_HOSTS, Host, whether it is answered
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
BODIES = [  # Content-Length, the body that comes, status
    ("7", b"message", 201),
    ("9", b"message", 400),
    ("1e3", b"message", 400),
    (str(2**20 + 1), b"message", 413),
    (None, b"message", 411),
]


def client_of(database, **changes):
    return create_app(settings(database, **changes)).test_client()


@pytest.mark.parametrize(("ours", "host", "answered"), HOSTS)
def test_another_host_is_refused_but_not_to_health_checks(database, ours, host, answered):
    client = client_of(database, TRUSTED_HOSTS=ours)
    answer = client.get(HELLO, environ_overrides={"HTTP_HOST": host})
    assert answer.status_code == (200 if answered else 400)
    assert answered or answer.mimetype == "application/problem+json"
    assert client.get("/health/live", environ_overrides={"HTTP_HOST": host}).status_code == 200


def test_a_request_is_explained_whatever_hosts_are_served(database):
    app = create_app(settings(database, TRUSTED_HOSTS="lab.example"))
    said = app.test_cli_runner().invoke(commands, ["explain", "GET", HELLO, "--origin", PAGE]).output
    assert "The response is 200" in said


@pytest.mark.parametrize(("proxies", "forwarded", "address"), PROXIES)
def test_an_address_is_believed_from_as_many_proxies_as_there_are(database, caplog, proxies, forwarded, address):
    client = client_of(database, TRUSTED_PROXIES=proxies, LOGIN_LIMIT="1 per minute")
    with caplog.at_level(logging.INFO):
        first = client.post(LOGIN, json=NOBODY, headers={"X-Forwarded-For": forwarded})
    assert caplog.records[-1].request["address"] == address
    other = forwarded.replace("6.6.6.6", "7.7.7.7")  # what the client itself has sent
    second = client.post(LOGIN, json=NOBODY, headers={"X-Forwarded-For": other})
    assert [first.status_code, second.status_code] == [401, 429]


@pytest.mark.parametrize("trusted", [False, True])
def test_https_and_the_name_are_those_of_the_proxy_where_it_is_trusted(database, trusted):
    client = client_of(database, TRUSTED_PROXIES=str(int(trusted)), TRUSTED_HOSTS="localhost, lab.example")
    forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "lab.example"}
    assert ("Strict-Transport-Security" in client.get(HELLO, headers=forwarded).headers) is trusted
    assert client.post(LOGIN, json={"username": "ada", "password": PASSWORD}).status_code == 200
    answer = client.post("/api/auth/logout", headers={"Origin": "https://lab.example", **forwarded})
    assert answer.status_code == (204 if trusted else 403)
    forwarded["X-Forwarded-Host"] = "evil.example"
    assert client.get(HELLO, headers=forwarded).status_code == (400 if trusted else 200)


@pytest.mark.parametrize(("length", "body", "status"), BODIES)
def test_a_body_is_whole_or_refused(client, length, body, status):
    sent = {"CONTENT_LENGTH": length} if length else {"HTTP_TRANSFER_ENCODING": "chunked"}
    sent |= {"wsgi.input": BytesIO(body), "wsgi.input_terminated": True}
    answer = client.post("/api/public/feedback", environ_overrides=sent, content_type="text/plain")
    assert answer.status_code == status
    assert status == 201 or answer.mimetype == "application/problem+json"


def test_bodies_on_their_way_hold_up_other_bodies_and_nothing_else(app, client):
    layer = app.extensions["slow_clients"]
    layer.bodies, layer.seats = Semaphore(1), Semaphore(1)
    assert client.post(LOGIN, json={}).status_code == 422
    assert layer.seats.acquire(blocking=False)  # it was given back
    assert client.get("/health/ready").status_code == 200  # which needs none
    layer.seats.release()
    assert layer.bodies.acquire(blocking=False)
    refused = client.post(LOGIN, json={})
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
    assert client.get(HELLO).status_code == 200


def test_a_file_does_not_wait_for_its_reader(client):
    with client.get("/api/docs/swagger-ui-bundle.js") as answer:
        assert [len(piece) for piece in answer.iter_encoded()] == [answer.content_length]
        assert answer.content_length > 2**20


def test_the_log_has_the_id_in_every_record_and_no_secret(database, capsys):
    def fail():
        logging.getLogger("some.library").warning("it\nwarns")
        raise RuntimeError("it fails")

    app = create_app(settings(database, LOG_FORMAT="json"))
    app.add_url_rule("/fails", view_func=fail)
    ada = signed_in(app, "ada")
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


def test_the_server_is_not_ready_while_it_stops(app, monkeypatch):
    server = serve.Server({**app.config, "STOP_DELAY": 3600})
    assert (server.workers, server.bind_port) == (app.config["WORKERS"], app.config["PORT"])
    monkeypatch.setattr(serve, "create_app", lambda: app)
    client = serve.load(server.stopping).test_client()
    assert client.get("/health/ready").status_code == 200
    server.signal_handler_interrupt()
    assert [client.get(f"/health/{path}").status_code for path in ("ready", "live")] == [503, 200]
    assert not server.interrupt_signal
    server.signal_handler_interrupt()  # a second signal does not wait
    assert server.main_loop_interrupt.wait(10)
    assert server.interrupt_signal
