"""`flask db`: migrations by Flask-Alembic. `commands.py` imports this file only when it is needed."""

import logging
from typing import Literal

import click
from alembic.util import CommandError
from flask.cli import ScriptInfo, with_appcontext
from flask_alembic import Alembic
from flask_alembic.cli import cli
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.pool import NullPool

from .database import set_up_sqlite
from .extensions import db
from .models import Model, UtcDateTime

LOCK = 0x666C61736B  # the key of PostgreSQL's advisory lock: any number that no other program uses


class Migrations(click.Group):
    """Flask-Alembic's commands, whose errors are sentences."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except CommandError as error:
            advice = "Run `flask db upgrade` first." if "not up to date" in str(error) else ""
            advice = "Run `flask db merge` first." if "ultiple head" in str(error) else advice
            raise click.ClickException(f"{error} {advice}".strip()) from error


@click.group(cls=Migrations, commands=cli.commands)
@click.pass_context
@with_appcontext
def group(ctx: click.Context) -> None:
    """Migrate the database."""
    app = ctx.ensure_object(ScriptInfo).load_app()
    if "alembic" not in app.extensions:
        logging.getLogger("alembic").setLevel(logging.INFO)  # which migrations run
        app.config["ALEMBIC_CONTEXT"] = {
            "render_item": render_type,
            "render_as_batch": True,  # SQLite cannot change most of a table: Alembic makes a new one
            "transactional_ddl": True,  # in SQLite too, with the hooks of `create_migration_engine`
        }
        engine = create_migration_engine(db.engine)
        Alembic(app, metadatas=Model.metadata, engines=engine, command_name="", run_mkdir=False)
    ctx.obj = app.extensions["alembic"]  # what Flask-Alembic's commands work on


def create_migration_engine(engine: Engine) -> Engine:
    """Return an engine on which a migration is one transaction, and waits for another one to end.

    It has no time limit for statements. Foreign keys of SQLite are off: with them on, replacing a
    table would delete the rows that refer to it (https://www.sqlite.org/foreignkeys.html, section 5).
    """
    begin, connect_args = f"SELECT pg_advisory_xact_lock({LOCK})", {}
    if is_sqlite := engine.dialect.name == "sqlite":
        # Python's sqlite3 begins no transaction before CREATE or ALTER, so a failed migration would leave
        # half. Source: SQLAlchemy's documentation, "Enabling Non-Legacy SQLite Transactional Modes".
        begin, connect_args = "BEGIN IMMEDIATE", {"isolation_level": None}
    migrating = create_engine(engine.url, poolclass=NullPool, connect_args=connect_args)
    if is_sqlite:
        event.listen(migrating, "connect", set_up_sqlite)
    event.listen(migrating, "begin", lambda connection: connection.exec_driver_sql(begin))
    return migrating


def render_type(kind: str, item: object, _context: object) -> str | Literal[False]:
    """Write our column type in migrations as what it is in the database."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, UtcDateTime) else False
