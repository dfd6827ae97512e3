"""How migrations run. `commands.py` imports this only when it is needed: Alembic takes long to import."""

import logging
from collections.abc import Sequence

import click
from alembic.util import CommandError
from flask.cli import ScriptInfo
from flask_alembic import Alembic
from flask_alembic.cli import cli
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.pool import NullPool

from .database import set_up_sqlite
from .extensions import db
from .models import Model, UtcDateTime

LOCK = 0x666C61736B  # the key of PostgreSQL's advisory lock: any number that no other program uses


def run(ctx: click.Context, words: Sequence[str]) -> None:
    """Run one of Flask-Alembic's commands, whose errors become sentences."""
    logging.getLogger("alembic").setLevel(logging.INFO)  # which migrations run
    app = ctx.ensure_object(ScriptInfo).load_app()
    app.config["ALEMBIC_CONTEXT"] = {
        # our column type is written as what it is in the database
        "render_item": lambda _kind, item, _: isinstance(item, UtcDateTime) and "sa.DateTime(timezone=True)",
        "render_as_batch": True,  # SQLite cannot change most of a table: Alembic makes a new one
        "transactional_ddl": True,  # in SQLite too, with the hooks of `create_migration_engine`
    }
    engine = create_migration_engine(db.engine)
    Alembic(app, metadatas=Model.metadata, engines=engine, command_name="", run_mkdir=False)
    try:
        with cli.make_context("db", list(words), parent=ctx.parent) as context:
            cli.invoke(context)
    except CommandError as error:
        advice = "Run `flask db upgrade` first." if "not up to date" in str(error) else ""
        advice = "Run `flask db merge` first." if "ultiple head" in str(error) else advice
        raise click.ClickException(f"{error} {advice}".strip()) from error


def create_migration_engine(engine: Engine) -> Engine:
    """Return an engine on which a migration is one transaction, and waits for another one to end.

    It has no time limit for statements. Foreign keys of SQLite are off: with them on, replacing a
    table would delete the rows that refer to it (https://www.sqlite.org/foreignkeys.html, section 5).
    """
    if engine.dialect.name == "postgresql":
        migrating = create_engine(engine.url, poolclass=NullPool)
        begin = f"SELECT pg_advisory_xact_lock({LOCK})"
    else:
        # Python's sqlite3 begins no transaction before CREATE or ALTER, so a failed migration would leave
        # half. Source: SQLAlchemy's documentation, "Enabling Non-Legacy SQLite Transactional Modes".
        migrating = create_engine(engine.url, poolclass=NullPool, connect_args={"isolation_level": None})
        event.listen(migrating, "connect", set_up_sqlite)
        event.listen(migrating, "connect", lambda sqlite, _: sqlite.execute("PRAGMA foreign_keys = OFF"))
        begin = "BEGIN IMMEDIATE"
    event.listen(migrating, "begin", lambda connection: connection.exec_driver_sql(begin))
    return migrating
