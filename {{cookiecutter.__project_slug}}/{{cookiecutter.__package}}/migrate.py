"""Run migrations. `commands.py` imports this file only when needed, because importing Alembic is slow."""

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

ADVICE = {"not up to date": "Run `flask db upgrade` first.", "ultiple head": "Run `flask db merge` first."}
# errors of SQLite (twice) and PostgreSQL, with the statement, if rows have no value for a new column
NO_VALUE = re.compile(
    r'with default value NULL.*ADD COLUMN "?(\w+)'
    r"|NOT NULL constraint failed: \w+\.(\w+)"
    r'|column "(\w+)" .*contains null values',
    re.DOTALL,
)


def run(ctx: click.Context, arguments: Sequence[str]) -> None:
    """Run a command of Flask-Alembic. Print its errors as sentences."""
    logging.getLogger("alembic.runtime.migration").setLevel(logging.INFO)  # prints the migrations that run
    app = ctx.ensure_object(ScriptInfo).load_app()
    app.config["ALEMBIC_CONTEXT"] = {
        # write our column type as the type in the database
        "render_item": lambda _kind, item, _: isinstance(item, UtcDateTime) and "sa.DateTime(timezone=True)",
        "compare_server_default": is_default_changed,
        "render_as_batch": True,  # SQLite cannot alter most of a table: Alembic creates a new one
        "transactional_ddl": True,  # in SQLite too, with the hooks of `create_migration_engine`
    }
    engine = create_migration_engine(db.engine)
    alembic = Alembic(app, metadatas=Model.metadata, engines=engine, command_name="", run_mkdir=False)
    try:
        with cli.make_context("db", list(arguments), parent=ctx.parent) as context:
            cli.invoke(context)
        with app.app_context():  # its end commits the transaction
            if arguments == ("upgrade",) and alembic.needs_revision():
                change = 'uv run flask db revision "what changed"'
                click.echo(f"models.py has changed since the last revision. Run: {change}")
    except DBAPIError as error:
        if not (match := NO_VALUE.search(f"{error.orig} {error.statement}")):
            raise
        column = match[match.lastindex or 0]
        raise click.ClickException(
            f"existing rows have no value for the new column {column}, which is NOT NULL. Add"
            ' server_default="…" to its sa.Column(…) in the new file in migrations/ and to its'
            " mapped_column(…) in models.py. Then run `flask db upgrade` again."
        ) from error
    except CommandError as error:
        advice = [ADVICE[part] for part in ADVICE if part in str(error)]
        raise click.ClickException(" ".join([str(error), *advice])) from error


def is_default_changed(*arguments: Any) -> bool | None:
    """Return None to let Alembic decide. It always reports server_default="" as a change."""
    inspected, rendered = arguments[3], arguments[5]
    return False if rendered == "" and str(inspected).startswith(("''", "('')")) else None


def create_migration_engine(engine: Engine) -> Engine:
    """Return an engine that runs a migration in one transaction, after other migrations have ended.

    Its statements have no time limit. SQLite does not enforce foreign keys on it: otherwise, replacing a
    table deletes the rows that refer to it (https://www.sqlite.org/foreignkeys.html, section 5).
    """
    begin, connect_args = "SELECT pg_advisory_xact_lock(1)", {}
    if engine.dialect.name == "sqlite":  # Python's sqlite3 begins no transaction before CREATE or ALTER
        begin, connect_args = "BEGIN IMMEDIATE", {"isolation_level": None, "timeout": 15}
    migration_engine = create_engine(engine.url, poolclass=NullPool, connect_args=connect_args)
    event.listen(migration_engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    return migration_engine
