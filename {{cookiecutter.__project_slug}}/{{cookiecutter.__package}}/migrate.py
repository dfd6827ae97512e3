"""`flask db`: migrations by Flask-Alembic. `commands.py` imports this file only when it is needed."""

import logging
from typing import Any, Literal, cast

import click
from alembic.util import CommandError
from flask import Flask, current_app
from flask.cli import AppGroup, with_appcontext
from flask_alembic import Alembic
from flask_alembic.cli import cli
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import NullPool

from .commands import explained_errors
from .database import set_up_sqlite
from .extensions import db
from .models import Model, UtcDateTime

# how a migration waits for another one; PostgreSQL's number is any that no other program locks
LOCKS = {"sqlite": "BEGIN IMMEDIATE", "postgresql": "SELECT pg_advisory_xact_lock(439855738731)"}


class Migrations(AppGroup):
    """Flask-Alembic's commands, whose errors are sentences."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            with explained_errors():
                return super().invoke(ctx)
        except CommandError as error:
            advice = "Run `flask db upgrade` first." if "not up to date" in str(error) else ""
            advice = "Run `flask db merge` first." if "ultiple head" in str(error) else advice
            raise click.ClickException(f"{error} {advice}".strip()) from error


@click.group(cls=Migrations, commands=cli.commands)
@with_appcontext
@click.pass_context
def group(ctx: click.Context) -> None:
    """Migrate the database."""
    ctx.obj = get_alembic()  # what Flask-Alembic's commands work on


def get_alembic() -> Alembic:
    """Return Flask-Alembic for the current application."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    if "alembic" not in app.extensions:
        logging.getLogger("alembic").setLevel(logging.INFO)  # which migrations run
        app.config["ALEMBIC_CONTEXT"] = {
            "render_item": render_type,
            "render_as_batch": True,  # SQLite cannot change most of a table: Alembic makes a new one
            "transactional_ddl": True,  # in SQLite too, with the hooks of `create_migration_engine`
        }
        engine = create_migration_engine(db.engine)
        Alembic(app, metadatas=Model.metadata, engines=engine, command_name="", run_mkdir=False)
    return cast("Alembic", app.extensions["alembic"])


def create_migration_engine(engine: Engine) -> Engine:
    """Return an engine on which a migration is one transaction, and waits for another one to end.

    It has no time limit for statements. Foreign keys of SQLite are off: with them on, replacing a
    table would delete the rows that refer to it (https://www.sqlite.org/foreignkeys.html, section 5).
    """
    migrating = create_engine(engine.url, poolclass=NullPool)
    if engine.dialect.name == "sqlite":
        event.listen(migrating, "connect", set_up_sqlite)
        event.listen(migrating, "connect", leave_transactions_to_sqlalchemy)
    event.listen(migrating, "begin", wait_for_others)
    return migrating


def leave_transactions_to_sqlalchemy(connection: Any, _record: Any) -> None:
    # Python's sqlite3 begins no transaction before CREATE or ALTER, so a failed migration would leave half.
    # Source: SQLAlchemy's documentation, "Enabling Non-Legacy SQLite Transactional Modes".
    connection.isolation_level = None


def wait_for_others(connection: Connection) -> None:
    connection.exec_driver_sql(LOCKS[connection.dialect.name])


def render_type(kind: str, item: object, _context: object) -> str | Literal[False]:
    """Write our column type in migrations as what it is in the database."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, UtcDateTime) else False
