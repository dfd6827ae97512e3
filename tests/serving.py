"""Start and stop servers, and cause faults with `kill` (as `kill -9`), `freeze` and `thaw`.

A server keeps its port and its log after a restart.
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
    """A server on one port with its own folder. All servers of these tests inherit from it."""

    stop_signal: int = signal.SIGTERM

    def __init__(self, folder: Path, user: str | None = None) -> None:
        """Choose a port. `folder` is for its files, `user` is the user of its process."""
        self.folder, self.user, self.port = folder, user, preferred_port(0)
        self.cwd = folder  # its working directory
        self.settings: dict[str, str] = {}  # additions to the environment
        self.log = folder / "log"
        self.process: subprocess.Popen[bytes] | None = None

    def command(self) -> Sequence[str | Path]:
        """Return the command."""
        raise NotImplementedError

    def start(self) -> None:
        """Start it and wait until its port accepts connections."""
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
        """Return its process and all child processes."""
        if self.process is None or self.process.poll() is not None:
            return []
        first = psutil.Process(self.process.pid)
        return [first, *first.children(recursive=True)]

    @property
    def output(self) -> str:
        """Its output so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def stop(self) -> None:
        """Send the stop signal and wait until it exits."""
        if self.process is not None:
            self.thaw()
            self.process.send_signal(self.stop_signal)
            self.process.wait(30)

    def kill(self) -> None:
        """Kill all its processes at once, as in a power failure."""
        for process in self.processes():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        if self.process is not None:
            self.process.wait(30)
            with contextlib.suppress(ProcessLookupError, PermissionError):  # and orphaned processes
                os.killpg(self.process.pid, signal.SIGKILL)

    def freeze(self) -> None:
        """Suspend it. It accepts connections, but does not respond."""
        for process in self.processes():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.suspend()

    def thaw(self) -> None:
        """Resume it."""
        for process in self.processes():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.resume()


class Program(Server):
    """A program that listens on a port."""

    def __init__(self, folder: Path, command: Sequence[str | Path], port: int) -> None:
        """Write its log into `folder`."""
        super().__init__(folder)
        self.arguments, self.port = command, port

    def command(self) -> Sequence[str | Path]:
        """Return the command."""
        return self.arguments


@contextlib.contextmanager
def running(server: S) -> Iterator[S]:
    """Run a server until the block ends, then kill all its processes."""
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
    """Run a program until the block ends. Yield the path of its log."""
    with tempfile.TemporaryDirectory() as logs:
        program = Program(Path(logs), command, port)
        program.cwd, program.settings = folder or Path.cwd(), dict(env or {})
        with running(program):
            yield program.log


def wait_for_port(process: subprocess.Popen[bytes], port: int, log: Path, seconds: float = 60) -> None:
    """Wait until a process listens on a port. Fail with its output after the timeout."""
    deadline = time.monotonic() + seconds
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            # while nothing listens, the kernel can connect an ephemeral port to itself
            if connection.getsockname() != connection.getpeername():
                return
        said = log.read_text(encoding="utf-8", errors="replace")
        assert process.poll() is None, f"{process.args!r} exited with {process.returncode}:\n{said}"
        assert time.monotonic() < deadline, f"{process.args!r}: timeout after {seconds} s:\n{said}"
        time.sleep(0.05)


def wait_until(condition: Callable[[], object], describe: Callable[[], str], seconds: float = 30) -> None:
    """Wait until a condition is true. Fail with a description after the timeout."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"timeout after {seconds} s: {describe()}"
        time.sleep(0.05)


def get_workers(server: int) -> list[psutil.Process]:
    """Return the worker processes of a server, without the resource tracker of multiprocessing."""
    found = []
    with contextlib.suppress(psutil.NoSuchProcess):
        for child in psutil.Process(server).children():
            with contextlib.suppress(psutil.NoSuchProcess):  # it has just exited
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
        start_new_session=True,  # without a terminal, the command reads the password from stdin
    )
