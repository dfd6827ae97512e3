"""Requests in process, where nothing may change, and over the network."""

import http.client
import socket
import ssl
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from crossorigin.doctor.trace import Explanation, build_request, explain
from crossorigin.doctor.transport import AppTransport, HttpTransport, build_browser_headers, describe_network_error
from crossorigin.rules import SAFELISTED_METHODS
from flask import Blueprint, Flask, abort, redirect, request
from werkzeug.serving import make_server

from scripts.blocked_by_cors import Scripted
from tests.crossorigin.cases import APP, PAGE, lab, start

API, ELSEWHERE = "http://localhost", "https://api.example.org"

ran: list[str] = []


@pytest.fixture(scope="module")
def site() -> Flask:
    """An application that records which views have run."""
    blueprint, closed = lab(credentials=True), Blueprint("closed", __name__, url_prefix="/closed")
    blueprint.add_url_rule("/thing", "thing", lambda: ran.append(request.method) or "", methods=["GET", "PUT"])
    blueprint.add_url_rule("/moved", "moved", lambda: redirect(f"{ELSEWHERE}/x"))
    blueprint.add_url_rule("/folder/", "folder", str)
    blueprint.before_request(lambda: abort(401) if "sign-in" in request.args else None)
    closed.before_request(lambda: {}["nothing"])
    closed.add_url_rule("/", "closed", str, methods=["DELETE"])
    app = start(blueprint, closed, API_URL=API)
    app.get("/free")(str)
    return app


def explain_in_process(
    site: Flask, method: str, path: str, origin: str = API, views: bool = True, **more: Any
) -> Explanation:
    ran.clear()
    return explain(build_request(method, API + path, origin, **more), AppTransport(site, API, run_views=views), site)


IN_PROCESS = {  # the request, the status, and whether the view has run
    "GET runs the view": ("GET", "/lab/thing", 200, True),
    "HEAD as well": ("HEAD", "/lab/thing", 200, True),
    "PUT does not": ("PUT", "/lab/thing", None, False),
    "PUT to a path that only reads gets its 405": ("PUT", "/lab/folder/", 405, False),
    "an unknown path gets its 404": ("PUT", "/lab/nowhere", 404, False),
    "code before the view answers": ("PUT", "/lab/thing?sign-in", 401, False),
    "an error before the view is a 500": ("DELETE", "/closed/", 500, False),
}


@pytest.mark.parametrize(("method", "path", "status", "runs"), IN_PROCESS.values(), ids=IN_PROCESS)
@pytest.mark.parametrize("origin", [API, PAGE])
def test_in_process(site: Flask, method: str, path: str, status: int | None, runs: bool, origin: str) -> None:
    found = explain_in_process(site, method, path, origin)
    allowed = origin == API or path[1] == "l"
    assert (found.allowed, bool(ran)) == (allowed, runs and (allowed or method in SAFELISTED_METHODS))
    assert found.status == (status if allowed else None)
    assert explain_in_process(site, method, path, origin, views=False).status != 200
    assert ran == []


def test_an_exception_in_the_application_is_reported() -> None:
    app = start(lab())
    app.add_url_rule("/lab", view_func=lambda: redirect("http://["))
    found = explain_in_process(app, "GET", "/lab", API)
    assert (found.allowed, "raises an exception" in found.steps[-1].detail) == (False, True)


def test_a_redirect_for_the_slash_is_followed_and_one_to_another_server_is_not(site: Flask) -> None:
    found = explain_in_process(site, "GET", "/lab/folder")
    assert (found.allowed, found.status) == (True, 200)
    out = explain_in_process(site, "GET", "/lab/moved")
    assert (out.allowed, out.reason, out.fix) == (
        False,
        None,
        f"run: flask cors explain GET {API}/lab/moved --origin {API}",
    )


def test_only_redirects_to_other_servers_use_the_network(site: Flask) -> None:
    asks = build_request("GET", f"{API}/lab/moved", API, [("X-Lab", "1")])
    external = Scripted(f"204 | Origin: {API} | Headers: x-lab", f"200 | Origin: {API}")
    found = explain(asks, AppTransport(site, API, run_views=True, external=external), site)
    assert (found.allowed, found.preflighted, external.left) == (True, True, [])


@pytest.fixture(scope="module")
def server(site: Flask) -> Iterator[str]:
    """The same application, behind a socket."""
    found = make_server("127.0.0.1", 0, site, threaded=True)
    threading.Thread(target=found.serve_forever, args=[0.01], daemon=True).start()
    yield f"http://127.0.0.1:{found.server_port}"
    found.shutdown()


@pytest.mark.parametrize(
    ("method", "send", "status", "runs"),
    [("GET", False, 200, "GET"), ("PUT", False, None, "HEAD"), ("PUT", True, 200, "PUT")],
)
def test_a_url_is_requested_over_the_network(
    site: Flask, server: str, method: str, send: bool, status: int | None, runs: str
) -> None:
    ran.clear()
    found = explain(build_request(method, f"{server}/lab/thing?a=b", server), HttpTransport(send_unsafe=send), site)
    assert (found.allowed, found.status, ran) == (True, status, [runs])
    assert found.preflighted is False
    preflight = explain(build_request("PUT", f"{server}/lab/thing", PAGE), HttpTransport(send_unsafe=send), site)
    assert (preflight.preflighted, preflight.allowed) == (True, True)


def test_a_server_that_does_not_run_or_does_not_speak_https_is_reported(server: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    for url, words in (
        (f"http://127.0.0.1:{port}", "Nothing answers at"),
        (f"https{server[4:]}", "does not speak https"),
    ):
        found = explain(build_request("GET", url, PAGE), HttpTransport(send_unsafe=False), start(lab()))
        assert (found.allowed, found.reason, words in found.steps[-1].detail) == (
            False,
            "CORSDidNotSucceed",
            True,
        )


ALERTS = {  # the alerts of a server that refuses the handshake (RFC 8446, section 6), and their names
    40: "handshake failure",
    70: "protocol version",
    80: "internal error",
    112: "unrecognized name",
}


@pytest.mark.parametrize(("number", "name"), ALERTS.items(), ids=ALERTS.values())
def test_a_tls_alert_is_reported_by_its_name(number: int, name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def refuse() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(bytes([0x15, 3, 3, 0, 2, 2, number]))

        threading.Thread(target=refuse, daemon=True).start()
        url = f"https://localhost:{server.getsockname()[1]}"
        found = explain(build_request("GET", url, PAGE), HttpTransport(send_unsafe=False), None)
    assert (found.reason, found.answered_by) == ("CORSDidNotSucceed", None)
    assert f"refuses the TLS handshake: {name}." in found.steps[-1].detail
    assert "a certificate for localhost" in str(found.fix)


BY_THE_BROWSER = {  # the page, the API, and some of the headers that the browser adds
    "another site": (PAGE, "https://api.example.com", {"Sec-Fetch-Site": "cross-site", "Referer": f"{PAGE}/"}),
    "the same site": (APP, "https://api.example.com", {"Sec-Fetch-Site": "same-site", "Referer": f"{APP}/"}),
    "the same origin": (APP, APP, {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Dest": "empty"}),
    "http, which gets no metadata": (PAGE, "http://api.example.com", {"Sec-Fetch-Site": None, "Accept": "*/*"}),
    "http from https, which gets no referrer": (APP, "http://api.example.com", {"Referer": None}),
    "a file, which has no referrer": ("null", API, {"Referer": None, "Sec-Fetch-Mode": "cors"}),
    "an extension, which has none": ("chrome-extension://abc", API, {"Referer": None, "Sec-Fetch-Site": "cross-site"}),
}


@pytest.mark.parametrize(("page", "api", "headers"), BY_THE_BROWSER.values(), ids=BY_THE_BROWSER)
def test_the_browser_adds_headers(page: str, api: str, headers: dict[str, str | None]) -> None:
    added = dict(build_browser_headers(build_request("GET", f"{api}/x", page)))
    assert {name: added.get(name) for name in headers} == headers
    assert "Chrome/" in added["User-Agent"]


def test_a_script_can_set_the_header_accept() -> None:
    asked = build_request("GET", f"{API}/x", PAGE, [("accept", "application/json")])
    assert "Accept" not in dict(build_browser_headers(asked))


def test_each_name_below_localhost_is_this_machine(site: Flask, server: str) -> None:
    url = server.replace("127.0.0.1", "lab.localhost")
    found = explain(build_request("GET", f"{url}/lab/thing", url), HttpTransport(send_unsafe=False), site)
    assert (found.allowed, found.status) == (True, 200)


ERRORS = [
    (socket.gaierror(), "The name 'api.example.com'"),
    (TimeoutError(), "does not answer within 5 seconds"),
    (ssl.SSLCertVerificationError(), "is not trusted"),
    (ssl.SSLError(), "does not speak https"),
    (http.client.BadStatusLine(""), "does not speak https"),
    (OSError(113, "No route to host"), "(No route to host)"),
]


@pytest.mark.parametrize(("error", "words"), ERRORS)
def test_network_error_is_described_with_a_fix(error: Exception, words: str) -> None:
    found = describe_network_error("https://api.example.com/x", error)
    assert words in str(found)
    assert found.fix.text
