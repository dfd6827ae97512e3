"""How the database is reached: SQLite on one machine, PostgreSQL for several."""

from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import NullPool

PSYCOPG = "postgresql+psycopg"
FREE_CONNECTION_WITHIN = 5  # seconds


def problem_of_database(address: str) -> str | None:
    """Return what is wrong with DATABASE_URL, or None; never the value, which may hold a password."""
    try:
        url = url_of(address)
        if url.get_backend_name() == "postgresql" and url.drivername != PSYCOPG:
            return "DATABASE_URL names another driver than psycopg; write postgresql:// and what follows."
        url.get_dialect().import_dbapi()
    except (ArgumentError, ValueError):
        return "DATABASE_URL is not a database URL; write for example sqlite:///lab.sqlite."
    except ImportError as error:
        if url.drivername == PSYCOPG:
            return "DATABASE_URL needs psycopg, which is not installed; run uv sync --extra postgresql."
        return (
            f"DATABASE_URL needs the module {error.name!r}, which is not installed; add the package that has"
            " it, or write sqlite:///lab.sqlite or postgresql://…."
        )
    in_memory = not url.database or ":memory:" in url.database or url.query.get("mode") == "memory"
    if url.get_backend_name() == "sqlite" and in_memory:
        return "DATABASE_URL is in memory, each process has one of its own; write sqlite:///lab.sqlite."
    return None


def url_of(address: str) -> URL:
    """Return DATABASE_URL as SQLAlchemy has it: platforms write postgres://, and no driver."""
    url = make_url(address)
    return url.set(drivername=PSYCOPG) if url.drivername in ("postgres", "postgresql") else url


def engine_options(address: str, threads: int) -> dict[str, Any]:
    """Return the arguments of `create_engine` for a server with so many threads in each process."""
    url = url_of(address)
    return {
        "url": url,
        "pool_size": threads,  # each has one connection at a time
        "pool_timeout": FREE_CONNECTION_WITHIN,
        # a connection that the database has closed is replaced before it fails a request
        "pool_pre_ping": url.get_backend_name() == "postgresql",
        # parameters are session keys and password hashes, which no log should have
        "hide_parameters": True,
    }


def tune(engine: Engine) -> None:
    """Set up each connection of an engine that serves requests."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _tune_sqlite)
        event.listen(engine, "connect", _turn_foreign_keys_on)
    if engine.dialect.name == "postgresql":
        from . import postgresql

        event.listen(engine, "do_connect", postgresql.connect)


def engine_of_migrations(engine: Engine) -> Engine:
    """Return an engine that may take its time, and in SQLite replace a table that others refer to.

    With foreign keys on, dropping the old table would delete what refers to it
    (https://www.sqlite.org/foreignkeys.html, section 5).
    """
    patient = create_engine(engine.url, poolclass=NullPool)
    if engine.dialect.name == "sqlite":
        event.listen(patient, "connect", _tune_sqlite)
    return patient


def _tune_sqlite(connection: Any, _record: Any) -> None:
    # the first lets the second wait for others; WAL lets readers and a writer work side by side
    for pragma in ("busy_timeout = 15000", "journal_mode = WAL", "synchronous = NORMAL"):
        connection.execute(f"PRAGMA {pragma}")


def _turn_foreign_keys_on(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA foreign_keys = ON")
