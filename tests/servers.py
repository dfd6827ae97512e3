"""Run a real PostgreSQL and a real Redis, each in its own folder on a free port.

`database()` creates an empty database and returns its URL.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path

from tests.baking import require
from tests.serving import Server, running

# Debian has a folder for each version of PostgreSQL, which is not on the PATH
PROGRAMS = [os.environ["PATH"], *map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True))]
INSTALL_POSTGRESQL = "PostgreSQL is not installed: apt-get install postgresql, or see https://www.postgresql.org"
INSTALL_REDIS = "Redis is not installed: apt-get install redis-server, or see https://redis.io/docs"


def find_program(name: str, sentence: str) -> str:
    """Return the path of a program. Skip the test if it is missing, or fail if CI is set."""
    found = shutil.which(name, path=os.pathsep.join(PROGRAMS))
    require(found, sentence)
    return str(found)


class PostgreSQL(Server):
    """PostgreSQL without passwords, and without fsync by default."""

    fsync = "off"
    stop_signal = signal.SIGINT  # SIGINT closes connections, SIGTERM waits for them

    def __init__(self, folder: Path, user: str | None) -> None:
        """Count the databases from 1."""
        super().__init__(folder, user)
        self.numbers = count(1)

    def command(self) -> Sequence[str]:
        """Return the command. A commit waits for the file system, so `kill` loses none."""
        options = {"listen_addresses": "127.0.0.1", "unix_socket_directories": str(self.folder), "fsync": self.fsync}
        command = [find_program("postgres", INSTALL_POSTGRESQL), "-D", str(self.folder / "data"), "-p", str(self.port)]
        return command + [f"--{name}={value}" for name, value in options.items()]

    def initialise(self) -> None:
        """Create its files."""
        command = [find_program("initdb", INSTALL_POSTGRESQL), "--no-sync", "--auth=trust", "--username=postgres"]
        command += ["--encoding=UTF8", "--locale=C", "--pgdata", str(self.folder / "data")]
        subprocess.run(command, cwd=self.folder, user=self.user, check=True, capture_output=True)

    def database(self) -> str:
        """Create an empty database and return its URL."""
        name = f"test_{next(self.numbers)}"
        self.sql(f"CREATE DATABASE {name}")
        return self.url(name)

    def url(self, name: str) -> str:
        """Return the URL of a database in the form that hosting platforms use."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{name}"

    def sql(self, statement: str, database: str = "postgres") -> str:
        """Run a statement in a database, given by name or URL. Return one line for each row."""
        url = database if ":" in database else self.url(database)
        command = [find_program("psql", INSTALL_POSTGRESQL), "-qtAX", "-v", "ON_ERROR_STOP=1", "-c", statement, url]
        for _ in range(100):  # after a kill, the server first recovers
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
            if "starting up" not in done.stderr and "recovery" not in done.stderr:
                break
            time.sleep(0.1)
        assert done.returncode == 0, done.stderr
        return done.stdout


class Redis(Server):
    """Redis in memory only. It is empty after a kill."""

    def __init__(self, folder: Path) -> None:
        """Count the databases from 1."""
        super().__init__(folder)
        self.numbers = count(1)

    def command(self) -> Sequence[str]:
        """Return the command."""
        command = [find_program("redis-server", INSTALL_REDIS), "--bind", "127.0.0.1", "--port", str(self.port)]
        return [*command, "--save", "", "--databases", "1000"]

    def database(self) -> str:
        """Return the URI of an empty database."""
        return f"redis://127.0.0.1:{self.port}/{next(self.numbers)}"

    def size(self, uri: str) -> int:
        """Return the number of keys in a database."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
            connection.sendall(f"SELECT {uri.rpartition('/')[2]}\r\nDBSIZE\r\nQUIT\r\n".encode())
            answers = connection.makefile("rb").read().decode().split()
        return int(answers[1].removeprefix(":"))


@contextlib.contextmanager
def postgresql(fsync: str = "off") -> Iterator[PostgreSQL]:
    """Run a PostgreSQL until the block ends. With `fsync="on"`, a commit waits for the disk."""
    find_program("initdb", INSTALL_POSTGRESQL)
    # PostgreSQL does not run as root, and another user cannot read the folders of pytest
    user = "postgres" if getattr(os, "geteuid", lambda: 1)() == 0 else None
    with tempfile.TemporaryDirectory(prefix="postgresql-", ignore_cleanup_errors=True) as folder:
        if user:
            shutil.chown(folder, user)
        server = PostgreSQL(Path(folder), user)
        server.fsync = fsync
        server.initialise()
        with running(server):
            yield server


@contextlib.contextmanager
def redis() -> Iterator[Redis]:
    """Run a Redis until the block ends."""
    find_program("redis-server", INSTALL_REDIS)
    with tempfile.TemporaryDirectory(prefix="redis-") as folder, running(Redis(Path(folder))) as server:
        yield server
