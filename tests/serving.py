"""Run any program that serves a port, for as long as a test needs it."""

import contextlib
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import psutil

from tests.baking import BakedProject, environment


@contextlib.contextmanager
def serving(
    command: Sequence[str | Path], port: int, folder: Path | None = None, env: Mapping[str, str] | None = None
) -> Iterator[Path]:
    """Run a program until its port answers and the block ends; yield the file with everything that it says."""
    with tempfile.TemporaryDirectory() as logs:
        log = Path(logs, "log")
        with log.open("wb") as file:
            process = subprocess.Popen(
                command,
                cwd=folder,
                env=environment(env),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            until_it_answers(process, port, log)
            yield log
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            with contextlib.suppress(ProcessLookupError):  # and whatever it has left behind
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def until_it_answers(process: subprocess.Popen[bytes], port: int, log: Path, seconds: float = 60) -> None:
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


def until(condition: Callable[[], object], said: Callable[[], str], seconds: float = 30) -> None:
    """Wait until something is so; fail with what is said about it when that does not happen."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s in vain: {said()}"
        time.sleep(0.05)


def workers_of(server: int) -> list[psutil.Process]:
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
