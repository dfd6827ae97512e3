"""A real PostgreSQL and a real Redis, each in a folder of its own on a free port, and their faults.

`Server` is what both can do: `start`, `stop`, `kill` (as `kill -9`), `freeze` and `thaw` (a server that hangs).
They keep port and data over a restart. `database()` makes an empty database, and returns its address.
"""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import TypeVar

import psutil

from tests.baking import environment, require
from tests.running import preferred_port
from tests.serving import until_it_answers

# where Debian keeps the programs of PostgreSQL: those of each version apart, and none of them on the path
PROGRAMS = [os.environ["PATH"], *map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True))]
POSTGRESQL_IS_MISSING = "PostgreSQL is not installed: apt-get install postgresql, or see https://www.postgresql.org"
REDIS_IS_MISSING = "Redis is not installed: apt-get install redis-server, or see https://redis.io/docs"
S = TypeVar("S", bound="Server")


def program(name: str, sentence: str) -> str:
    """Return where a program is; skip, or fail where CI is set, with a sentence that says how to get it."""
    found = shutil.which(name, path=os.pathsep.join(PROGRAMS))
    require(found, sentence)
    return str(found)


class Server:
    """A server of one port: made stopped, in a folder that belongs to it."""

    def __init__(self, folder: Path, user: str | None = None) -> None:
        """Choose a port; the server's files go to `folder`, and it runs as `user`."""
        self.folder, self.user, self.port = folder, user, preferred_port(0)
        self.log = folder / "log"
        self.process: subprocess.Popen[bytes] | None = None
        self.numbers = count(1)

    def command(self) -> Sequence[str]:
        """Return what is run."""
        raise NotImplementedError

    def start(self) -> None:
        """Start it, and wait until it answers."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command(),
                cwd=self.folder,
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=self.user,
            )
        until_it_answers(self.process, self.port, self.log)

    def processes(self) -> list[psutil.Process]:
        """Return its processes: the one that was started, and those that it has started."""
        if self.process is None or self.process.poll() is not None:
            return []
        first = psutil.Process(self.process.pid)
        return [first, *first.children(recursive=True)]

    def stop(self) -> None:
        """Ask it to stop, and wait until it has."""
        if self.process is not None:
            self.thaw()
            self.process.send_signal(2)  # PostgreSQL ends its connections; by 15 it would wait for their ends
            self.process.wait(30)

    def kill(self) -> None:
        """End every process of it at once, as a machine does that loses its power."""
        for process in self.processes():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        if self.process is not None:
            self.process.wait(30)

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


class PostgreSQL(Server):
    """PostgreSQL without passwords, and without waiting for the disk."""

    def command(self) -> Sequence[str]:
        """Return what is run; a commit waits for the file system, so that `kill` loses none."""
        options = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off"}
        command = [program("postgres", POSTGRESQL_IS_MISSING), "-D", str(self.folder / "data"), "-p", str(self.port)]
        return command + [f"--{name}={value}" for name, value in options.items()]

    def initialise(self) -> None:
        """Make its files."""
        command = [program("initdb", POSTGRESQL_IS_MISSING), "--no-sync", "--auth=trust", "--username=postgres"]
        command += ["--encoding=UTF8", "--locale=C", "--pgdata", str(self.folder / "data")]
        subprocess.run(command, cwd=self.folder, user=self.user, check=True, capture_output=True)

    def database(self) -> str:
        """Make an empty database, and return its URL."""
        name = f"test_{next(self.numbers)}"
        self.sql(f"CREATE DATABASE {name}")
        return self.url(name)

    def url(self, name: str) -> str:
        """Return the URL of a database, as hosting platforms give it."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{name}"

    def sql(self, statement: str, database: str = "postgres") -> str:
        """Run a statement in a database, given by name or URL; return what comes out, a line for each row."""
        url = database if ":" in database else self.url(database)
        command = [program("psql", POSTGRESQL_IS_MISSING), "-qtAX", "-v", "ON_ERROR_STOP=1", "-c", statement, url]
        for _ in range(100):  # a server that has just started may be busy with what it was killed in
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
            if "starting up" not in done.stderr and "recovery" not in done.stderr:
                break
            time.sleep(0.1)
        assert done.returncode == 0, done.stderr
        return done.stdout


class Redis(Server):
    """Redis that keeps everything in memory: killed, it is empty."""

    def command(self) -> Sequence[str]:
        """Return what is run."""
        command = [program("redis-server", REDIS_IS_MISSING), "--bind", "127.0.0.1", "--port", str(self.port)]
        return [*command, "--save", "", "--databases", "1000"]

    def database(self) -> str:
        """Return the URI of an empty database."""
        return f"redis://127.0.0.1:{self.port}/{next(self.numbers)}"

    def size(self, uri: str) -> int:
        """Return how many keys a database has."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
            connection.sendall(f"SELECT {uri.rpartition('/')[2]}\r\nDBSIZE\r\nQUIT\r\n".encode())
            answers = connection.makefile("rb").read().decode().split()
        return int(answers[1].removeprefix(":"))


@contextlib.contextmanager
def postgresql() -> Iterator[PostgreSQL]:
    """Run a PostgreSQL for as long as the block lasts."""
    program("initdb", POSTGRESQL_IS_MISSING)
    # it refuses to run as root, and another user sees nothing of pytest's folders
    user = "postgres" if getattr(os, "geteuid", lambda: 1)() == 0 else None
    with tempfile.TemporaryDirectory(prefix="postgresql-", ignore_cleanup_errors=True) as folder:
        if user:
            shutil.chown(folder, user)
        server = PostgreSQL(Path(folder), user)
        server.initialise()
        yield from _run(server)


@contextlib.contextmanager
def redis() -> Iterator[Redis]:
    """Run a Redis for as long as the block lasts."""
    program("redis-server", REDIS_IS_MISSING)
    with tempfile.TemporaryDirectory(prefix="redis-") as folder:
        yield from _run(Redis(Path(folder)))


def _run(server: S) -> Iterator[S]:
    try:
        server.start()
        yield server
    finally:
        if server.processes():
            server.stop()
