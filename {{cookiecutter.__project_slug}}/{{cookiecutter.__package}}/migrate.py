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

from .extensions import db
from .models import Model, UtcDateTime


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
        command = "merge" if "ultiple head" in str(error) else "upgrade"
        raise click.ClickException(f"{error} Run `flask db {command}` first.") from error


def create_migration_engine(engine: Engine) -> Engine:
    """Return an engine on which a migration is one transaction, and waits for another one to end.

    It has no time limit for statements, and no foreign keys in SQLite: with them, replacing a table
    deletes the rows that refer to it (https://www.sqlite.org/foreignkeys.html, section 5).
    """
    begin, connect_args = "SELECT pg_advisory_xact_lock(1)", {}
    if engine.dialect.name == "sqlite":
        # Python's sqlite3 begins no transaction before CREATE or ALTER, so a failed migration would leave
        # half. Source: SQLAlchemy's documentation, "Enabling Non-Legacy SQLite Transactional Modes".
        begin, connect_args = "BEGIN IMMEDIATE", {"isolation_level": None, "timeout": 15}
    migrating = create_engine(engine.url, poolclass=NullPool, connect_args=connect_args)
    event.listen(migrating, "begin", lambda connection: connection.exec_driver_sql(begin))
    return migrating
