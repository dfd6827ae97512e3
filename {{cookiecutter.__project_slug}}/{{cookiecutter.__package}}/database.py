"""The database: SQLite in a file, or PostgreSQL. One engine, and one session for each request."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from flask import Flask, current_app, g
from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.orm import Session

from .errors import SettingsError

POSTGRESQL = "postgresql+psycopg"
EXAMPLES = "sqlite:///lab.sqlite or postgresql://user:password@host/name"
# for PostgreSQL connections, in seconds unless a comment names another unit
CONNECT_ARGS: dict[str, Any] = {
    "connect_timeout": 3,
    "options": "-c statement_timeout=5000",  # milliseconds until PostgreSQL cancels a statement
    "tcp_user_timeout": 6000,  # milliseconds until a lost network ends the connection
    "keepalives_idle": 2,
    "prepare_threshold": None,  # off: after a migration, a prepared statement can fail once
}


class Database:
    """Give each application an engine, and each request a session."""

    def init_app(self, app: Flask) -> None:
        url = get_database_url(app)
        is_postgresql = url.drivername == POSTGRESQL
        engine = create_engine(
            url,
            pool_size=app.config["THREADS"],  # each thread has one connection at a time
            pool_timeout=5,  # seconds
            pool_pre_ping=is_postgresql,  # replaces a connection that the database has closed
            connect_args={k: v for k, v in CONNECT_ARGS.items() if is_postgresql and k not in url.query},
            hide_parameters=True,  # session keys and password hashes must not be in the log
        )
        if not is_postgresql:
            event.listen(engine, "connect", set_up_sqlite)
        app.extensions["engine"] = engine
        app.teardown_appcontext(close_session)

    @property
    def engine(self) -> Engine:
        engine: Engine = current_app.extensions["engine"]
        return engine

    @property
    def address(self) -> str:
        """Return the database URL without the password."""
        return self.engine.url.set(query={}).render_as_string()

    @property
    def session(self) -> Session:
        """Return the session of this request. It is created at first use and closed after the response."""
        if "session" not in g:
            g.session = Session(self.engine, expire_on_commit=False)  # readable after a commit
        session: Session = g.session
        return session


def close_session(_error: BaseException | None) -> None:
    if session := g.pop("session", None):
        try:
            session.close()
        except DBAPIError:  # the connection is lost, but the response is ready
            session.invalidate()


def get_database_url(app: Flask) -> URL:
    """Return DATABASE_URL. Resolve a relative SQLite path in the instance folder, and create that folder."""
    url = parse_database_url(app.config["DATABASE_URL"])
    if url.drivername == POSTGRESQL or Path(url.database or "").is_absolute():
        return url
    folder = Path(app.instance_path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(f"{error}. Set DATABASE_URL=sqlite:////path/lab.sqlite.") from error
    return url.set(database=str(folder / str(url.database)))


def parse_database_url(text: str) -> URL:
    """Return the URL with its driver. A ValueError omits the value, which may hold a password."""
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise ValueError(f"is not a database URL. Set it to {EXAMPLES}.") from None
    if url.drivername in ("postgres", "postgresql", POSTGRESQL):  # platforms use the first
        if find_spec("psycopg") is None:
            raise ValueError("needs psycopg, which is missing. Run uv sync --extra postgresql.")
        return url.set(drivername=POSTGRESQL)
    if url.drivername != "sqlite":
        raise ValueError(f"begins with {url.drivername!r}. Set it to {EXAMPLES}.")
    if url.host or url.username or url.query or not url.database or ":memory:" in url.database:
        raise ValueError("is not the path of a file. Set it to sqlite:///lab.sqlite, with three slashes.")
    return url


def set_up_sqlite(connection: Any, _record: Any) -> None:
    # a writer waits up to busy_timeout (milliseconds) for another one; with WAL, readers do not wait
    for pragma in ("busy_timeout = 15000", "journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")
