"""How the production server stops, what it survives, and whom it believes: a real Granian, and real signals."""

import contextlib
import json
import os
import select
import signal
import sys
from collections.abc import Callable, Iterator

import psutil
import pytest

from tests.baking import BakedProject
from tests.browser.deployment import production_settings
from tests.operations.granian import Granian, granian, received

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Granian has one worker there, and no such signals")
HELLO = "/api/public/hello"
SLOW = b"HTTP/1.1 503 Service Unavailable"
HALF = (
    b"POST /api/public/feedback HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n"
    b"Content-Length: 10\r\nConnection: close\r\n\r\nhello"
)


@pytest.fixture(scope="module")
def project(installed: Callable[[str], BakedProject]) -> BakedProject:
    """Return the default project."""
    return installed("default")


@pytest.fixture(scope="module")
def settings(project: BakedProject, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return settings of a production with two workers."""
    return {**production_settings(project, tmp_path_factory.mktemp("serving")), "WORKERS": "2"}


@pytest.fixture
def server(project: BakedProject, settings: dict[str, str]) -> Iterator[Granian]:
    """Return a server that waits for an hour before it stops, or for a second signal."""
    with granian(project, {**settings, "STOP_DELAY": "600"}) as started:
        yield started


def gone(processes: list[psutil.Process]) -> bool:
    return not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in processes)


def test_a_stop_answers_what_runs_and_lets_nothing_new_in(server: Granian) -> None:
    workers = server.workers()
    with server.connect(HALF) as running:
        assert server.get("/health/ready") == 200
        server.process.send_signal(signal.SIGTERM)
        server.until(lambda: server.get("/health/ready") == 503)
        assert [server.get(path) for path in ("/health/ready", "/health/live", HELLO)] == [503, 200, 200]
        server.process.send_signal(signal.SIGTERM)
        server.until(lambda: server.get(HELLO) is None)
        assert server.process.poll() is None
        running.sendall(b"world")
        assert received(running).startswith(b"HTTP/1.1 201 ")
    assert server.process.wait(60) == 0
    assert gone(workers)
    assert {json.loads(line)["level"] for line in server.said.splitlines()} == {"INFO"}


def test_ctrl_c_reaches_the_workers_by_way_of_the_main_process(server: Granian) -> None:
    workers = server.workers()
    os.killpg(server.process.pid, signal.SIGINT)  # as a terminal does
    server.until(lambda: server.get("/health/ready") == 503)
    assert server.get(HELLO) == 200
    os.killpg(server.process.pid, signal.SIGINT)
    assert server.process.wait(60) == 0
    assert gone(workers)


def test_a_killed_worker_is_replaced_and_killed_servers_leave_nobody(server: Granian) -> None:
    first, second = server.workers()
    first.kill()
    server.until(lambda: len(server.workers()) == 2 and not first.is_running())
    server.until(lambda: "Started worker-1" in server.said.partition("Unexpected exit")[2])
    assert [server.get(HELLO) for _ in range(20)] == [200] * 20
    workers = server.workers()
    assert second in workers
    server.process.kill()
    server.until(lambda: gone(workers))
    assert server.get(HELLO) is None


def test_slow_clients_hold_up_nothing_but_each_other(project: BakedProject, settings: dict[str, str]) -> None:
    with granian(project, {**settings, "WORKERS": "1", "STOP_DELAY": "1"}) as server, contextlib.ExitStack() as stack:
        slow = [stack.enter_context(server.connect(HALF)) for _ in range(64 + 1)]
        refused, _, _ = select.select(slow, [], [], 60)
        assert [received(connection).partition(b"\r\n")[0] for connection in refused] == [SLOW]
        assert server.ask(HALF + b"world").partition(b"\r\n")[0] == SLOW
        assert [server.get(path) for path in ("/health/ready", HELLO)] == [200, 200]
        stack.close()
        server.until(lambda: server.ask(HALF + b"world").startswith(b"HTTP/1.1 201 "))
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(60) == 0  # after the delay, without a second signal


@pytest.mark.parametrize(("proxies", "address"), [("0", "127.0.0.1"), ("1", "1.2.3.4")])
def test_a_client_cannot_choose_its_address(
    project: BakedProject, settings: dict[str, str], proxies: str, address: str
) -> None:
    forwarded = b"X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 7.7.7.7, 1.2.3.4\r\n"
    with granian(project, {**settings, "WORKERS": "1", "TRUSTED_PROXIES": proxies}) as server:
        server.ask(b"GET /nowhere HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + forwarded + b"\r\n")
        server.until(lambda: '"/nowhere"' in server.said)
        lines = [json.loads(line) for line in server.said.splitlines()]
        assert [line["address"] for line in lines if line.get("path") == "/nowhere"] == [address]
