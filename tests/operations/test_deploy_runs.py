"""Run the parts of `deploy/` that need no container engine: the Dockerfile commands, and Caddy."""

import contextlib
import http.server
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from tests.baking import BakedProject
from tests.operations.deploy_folder import DeployFolder
from tests.production import HOST, create_production_settings, serving_api
from tests.proxies import PAGE_HOST, Caddy
from tests.running import preferred_port
from tests.serving import running, serving

# WSGI would mix them up with the headers that Caddy adds. Caddy drops them since 2.11.4
SPOOFED_HEADERS = {"X_Forwarded_For": "6.6.6.6", "x-forwarded_proto": "https", "X_REQUEST-ID": "mine"}


@pytest.fixture(scope="module")
def deploy(get_installed: Callable[[str], BakedProject]) -> DeployFolder:
    """Return deploy/ of the default project."""
    return DeployFolder(get_installed("default"))


@pytest.fixture(scope="module")
def settings(deploy: DeployFolder, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the production settings of the API."""
    return create_production_settings(deploy.project, tmp_path_factory.mktemp("database"))


@pytest.fixture(scope="module")
def image(deploy: DeployFolder, tmp_path_factory: pytest.TempPathFactory) -> BakedProject:
    """Run the commands of the Dockerfile. Return a folder with the contents of the image: `.venv`."""
    image = BakedProject(tmp_path_factory.mktemp("image"), (), ())
    stage = deploy.project.read("deploy/Dockerfile").partition(" AS build\n")[2].partition("\nFROM ")[0]
    for word, _, arguments in (line.partition(" ") for line in stage.splitlines()):
        if word == "RUN":
            image.check_output("sh", "-c", arguments)
        elif word == "COPY" and not arguments.startswith("--from"):
            *sources, target = arguments.split()
            for found in (found for source in sources for found in deploy.project.path.glob(source)):
                copy = image.path / target / ("" if found.is_dir() else found.name)
                (shutil.copytree if found.is_dir() else shutil.copy)(found, copy)
    for left in image.path.iterdir():
        if left.name != ".venv":
            (shutil.rmtree if left.is_dir() else Path.unlink)(left)
    return image


@pytest.fixture(scope="module")
def compose_environment(
    deploy: DeployFolder, image: BakedProject, settings: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """Return the environment of a compose server, without the other services."""
    theirs: dict[str, str] = deploy.image_settings | deploy.services["api-1"]["environment"]
    ours = {"PORT": str(preferred_port(0)), "PATH": str(Path(image.python).parent), "TRUSTED_HOSTS": HOST}
    database = f"sqlite:///{tmp_path_factory.mktemp('database') / 'lab.sqlite'}"
    ours |= {"DATABASE_URL": database, "RATELIMIT_STORAGE_URI": "memory://"}
    return settings | theirs | ours | dict.fromkeys(("LOGIN_LIMIT", "LOGIN_ACCOUNT_LIMIT"), "100000 per minute")


@pytest.fixture(scope="module")
def server(
    deploy: DeployFolder, image: BakedProject, compose_environment: dict[str, str]
) -> Iterator[tuple[str, Path]]:
    """Run the command of the image. Yield its URL and its folder."""
    image.check_output(*deploy.services["migrate"]["command"], env=compose_environment)
    folder, port = image.path / ".venv", compose_environment["PORT"]
    with serving([image.python, *deploy.command[1:]], int(port), folder, compose_environment):
        yield f"http://127.0.0.1:{port}", folder


def test_the_image_serves_without_the_source_folder(server: tuple[str, Path]) -> None:
    assert requests.get(f"{server[0]}/health/ready", timeout=10).json() == {"status": "ok"}
    assert get(server[0], "/api/public/hello").json() == {"message": "Hello, World!"}


def test_the_image_has_the_drivers_of_postgresql_and_redis(
    image: BakedProject, compose_environment: dict[str, str]
) -> None:
    image.check_output("python", "-c", "import psycopg, redis", env=compose_environment)


@pytest.mark.parametrize("running", [True, False])
def test_the_health_check_reports_whether_the_server_is_running(
    deploy: DeployFolder, image: BakedProject, server: tuple[str, Path], running: bool
) -> None:
    port = server[0].rpartition(":")[2] if running else preferred_port(0)
    done = image.run(image.python, *(part.replace(":8000/", f":{port}/") for part in deploy.health_check[1:]))
    assert (done.returncode == 0) is running, done.stdout


def test_a_server_stays_within_its_memory_limit_during_many_sign_ins(
    deploy: DeployFolder, server: tuple[str, Path]
) -> None:
    unknown = {"username": "nobody", "password": "a password"}
    with ThreadPoolExecutor(40) as crowd:
        answers = crowd.map(lambda _: post(server[0], "/api/auth/login", json=unknown), range(80))
        assert {answer.status_code for answer in answers} == {401}
    theirs = [process for process in psutil.process_iter(["cwd"]) if process.info["cwd"] == str(server[1])]
    used = sum(process.memory_full_info().pss for process in theirs)
    limit = int(deploy.services["api-1"]["deploy"]["resources"]["limits"]["memory"].removesuffix("M"))
    assert 100 < used / 2**20 < limit * 0.9


def get(address: str, path: str, host: str = HOST) -> requests.Response:
    return requests.get(address + path, headers={"Host": host, "X-Request-ID": "chosen-by-the-client"}, timeout=20)


def post(address: str, path: str, **body: Any) -> requests.Response:
    return requests.post(address + path, headers={"Host": HOST, **SPOOFED_HEADERS}, timeout=60, **body)


def test_caddy_serves_page_and_api_while_one_server_stops(
    deploy: DeployFolder, settings: dict[str, str], tmp_path: Path
) -> None:
    for name in ("first", "second", "page"):
        (tmp_path / name).mkdir()
    (tmp_path / "page" / "index.html").write_text("the page")
    with serving_api(tmp_path / "first", deploy.project, settings) as first, contextlib.ExitStack() as stack:
        second = stack.enter_context(serving_api(tmp_path / "second", deploy.project, settings))
        ports = [first.port, second.port]
        with running(Caddy(tmp_path, deploy.project, ports, tmp_path / "page")) as caddy:
            address = f"http://127.0.0.1:{caddy.port}"
            assert get(address, "/samples/7", PAGE_HOST).text == "the page"
            hello = get(address, "/api/public/hello")
            assert hello.json() == {"message": "Hello, World!"}
            assert len(hello.headers["X-Request-ID"]) == 36
            stack.close()  # nothing listens there, and no health check has run yet
            assert {get(address, "/api/public/hello").status_code for _ in range(20)} == {200}
            assert {post(address, "/api/public/echo", json={"message": "hi"}).status_code for _ in range(20)} == {200}


class Upstream(http.server.ThreadingHTTPServer):
    """A fake API server that records requests."""

    def __init__(self, ready: int) -> None:
        """Listen on a free port and respond to health checks with a status."""
        super().__init__(("127.0.0.1", 0), Connection)
        self.ready = ready
        self.received: list[str] = []
        self.names: set[str] = set()  # of request headers
        self.checked = threading.Event()


class Connection(http.server.BaseHTTPRequestHandler):
    """One connection to the fake server."""

    server: Upstream

    def do_GET(self) -> None:
        """Respond to a health check."""
        self.send_response(self.server.ready)
        self.end_headers()
        self.server.checked.set()

    def do_POST(self) -> None:
        """Record the path before the body arrives, then the body."""
        self.server.received.append(self.path)
        self.server.names |= set(self.headers)
        self.server.received.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Do not log."""


@contextlib.contextmanager
def upstream(ready: int = 200) -> Iterator[Upstream]:
    with Upstream(ready) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_caddy_buffers_a_slow_request_body(deploy: DeployFolder, tmp_path: Path) -> None:
    head = f"POST /slow HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 8\r\nConnection: close\r\n\r\n"
    with upstream() as server, running(Caddy(tmp_path, deploy.project, [server.server_port])) as caddy:
        address = f"http://127.0.0.1:{caddy.port}"
        with socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2])), timeout=20) as slow:
            slow.sendall(f"{head}half".encode())
            post(address, "/fast", data="whole")
            assert server.received == ["/fast", "whole"]
            assert {"X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Request-Id"} <= server.names
            assert {name for name in server.names if "_" in name} == set()
            slow.sendall(b"half")
            assert slow.makefile().readline() == "HTTP/1.1 200 OK\n"
        assert server.received[2:] == ["/slow", "halfhalf"]


def test_caddy_sends_no_request_to_a_server_that_is_not_ready(deploy: DeployFolder, tmp_path: Path) -> None:
    with upstream(503) as stopping, upstream() as server:
        ports = [stopping.server_port, server.server_port]
        with running(Caddy(tmp_path, deploy.project, ports)) as caddy:
            address = f"http://127.0.0.1:{caddy.port}"
            assert stopping.checked.wait(20)
            for _ in range(50):  # until Caddy has processed its health check
                stopping.received.clear()
                answers = [post(address, "/api/public/feedback", data="body") for _ in range(20)]
                if not stopping.received:
                    break
        assert {answer.status_code for answer in answers} == {200}
        assert stopping.received == []
