"""A generated project served by Granian as in production: its processes, and answers to any bytes whatever."""

import contextlib
import http.client
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import psutil

from tests.baking import BakedProject, environment
from tests.running import preferred_port
from tests.serving import until, until_it_answers, workers_of

PATIENCE = 60  # seconds


class Granian:
    """A server with its workers, started by `python -m` as the README says."""

    def __init__(self, project: BakedProject, settings: Mapping[str, str], log: Path) -> None:
        """Start it; see `granian` for one that is stopped as well."""
        self.port, self.log = preferred_port(0), log
        with log.open("wb") as file:
            self.process = subprocess.Popen(
                [project.python, "-m", project.package],
                cwd=project.path,
                env=environment({**settings, "PORT": str(self.port)}),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        until_it_answers(self.process, self.port, log)
        self.until(lambda: len(self.workers()) == int(settings["WORKERS"]))

    @property
    def said(self) -> str:
        """Everything that it has logged so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def workers(self) -> list[psutil.Process]:
        """Return its worker processes, and not the one that keeps Python's books beside them where it spawns."""
        return workers_of(self.process.pid)

    def until(self, condition: Callable[[], object]) -> None:
        """Wait for a condition; fail with everything said when it does not come true."""
        until(condition, lambda: self.said, PATIENCE)

    def get(self, path: str) -> int | None:
        """Return the status of a path, asked over a new connection; None when nobody answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except OSError:
            return None
        finally:
            connection.close()

    def connect(self, sent: bytes) -> socket.socket:
        """Send bytes over a new connection, and return it."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)
        with contextlib.suppress(OSError):  # a server may refuse before it has read everything
            connection.sendall(sent)
        return connection

    def ask(self, sent: bytes) -> bytes:
        """Send bytes over a new connection, and return everything that comes until the server closes it."""
        with self.connect(sent) as connection:
            return received(connection)


def received(connection: socket.socket) -> bytes:
    """Return everything that comes until the other side closes a connection."""
    pieces: list[bytes] = []
    with contextlib.suppress(ConnectionResetError):
        while piece := connection.recv(65536):
            pieces.append(piece)
    return b"".join(pieces)


@contextlib.contextmanager
def granian(project: BakedProject, settings: Mapping[str, str]) -> Iterator[Granian]:
    """Serve a project, and leave nothing of it behind, whatever a test finds out about that."""
    with tempfile.TemporaryDirectory() as folder:
        server = Granian(project, settings, Path(folder, "log"))
        family = [psutil.Process(server.process.pid), *server.workers()]
        try:
            yield server
        finally:
            for process in {*family, *server.workers()}:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
            server.process.wait(PATIENCE)
