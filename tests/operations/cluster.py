"""A generated project as a cluster on this machine: servers of its API behind its own Caddyfile."""

import contextlib
import re
import secrets
import signal
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from tests.baking import BakedProject, tool
from tests.client import ORIGIN, PASSWORD, USER, Client
from tests.servers import PostgreSQL, Redis, Server
from tests.serving import flask_user, until, workers_of

HOST = "api.example.test"
S = TypeVar("S", bound=Server)


class Api(Server):
    """A server of the API, run as its README says; it keeps its port when it is started again."""

    def __init__(self, folder: Path, project: BakedProject, settings: Mapping[str, str]) -> None:
        """Choose a port; `settings` is its environment, and may be changed before a start."""
        super().__init__(folder)
        self.project, self.place = project, project.path
        self.settings = {**settings, "PORT": str(self.port)}

    def command(self) -> Sequence[str]:
        """Return what is run."""
        return [self.project.python, "-m", self.project.package]

    def start(self) -> None:
        """Start it, and wait until it is ready."""
        super().start()
        with contextlib.closing(self.client()) as client:
            until(lambda: client.tries("GET", "/health/ready") == 200, lambda: self.said)

    def stop(self) -> None:
        """Ask it to stop as every platform does, and wait until it has."""
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(30)

    def workers(self) -> list[int]:
        """Return the ids of the processes that answer, and not of the one that keeps Python's books beside them."""
        return [process.pid for process in workers_of(self.process.pid)] if self.process else []

    def client(self) -> Client:
        """Return a client that asks this server, past what stands in front of it."""
        return Client(self.port, HOST)


class Caddy(Server):
    """Caddy with the Caddyfile of a project, its API by plain http, and its health checks ten times as often."""

    def __init__(self, folder: Path, project: BakedProject, servers: Sequence[Api]) -> None:
        """Stand in front of `servers`."""
        super().__init__(folder)
        theirs, quickened = re.subn(
            r"health_interval 2s\n", "health_interval 200ms\n", project.read("deploy/Caddyfile")
        )
        assert quickened
        ours = "{\n\tadmin off\n\tauto_https off\n\tdefault_bind 127.0.0.1\n}\n"
        (folder / "Caddyfile").write_text(ours + theirs, encoding="utf-8")
        self.settings = {
            "API_SITE": f"http://{HOST}:{self.port}",
            "SITE": f"http://app.example.test:{self.port}",
            "API": " ".join(f"127.0.0.1:{server.port}" for server in servers),
            "XDG_DATA_HOME": str(folder),
            "XDG_CONFIG_HOME": str(folder),
        }

    def command(self) -> Sequence[str]:
        """Return what is run."""
        return [tool("caddy"), "run", "--adapter", "caddyfile", "--config", "Caddyfile"]

    def client(self, address: str = "127.0.0.1") -> Client:
        """Return a client of the cluster that has an address of this machine."""
        return Client(self.port, HOST, address)


@dataclass
class Cluster:
    """Servers of an API behind Caddy, what they keep their data in, and somebody who is signed in."""

    servers: list[Api]
    caddy: Caddy
    postgresql: PostgreSQL
    redis: Redis
    database: str
    signed_in: Client
    key: str  # that signs cookies
    next_key: str  # that every server knows before the first one uses it

    def stored(self) -> list[str]:
        """Return the titles of all notes of the database."""
        return self.postgresql.sql("SELECT title FROM note", self.database).split()


def production(database: str, **settings: str) -> dict[str, str]:
    """Return the settings of a server with a database; tests sign in more often than people."""
    usual = {
        "APP_ENV": "production",
        "SECRET_KEY": secrets.token_hex(32),
        "DATABASE_URL": database,
        "FRONTEND_ORIGINS": ORIGIN,
        "LOGIN_LIMIT": "6000 per minute",
        "LOGIN_ACCOUNT_LIMIT": "6000 per minute",
        "WORKERS": "2",
        "THREADS": "4",
    }
    return usual | settings


def prepare(project: BakedProject, settings: Mapping[str, str], *users: str) -> None:
    """Migrate a database to the newest revision, and make users."""
    project.succeeds(project.python, "-m", "flask", "db", "upgrade", env=settings)
    for user in users:
        flask_user(project, settings, "create", user, PASSWORD)


@contextlib.contextmanager
def serving_api(folder: Path, project: BakedProject, settings: Mapping[str, str]) -> Iterator[Api]:
    """Run one server for as long as the block lasts."""
    with _running(Api(folder, project, settings)) as server:
        yield server


@contextlib.contextmanager
def serving_cluster(folder: Path, project: BakedProject, postgresql: PostgreSQL, redis: Redis) -> Iterator[Cluster]:
    """Run two servers behind Caddy, on a new database, for as long as the block lasts."""
    database, key, next_key = postgresql.database(), secrets.token_hex(32), secrets.token_hex(32)
    keys = {"SECRET_KEY": key, "SECRET_KEY_FALLBACKS": next_key}
    shared = {"RATELIMIT_STORAGE_URI": redis.database(), "TRUSTED_PROXIES": "1", "LOGIN_LIMIT": "30 per minute"}
    settings = production(database, STOP_DELAY="1", **keys, **shared)
    prepare(project, settings, USER)
    servers = []
    for name in ("server-1", "server-2"):
        (folder / name).mkdir()
        servers.append(Api(folder / name, project, settings))
    caddy = Caddy(folder, project, servers)
    with contextlib.ExitStack() as running:
        for server in (*servers, caddy):
            running.enter_context(_running(server))
        signed_in = caddy.client()
        until(lambda: signed_in.tries("GET", "/health/ready") == 200, lambda: caddy.said)
        assert signed_in.sign_in().status == 200
        yield Cluster(servers, caddy, postgresql, redis, database, signed_in, key, next_key)


@contextlib.contextmanager
def _running(server: S) -> Iterator[S]:
    try:
        server.start()
        yield server
    finally:
        server.kill()
