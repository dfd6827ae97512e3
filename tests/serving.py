"""Run a server for as long as a test needs it, and its faults: `kill` (as `kill -9`), `freeze` and `thaw`.

A server keeps its port and its log when it is started again.
"""

import contextlib
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import psutil

from tests.baking import BakedProject, environment
from tests.running import preferred_port

S = TypeVar("S", bound="Server")


class Server:
    """A server of one port: made stopped, in a folder that belongs to it. Every server of these tests is one."""

    stop_signal: int = signal.SIGTERM

    def __init__(self, folder: Path, user: str | None = None) -> None:
        """Choose a port; the server's files go to `folder`, and it runs as `user`."""
        self.folder, self.user, self.port = folder, user, preferred_port(0)
        self.cwd = folder  # where it runs
        self.settings: dict[str, str] = {}  # what its environment has more than ours
        self.log = folder / "log"
        self.process: subprocess.Popen[bytes] | None = None

    def command(self) -> Sequence[str | Path]:
        """Return what is run."""
        raise NotImplementedError

    def start(self) -> None:
        """Start it, and wait until it answers."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command(),
                cwd=self.cwd,
                env=environment(self.settings),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=self.user,
            )
        wait_for_port(self.process, self.port, self.log)

    def processes(self) -> list[psutil.Process]:
        """Return its processes: the one that was started, and those that it has started."""
        if self.process is None or self.process.poll() is not None:
            return []
        first = psutil.Process(self.process.pid)
        return [first, *first.children(recursive=True)]

    @property
    def output(self) -> str:
        """Everything that it has printed so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def stop(self) -> None:
        """Ask it to stop, and wait until it has."""
        if self.process is not None:
            self.thaw()
            self.process.send_signal(self.stop_signal)
            self.process.wait(30)

    def kill(self) -> None:
        """End every process of it at once, as a machine does that loses its power."""
        for process in self.processes():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        if self.process is not None:
            self.process.wait(30)
            with contextlib.suppress(ProcessLookupError, PermissionError):  # and what it has left behind
                os.killpg(self.process.pid, signal.SIGKILL)

    def freeze(self) -> None:
        """Let it hang: connections are taken, and nothing is answered."""
        for process in self.processes():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.suspend()

    def thaw(self) -> None:
        """Let it go on."""
        for process in self.processes():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.resume()


class Program(Server):
    """Any program that serves a port."""

    def __init__(self, folder: Path, command: Sequence[str | Path], port: int) -> None:
        """Keep its log in `folder`."""
        super().__init__(folder)
        self.arguments, self.port = command, port

    def command(self) -> Sequence[str | Path]:
        """Return what is run."""
        return self.arguments


@contextlib.contextmanager
def running(server: S) -> Iterator[S]:
    """Run a server for as long as the block lasts, and leave nothing of it behind."""
    try:
        server.start()
        yield server
    finally:
        with contextlib.suppress(subprocess.TimeoutExpired, ProcessLookupError):
            server.stop()
        server.kill()


@contextlib.contextmanager
def serving(
    command: Sequence[str | Path], port: int, folder: Path | None = None, env: Mapping[str, str] | None = None
) -> Iterator[Path]:
    """Run a program until its port answers and the block ends; yield the file with everything that it says."""
    with tempfile.TemporaryDirectory() as logs:
        program = Program(Path(logs), command, port)
        program.cwd, program.settings = folder or Path.cwd(), dict(env or {})
        with running(program):
            yield program.log


def wait_for_port(process: subprocess.Popen[bytes], port: int, log: Path, seconds: float = 60) -> None:
    """Wait until something listens on a port; fail with everything said when that does not happen."""
    deadline = time.monotonic() + seconds
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            # while nothing listens, a port of the range for clients can be given to this very connection
            if connection.getsockname() != connection.getpeername():
                return
        said = log.read_text(encoding="utf-8", errors="replace")
        assert process.poll() is None, f"{process.args!r} ended with {process.returncode}:\n{said}"
        assert time.monotonic() < deadline, f"{process.args!r} was waited for in vain:\n{said}"
        time.sleep(0.05)


def wait_until(condition: Callable[[], object], said: Callable[[], str], seconds: float = 30) -> None:
    """Wait until something is so; fail with what is said about it when that does not happen."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s in vain: {said()}"
        time.sleep(0.05)


def get_workers(server: int) -> list[psutil.Process]:
    """Return the workers of a server, and not the process that keeps Python's books beside them where it spawns."""
    found = []
    with contextlib.suppress(psutil.NoSuchProcess):
        for child in psutil.Process(server).children():
            with contextlib.suppress(psutil.NoSuchProcess):  # it has just ended
                found += [child] if "resource_tracker" not in " ".join(child.cmdline()) else []
    return found


def flask_user(project: BakedProject, settings: Mapping[str, str], command: str, user: str, password: str) -> None:
    """Run `flask user create` or `flask user password`."""
    subprocess.run(
        [project.python, "-m", "flask", "user", command, user],
        cwd=project.path,
        env=environment(settings),
        input=f"{password}\n{password}\n".encode(),
        capture_output=True,
        check=True,
        start_new_session=True,  # without a terminal, the password is read from the input
    )
