"""How migrations run. `commands.py` imports this only when it is needed: Alembic takes long to import."""

import logging
import re
from collections.abc import Sequence
from typing import Any

import click
from alembic.util import CommandError
from flask.cli import ScriptInfo
from flask_alembic import Alembic
from flask_alembic.cli import cli
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from .extensions import db
from .models import Model, UtcDateTime

# what SQLite (twice) and PostgreSQL say, with the statement, when rows have no value for a new column
NO_VALUE = re.compile(
    r'with default value NULL.*ADD COLUMN "?(\w+)'
    r"|NOT NULL constraint failed: \w+\.(\w+)"
    r'|column "(\w+)" .*contains null values',
    re.DOTALL,
)


def run(ctx: click.Context, words: Sequence[str]) -> None:
    """Run one of Flask-Alembic's commands, whose errors become sentences."""
    logging.getLogger("alembic.runtime.migration").setLevel(logging.INFO)  # which migrations run
    app = ctx.ensure_object(ScriptInfo).load_app()
    app.config["ALEMBIC_CONTEXT"] = {
        # our column type is written as what it is in the database
        "render_item": lambda _kind, item, _: isinstance(item, UtcDateTime) and "sa.DateTime(timezone=True)",
        "compare_server_default": is_default_changed,
        "render_as_batch": True,  # SQLite cannot change most of a table: Alembic makes a new one
        "transactional_ddl": True,  # in SQLite too, with the hooks of `create_migration_engine`
    }
    engine = create_migration_engine(db.engine)
    alembic = Alembic(app, metadatas=Model.metadata, engines=engine, command_name="", run_mkdir=False)
    try:
        with cli.make_context("db", list(words), parent=ctx.parent) as context:
            cli.invoke(context)
        with app.app_context():  # its end is the end of the transaction
            if words == ("upgrade",) and alembic.needs_revision():
                change = 'uv run flask db revision "what changed"'
                click.echo(f"models.py has changed since the last revision. Run: {change}")
    except DBAPIError as error:
        if not (found := NO_VALUE.search(f"{error.orig} {error.statement}")):
            raise
        column = next(filter(None, found.groups()))
        raise click.ClickException(
            f"rows that are there have no value for the new column {column}, which is NOT NULL. Write"
            ' server_default="…" into its sa.Column(…) in the new file of migrations/ and into its'
            " mapped_column(…) in models.py, then run `flask db upgrade` again."
        ) from error
    except CommandError as error:
        advice = "Run `flask db upgrade` first." if "not up to date" in str(error) else ""
        advice = "Run `flask db merge` first." if "ultiple head" in str(error) else advice
        raise click.ClickException(f"{error} {advice}".strip()) from error


def is_default_changed(*arguments: Any) -> bool | None:
    """Let Alembic decide, except about server_default="", which it always takes for a change."""
    inspected, rendered = arguments[3], arguments[5]
    return False if rendered == "" and str(inspected).startswith(("''", "('')")) else None


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
