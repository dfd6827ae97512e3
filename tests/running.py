"""Run the dev.py of a generated project and check its output and its processes."""

import contextlib
import itertools
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import psutil

from tests.baking import BakedProject, environment

DEFAULTS = (8000, 5173)
MARK = "STARTED_BY_TEST"  # an environment variable that child processes inherit
READY = "Ctrl-C stops everything"
# Each test process has its own range of ports, below the ephemeral ports, and takes the next one each time.
# So no other test gets a port between its choice and its use.
FIRST = 20_000 + 1_000 * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
PORTS = itertools.cycle(random.sample(range(FIRST, FIRST + 1_000), 1_000))


class RunningProject:
    """A project started by `python dev.py`."""

    def __init__(
        self,
        project: BakedProject,
        env: Mapping[str, str] | None = None,
        command: Sequence[str] | None = None,
        ports: tuple[int, int] = (0, 0),
    ) -> None:
        """Start it. `running` also stops it, and describes the ports."""
        self.mark = uuid.uuid4().hex
        api, page = map(preferred_port, ports)
        self.api, self.page = f"http://localhost:{api}", f"http://localhost:{page}"
        chosen = {} if (api, page) == DEFAULTS else {"PORT": str(api), "FRONTEND_PORT": str(page)}
        handle, name = tempfile.mkstemp(suffix=".log")
        self.log = Path(name)
        with os.fdopen(handle, "wb") as file:
            self.process = subprocess.Popen(
                command or [project.python, "dev.py"],
                cwd=project.path,
                env=environment(chosen | {MARK: self.mark} | dict(env or {})),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def output(self) -> str:
        """The output of dev.py and its servers so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def wait_until(self, condition: Callable[[], object], seconds: float = 90) -> None:
        """Wait until a condition is true. Fail with the output after the timeout or if dev.py exits."""
        deadline = time.monotonic() + seconds
        while not condition():
            ended = self.process.poll() is not None and not condition()
            assert not ended, f"dev.py exited with {self.process.returncode}:\n{self.output}"
            assert time.monotonic() < deadline, f"dev.py: timeout after {seconds} s:\n{self.output}"
            time.sleep(0.05)

    def wait_until_ready(self) -> None:
        """Wait until dev.py prints the addresses of its servers."""
        self.wait_until(lambda: READY in self.output)

    def wait_until_gone(self, seconds: float = 30) -> bool:
        """Wait until no process of the project is running. Return False after the timeout."""
        deadline = time.monotonic() + seconds
        while self.processes() and time.monotonic() < deadline:
            time.sleep(0.05)
        return not self.processes()

    def wait(self, seconds: float = 60) -> int:
        """Wait until dev.py exits and return its exit code."""
        return self.process.wait(seconds)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send dev.py a signal and return its exit code."""
        self.process.send_signal(number)
        return self.wait()

    def processes(self) -> list[psutil.Process]:
        """Return every running process that this start has created."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                if process.status() != psutil.STATUS_ZOMBIE and process.environ().get(MARK) == self.mark:
                    found.append(process)
        return found


@contextlib.contextmanager
def running(
    project: BakedProject,
    env: Mapping[str, str] | None = None,
    command: Sequence[str] | None = None,
    ports: tuple[int, int] = (0, 0),
) -> Iterator[RunningProject]:
    """Run a project until the block ends, then kill all its processes.

    Args:
        project: a project with its Python packages.
        env: additional environment variables.
        command: a command instead of `python dev.py`.
        ports: for API and page, each this port or a free one. The default ports are for one test only.
    """
    started = RunningProject(project, env, command, ports)
    try:
        yield started
    finally:
        if started.process.poll() is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                started.stop()
        for process in started.processes():
            with contextlib.suppress(psutil.Error):
                process.kill()
        started.process.wait(30)
        if sys.exc_info()[0]:
            print(started.output)
        started.log.unlink()


def preferred_port(port: int) -> int:
    """Return a port if it is free, otherwise another free port. 0 is any port."""
    for candidate in filter(None, (port, *itertools.islice(PORTS, 100))):
        with socket.socket() as listener, contextlib.suppress(OSError):
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", candidate))
            return int(listener.getsockname()[1])
    raise AssertionError("no port is free")
