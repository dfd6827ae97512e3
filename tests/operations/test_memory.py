"""A server with the memory limit of `deploy/` serves under load from anonymous clients.

The tests limit the data of each process (`ulimit -d`). The limits add up to the memory of the container.
"""

import contextlib
import json
import resource
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.baking import BakedProject
from tests.client import ORIGIN, Client
from tests.operations.deploy_folder import DeployFolder
from tests.production import HOST, Api, create_production_settings
from tests.proxies import Caddy
from tests.serving import running

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has this limit")
MAIN_PROCESS = 72  # MiB
FILE = f"GET /api/docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: {HOST}\r\nAccept-Encoding: identity\r\n\r\n".encode()
FIELDS = {f"k{number:05}": 0 for number in range(80_000)}  # 1 MiB as JSON


class SmallApi(Api):
    """A server with limited memory."""

    limit = 0  # MiB of data for each process

    def command(self) -> Sequence[str]:
        """Return the command with the limit."""
        return ["sh", "-c", f'ulimit -d {self.limit * 1024} && exec "$@"', "sh", *super().command()]


@pytest.fixture(scope="module")
def server(
    get_installed: Callable[[str], BakedProject], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SmallApi]:
    """Return a server with the settings and the memory of compose."""
    project, folder = get_installed("default"), tmp_path_factory.mktemp("memory")
    deploy = DeployFolder(project)
    service = deploy.services["api-1"]
    settings = deploy.image_settings | service["environment"] | create_production_settings(project, folder)
    settings |= {"HOST": "127.0.0.1", "RATELIMIT_STORAGE_URI": "memory://", "TRUSTED_HOSTS": HOST}
    settings |= {"FRONTEND_ORIGINS": ORIGIN, "LOGIN_LIMIT": "6000 per minute"}
    del settings["PATH"]
    api = SmallApi(folder, project, settings)
    memory = int(service["deploy"]["resources"]["limits"]["memory"].removesuffix("M"))
    api.limit = (memory - MAIN_PROCESS) // int(settings["WORKERS"])
    with running(api):
        yield api


@pytest.fixture(autouse=True)
def _many_files() -> Iterator[None]:
    """Raise the limit of open files of this process."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(8192, before[1]), before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@contextlib.contextmanager
def assert_still_serving(server: SmallApi) -> Iterator[None]:
    """Assert that no process exits or runs out of memory in the block. Print the peak memory of each."""
    server.wait_until(lambda: len(server.workers()) == 2)
    before = {worker.pid for worker in server.workers()}
    yield
    assert server.get("/health/ready") == 200
    assert {worker.pid for worker in server.workers()} == before, server.output[-2000:]
    assert "MemoryError" not in server.output
    print(f"peak in MiB: {[get_peak_memory(p.pid) for p in server.processes()]}, limit of a worker: {server.limit}")


def get_peak_memory(process: int) -> int:
    """Return the peak memory of a process in MiB."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM:"))


@pytest.mark.parametrize("path", ["/api/auth/login", "/api/public/echo"])
def test_large_json_of_anonymous_clients_stays_within_memory(server: SmallApi, path: str) -> None:
    assert len(json.dumps(FIELDS)) > 2**20 - 2**17

    def post(_: int) -> int | None:
        with contextlib.closing(Client(server.port, HOST)) as client:
            return client.get_status("POST", path, FIELDS)

    with assert_still_serving(server), ThreadPoolExecutor(32) as crowd:
        # None: without a proxy, a client that is still sending can miss the refusal
        assert set(crowd.map(post, range(32))) <= {413, 429, None}


@pytest.mark.parametrize(("readers", "by_caddy"), [(400, False), (1200, True)])
def test_slow_downloads_of_the_documentation_stay_within_memory(
    server: SmallApi, tmp_path: Path, readers: int, by_caddy: bool
) -> None:
    with contextlib.ExitStack() as stack:
        caddy = Caddy(tmp_path, server.project, [server.port])
        port = stack.enter_context(running(caddy)).port if by_caddy else server.port
        with assert_still_serving(server):
            for _ in range(readers):
                connection = stack.enter_context(socket.socket())
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                connection.connect(("127.0.0.1", port))
                connection.sendall(FILE)
            time.sleep(2)
            assert Client(port, HOST).get_status("GET", "/health/ready") == 200


def test_many_concurrent_sign_ins_stay_within_memory(server: SmallApi) -> None:
    def sign_in(number: int) -> int:
        with contextlib.closing(Client(server.port, HOST)) as client:
            return client.sign_in(f"unknown-{number}", "a password").status

    with assert_still_serving(server), ThreadPoolExecutor(40) as crowd:
        assert set(crowd.map(sign_in, range(80))) == {401}
