"""The production server, a real Granian: graceful shutdown, worker restarts, refusals and trusted proxies."""

import contextlib
import json
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.baking import BakedProject
from tests.production import Api, create_production_settings, receive_all, serving_api

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Granian has one worker there, and no such signals")
HELLO = "/api/public/hello"
HALF_A_REQUEST = (
    b"POST /api/public/feedback HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n"
    b"Content-Length: 10\r\nConnection: close\r\nExpect: 100-continue\r\n\r\nhello"
)
ENTRIES = {"python -m": ["-m", "my_lab_api"], "wsgi.py": ["-c", "import wsgi"]}


@pytest.fixture(scope="module")
def project(get_installed: Callable[[str], BakedProject]) -> BakedProject:
    """Return the default project."""
    return get_installed("default")


@pytest.fixture(scope="module")
def settings(project: BakedProject, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return production settings with two workers."""
    return {**create_production_settings(project, tmp_path_factory.mktemp("serving")), "WORKERS": "2"}


@pytest.fixture
def server(project: BakedProject, settings: dict[str, str], tmp_path: Path) -> Iterator[Api]:
    """Return a running server."""
    with serving_api(tmp_path, project, settings) as started:
        started.wait_until(lambda: len(started.workers()) == 2)
        yield started


def have_ended(processes: list[psutil.Process]) -> bool:
    return not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in processes)


def accepts_connections(server: Api) -> bool:
    """Return whether a new connection gets a response. A connection in the backlog does not."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", server.port), timeout=1) as connection:
        connection.sendall(f"GET {HELLO} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        return connection.recv(1) != b""
    return False


def test_a_graceful_shutdown_finishes_running_requests_and_accepts_no_new_ones(server: Api) -> None:
    assert server.process
    workers = server.workers()
    with server.connect(HALF_A_REQUEST) as running:
        assert running.recv(25) == b"HTTP/1.1 100 Continue\r\n\r\n"  # the application reads the body
        server.process.send_signal(signal.SIGTERM)
        server.wait_until(lambda: not accepts_connections(server))
        assert server.process.poll() is None
        running.sendall(b"world")
        assert receive_all(running).startswith(b"HTTP/1.1 201 ")
    assert server.process.wait(60) == 0
    assert have_ended(workers)
    assert {json.loads(line)["level"] for line in server.output.splitlines()} == {"INFO"}


def test_a_killed_worker_is_replaced(server: Api) -> None:
    first, second = server.workers()
    first.kill()
    server.wait_until(lambda: len(server.workers()) == 2 and not first.is_running())
    server.wait_until(lambda: "Started worker-1" in server.output.partition("Unexpected exit")[2])
    assert [server.get(HELLO) for _ in range(20)] == [200] * 20
    assert second in server.workers()


@pytest.mark.parametrize("entry", ENTRIES)
def test_development_settings_are_refused_with_the_fix(project: BakedProject, tmp_path: Path, entry: str) -> None:
    development = {
        "APP_ENV": "development",
        "SECRET_KEY": "only for a test",
        "FRONTEND_ORIGINS": "http://localhost:5173",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'lab.sqlite'}",
    }
    done = project.run(project.python, *ENTRIES[entry], env=development, seconds=30)
    assert done.returncode == 1
    assert "APP_ENV is 'development'" in done.stdout
    assert "APP_ENV=production and FRONTEND_ORIGINS=https" in done.stdout
    assert ("Traceback" in done.stdout) is (entry == "wsgi.py")


def test_wsgi_py_is_the_application_of_production(project: BakedProject, settings: dict[str, str]) -> None:
    code = "import wsgi; print(wsgi.app.test_client().get('/health/ready').status_code, wsgi.application is wsgi.app)"
    assert "200 True" in project.check_output(project.python, "-c", code, env=settings)


@pytest.mark.parametrize(("proxies", "address"), [("0", "127.0.0.1"), ("1", "1.2.3.4")])
def test_a_client_cannot_choose_its_address(
    project: BakedProject, settings: dict[str, str], tmp_path: Path, proxies: str, address: str
) -> None:
    forwarded = b"X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 7.7.7.7, 1.2.3.4\r\n"
    with serving_api(tmp_path, project, {**settings, "WORKERS": "1", "TRUSTED_PROXIES": proxies}) as server:
        server.send(b"GET /nowhere HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + forwarded + b"\r\n")
        server.wait_until(lambda: '"/nowhere"' in server.output)
        lines = [json.loads(line) for line in server.output.splitlines()]
        assert [line["address"] for line in lines if line.get("path") == "/nowhere"] == [address]
