"""Run a generated project as a production server: `python -m`, as its README says."""

import contextlib
import secrets
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import psutil

from tests.baking import BakedProject
from tests.client import PASSWORD, USER, Client
from tests.serving import Server, flask_user, get_workers, running, wait_until

HOST = "api.example.test"
TIMEOUT = 60  # seconds


class Api(Server):
    """A production server of the API. It keeps its port after a restart."""

    def __init__(self, folder: Path, project: BakedProject, settings: Mapping[str, str]) -> None:
        """Choose a port. `settings` is its environment, which tests can change before a start."""
        super().__init__(folder)
        self.project, self.cwd = project, project.path
        self.settings = {**settings, "PORT": str(self.port)}

    def command(self) -> Sequence[str]:
        """Return the command."""
        return [self.project.python, "-m", self.project.package]

    def start(self) -> None:
        """Start it and wait until it is ready."""
        super().start()
        with contextlib.closing(self.client()) as client:
            self.wait_until(lambda: client.get_status("GET", "/health/ready") == 200)

    def workers(self) -> list[psutil.Process]:
        """Return the worker processes, without the resource tracker of multiprocessing."""
        return get_workers(self.process.pid) if self.process else []

    def wait_until(self, condition: Callable[[], object]) -> None:
        """Wait until a condition is true. Fail with the output after the timeout."""
        wait_until(condition, lambda: self.output, TIMEOUT)

    def client(self) -> Client:
        """Return a client of this server that does not use the reverse proxy."""
        return Client(self.port, HOST)

    def get(self, path: str) -> int | None:
        """Request a path over a new connection. Return the status, or None without a response."""
        with contextlib.closing(self.client()) as client:
            return client.get_status("GET", path)

    def connect(self, sent: bytes) -> socket.socket:
        """Send bytes over a new connection and return the connection."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=TIMEOUT)
        with contextlib.suppress(OSError):  # the server can close the connection before it has read everything
            connection.sendall(sent)
        return connection

    def send(self, sent: bytes) -> bytes:
        """Send bytes over a new connection. Return all bytes until the server closes it."""
        with self.connect(sent) as connection:
            return receive_all(connection)


def receive_all(connection: socket.socket) -> bytes:
    """Return all bytes until the other side closes a connection."""
    pieces: list[bytes] = []
    with contextlib.suppress(ConnectionResetError):
        while piece := connection.recv(65536):
            pieces.append(piece)
    return b"".join(pieces)


def create_production_settings(
    project: BakedProject, folder: Path, changes: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Create a database with one user. Return the settings of a production server, with changes."""
    settings = {
        "APP_ENV": "production",
        "SECRET_KEY": secrets.token_hex(32),
        "DATABASE_URL": f"sqlite:///{folder / 'production.sqlite'}",
        "FRONTEND_ORIGINS": "none",
        **(changes or {}),
    }
    project.check_output(project.python, "-m", "flask", "db", "upgrade", env=settings)
    flask_user(project, settings, "create", USER, PASSWORD)
    return settings


@contextlib.contextmanager
def serving_api(folder: Path, project: BakedProject, settings: Mapping[str, str]) -> Iterator[Api]:
    """Run one server until the block ends. `folder` is for its log."""
    with running(Api(folder, project, settings)) as server:
        yield server
