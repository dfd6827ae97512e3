"""The reverse proxy protects the API from slow clients and from cookies that Granian cannot decode."""

import contextlib
import json
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.baking import BakedProject
from tests.client import ORIGIN
from tests.production import HOST, Api, create_production_settings, receive_all, serving_api
from tests.proxies import Caddy, Nginx, Proxy
from tests.serving import running

PROXIES: dict[str, Callable[[Path, BakedProject, list[int]], Proxy]] = {"Caddy": Caddy, "nginx": Nginx}
HELLO = "/api/public/hello"
JOSÉ = "name=José".encode()
THREADS = 4  # threads of the one worker
HALF_A_BODY = (
    f"POST /api/public/feedback HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: text/plain\r\n"
    "Content-Length: 10\r\nConnection: close\r\n\r\nhello"
).encode()
FILE = f"GET /api/docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: {HOST}\r\nAccept-Encoding: identity\r\n\r\n".encode()
# the Cookie header of the browser, and the one that the API must get
COOKIES = {
    b"a=1; name=Jos\xc3\xa9; b=2": "a=1; b=2",
    b"name=Jos\xe9; a=1": "a=1",
    b"a=1; name=Jos\xc3\xa9": "a=1",
    b"\xc3\xa9=1; a=1; \xe9=2; \xe9=3; b=2": "a=1; b=2",
    b"name=Jos\xc3\xa9": "",
    b"a=1; b=2; c=x y,z=": "a=1; b=2; c=x y,z=",
}


@pytest.fixture(scope="module")
def api(get_installed: Callable[[str], BakedProject], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """Return a server with one worker and few threads."""
    folder, project = tmp_path_factory.mktemp("api"), get_installed("default")
    settings = create_production_settings(project, folder) | {"WORKERS": "1", "THREADS": str(THREADS)}
    settings |= {"TRUSTED_PROXIES": "1", "TRUSTED_HOSTS": HOST, "FRONTEND_ORIGINS": ORIGIN, "DOCS": "1"}
    with serving_api(folder, project, settings) as server:
        yield server


@pytest.fixture(scope="module", params=PROXIES)
def proxy(request: pytest.FixtureRequest, api: Api, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """Return each proxy, in front of the server."""
    with running(PROXIES[request.param](tmp_path_factory.mktemp("proxy"), api.project, [api.port])) as started:
        yield started


def send(port: int, path: str, *lines: bytes) -> bytes:
    """Send a GET with header lines as bytes. Return the whole response."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        head = [f"GET {path} HTTP/1.1".encode(), f"Host: {HOST}".encode(), b"Connection: close", *lines, b"", b""]
        connection.sendall(b"\r\n".join(head))
        return receive_all(connection)


def test_a_non_ascii_cookie_of_another_application_keeps_the_session(api: Api, proxy: Proxy) -> None:
    with contextlib.closing(proxy.client()) as client:
        assert client.sign_in().status == 200
        session = client.headers["Cookie"].encode()
    for cookies in (
        session,
        JOSÉ + b"; " + session,
        session + b"; " + JOSÉ,
        b"a=1; " + JOSÉ + b"; " + session + b"; b=2",
    ):
        assert send(proxy.port, "/api/auth/me", b"Cookie: " + cookies).startswith(b"HTTP/1.1 200 "), cookies
    assert "arrived empty" not in api.output


def test_an_address_with_a_non_ascii_byte_is_not_trusted(api: Api, proxy: Proxy) -> None:
    path = f"/nowhere/{proxy.port}"
    send(proxy.port, path, "X-Forwarded-For: José".encode(), b"X-Forwarded-For: 6.6.6.6")
    api.wait_until(lambda: path in api.output)
    [line] = [found for found in map(json.loads, api.output.splitlines()) if found.get("path") == path]
    assert line["address"] == "127.0.0.1"


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """Return a listening socket in place of a server."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(20)
        yield listener


@pytest.mark.parametrize("name", PROXIES)
def test_only_cookies_with_a_non_ascii_byte_are_removed(
    api: Api, listener: socket.socket, tmp_path: Path, name: str
) -> None:
    with running(PROXIES[name](tmp_path, api.project, [listener.getsockname()[1]])) as proxy:
        for cookies, expected in COOKIES.items():
            assert forward_cookies(proxy, listener, b"Cookie: " + cookies) == expected, cookies


def forward_cookies(proxy: Proxy, listener: socket.socket, line: bytes) -> str:
    """Send a header line and return the cookies that the proxy forwards."""
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=20) as connection:
        connection.sendall(f"GET /api/x HTTP/1.1\r\nHost: {HOST}\r\n".encode() + line + b"\r\n\r\n")
        while True:  # skip the health checks
            behind, _ = listener.accept()
            with behind:
                head = behind.recv(65536).decode("latin-1")
                behind.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            if head.startswith("GET /api/x "):
                found = [line.partition(": ")[2] for line in head.split("\r\n") if line.lower().startswith("cookie:")]
                return "; ".join(pair.strip() for pair in "".join(found).split(";") if pair.strip())


def test_without_a_proxy_the_log_names_the_cause(get_installed: Callable[[str], BakedProject], tmp_path: Path) -> None:
    project = get_installed("default")
    with serving_api(tmp_path, project, create_production_settings(project, tmp_path) | {"WORKERS": "1"}) as server:
        assert send(server.port, "/api/auth/me", b"Cookie: a=1; " + JOSÉ).startswith(b"HTTP/1.1 401 ")
        assert server.output.count("A Cookie header arrived empty") == 1


def is_quick(proxy: Proxy) -> bool:
    """Return whether other requests get a fast response."""
    started = time.monotonic()
    with contextlib.closing(proxy.client()) as client:
        answers = [client.request("GET", path).status for path in (HELLO, "/health/ready") * 5]
    return answers == [200] * 10 and time.monotonic() - started < 5


def test_slow_request_bodies_block_no_thread(proxy: Proxy) -> None:
    with contextlib.ExitStack() as stack:
        slow = [stack.enter_context(socket.create_connection(("127.0.0.1", proxy.port), 20)) for _ in range(100)]
        for connection in slow:
            connection.sendall(HALF_A_BODY)
        assert is_quick(proxy)
        slow[0].sendall(b"world")
        assert receive_all(slow[0]).startswith(b"HTTP/1.1 201 ")


def test_slow_readers_block_no_thread(proxy: Proxy) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(100):
            connection = stack.enter_context(socket.socket())
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect(("127.0.0.1", proxy.port))
            connection.sendall(FILE)
        time.sleep(1)
        assert is_quick(proxy)


@pytest.mark.parametrize(
    ("sent", "limit"), [(HALF_A_BODY, "read_body"), (FILE * 20, "write")], ids=["body", "responses"]
)
def test_caddy_closes_connections_after_its_timeouts(api: Api, tmp_path: Path, sent: bytes, limit: str) -> None:
    with running(Caddy(tmp_path, api.project, [api.port], changes={limit: "1s"})) as caddy, socket.socket() as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.settimeout(20)
        slow.connect(("127.0.0.1", caddy.port))
        slow.sendall(sent)
        time.sleep(3)
        answer = receive_all(slow)  # until Caddy closes the connection
        assert not answer.startswith(b"HTTP/1.1 201 ")
        assert len(answer) < 20 * 2**20
        with contextlib.closing(
            caddy.client()
        ) as client:  # each request on a keep-alive connection has its own timeout
            assert client.request("GET", HELLO).status == 200
            time.sleep(2)
            assert client.request("POST", "/api/public/echo", {"message": "hi"}).status == 200
