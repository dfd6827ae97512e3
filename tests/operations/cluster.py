"""Run a generated project as a cluster: several API servers behind Caddy with its Caddyfile."""

import contextlib
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.baking import BakedProject
from tests.client import ORIGIN, PASSWORD, USER, Client
from tests.production import Api
from tests.proxies import Caddy
from tests.servers import PostgreSQL, Redis
from tests.serving import flask_user, running, wait_until


@dataclass
class Cluster:
    """API servers behind Caddy, their databases and a signed-in client."""

    servers: list[Api]
    caddy: Caddy
    postgresql: PostgreSQL
    redis: Redis
    database: str
    client: Client
    key: str  # signs cookies
    next_key: str  # every server accepts it before the first one uses it

    def get_titles(self) -> list[str]:
        """Return the titles of all notes in the database."""
        return self.postgresql.sql("SELECT title FROM note", self.database).split()


def build_settings(database: str, **settings: str) -> dict[str, str]:
    """Return the settings of a server with a database. The rate limits are high enough for tests."""
    defaults = {
        "APP_ENV": "production",
        "SECRET_KEY": secrets.token_hex(32),
        "DATABASE_URL": database,
        "FRONTEND_ORIGINS": ORIGIN,
        "LOGIN_LIMIT": "6000 per minute",
        "LOGIN_ACCOUNT_LIMIT": "6000 per minute",
        "WORKERS": "2",
        "THREADS": "4",
    }
    return defaults | settings


def prepare(project: BakedProject, settings: Mapping[str, str], *users: str) -> None:
    """Migrate a database to the newest revision and create users."""
    project.check_output(project.python, "-m", "flask", "db", "upgrade", env=settings)
    for user in users:
        flask_user(project, settings, "create", user, PASSWORD)


@contextlib.contextmanager
def serving_cluster(folder: Path, project: BakedProject, postgresql: PostgreSQL, redis: Redis) -> Iterator[Cluster]:
    """Run two servers behind Caddy with a new database until the block ends."""
    database, key, next_key = postgresql.database(), secrets.token_hex(32), secrets.token_hex(32)
    keys = {"SECRET_KEY": key, "SECRET_KEY_FALLBACKS": next_key}
    shared = {"RATELIMIT_STORAGE_URI": redis.database(), "TRUSTED_PROXIES": "1", "LOGIN_LIMIT": "30 per minute"}
    settings = build_settings(database, **keys, **shared)
    prepare(project, settings, USER)
    servers = []
    for name in ("server-1", "server-2"):
        (folder / name).mkdir()
        servers.append(Api(folder / name, project, settings))
    caddy = Caddy(folder, project, [server.port for server in servers], changes={"health_interval": "200ms"})
    with contextlib.ExitStack() as stack:
        for server in (*servers, caddy):
            stack.enter_context(running(server))
        client = caddy.client()
        wait_until(lambda: client.get_status("GET", "/health/ready") == 200, lambda: caddy.output)
        assert client.sign_in().status == 200
        yield Cluster(servers, caddy, postgresql, redis, database, client, key, next_key)
