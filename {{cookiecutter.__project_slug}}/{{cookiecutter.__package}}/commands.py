"""Commands: `flask db`, `flask seed`, `flask user`, `flask sessions`. `flask cors` is in `cors/cli.py`."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal, cast

import click
from flask import Flask, current_app, has_app_context
from flask.cli import AppGroup, ScriptInfo
from sqlalchemy import select
from sqlalchemy.exc import DatabaseError, IntegrityError

from .database import engine_of_migrations
from .extensions import db
from .models import Model, Note, User, UtcDateTime
from .sessions import DEMO_PASSWORD, remove_expired, set_password

if TYPE_CHECKING:
    from flask_alembic import Alembic

user_cli = AppGroup("user", help="Create users and change their passwords.")
sessions_cli = AppGroup("sessions", help="Look after the sessions of who has signed in.")
DEMO_NOTES = {
    "Welcome": "This note came over from the API, with your cookie.",
    "Preflights": "Between two origins, the first change of a note asks first, then not for ten minutes.",
}


def init_app(app: Flask) -> None:
    app.cli.add_command(Migrations("db", help="Migrate the database."))
    app.cli.add_command(user_cli)
    app.cli.add_command(sessions_cli)
    app.cli.command("seed")(seed)


class Migrations(AppGroup):
    """Flask-Alembic's commands, imported when asked for: Alembic costs three times Flask's import."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return self._group(ctx).list_commands(ctx)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return self._group(ctx).get_command(ctx, cmd_name)

    def invoke(self, ctx: click.Context) -> object:
        from alembic.util import CommandError

        try:
            return super().invoke(ctx)
        except CommandError as error:
            raise click.ClickException(f"{error} Perhaps `flask db upgrade` comes first.") from error
        except DatabaseError as error:
            problem = f"the database cannot be migrated ({error.orig}); check DATABASE_URL."
            raise click.ClickException(problem) from error

    def _group(self, ctx: click.Context) -> click.Group:
        from flask_alembic.cli import cli

        if not has_app_context():
            ctx.with_resource((ctx.find_object(ScriptInfo) or ScriptInfo()).load_app().app_context())
        ctx.obj = migrations()  # what its commands work on
        return cli


def migrations() -> "Alembic":
    """Return Flask-Alembic for the current application."""
    from flask_alembic import Alembic

    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    if "alembic" not in app.extensions:
        logging.getLogger("alembic").setLevel(logging.INFO)  # which migrations run
        # SQLite cannot change most of a table: in batches, Alembic makes a new one in its place
        app.config["ALEMBIC_CONTEXT"] = {"render_item": _render, "render_as_batch": True}
        engine = engine_of_migrations(db.engine)
        Alembic(app, metadatas=Model.metadata, engines=engine, command_name="", run_mkdir=False)
    return cast("Alembic", app.extensions["alembic"])


def _render(kind: str, item: object, _context: object) -> str | Literal[False]:
    """Write our column type in migrations as what it is in the database."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, UtcDateTime) else False


@click.option("--migrate", is_flag=True, help="Migrate the database first.")
def seed(migrate: bool) -> None:
    """Make the user demo with some notes (development only)."""
    if current_app.config["APP_ENV"] != "development":
        raise click.ClickException("the password of demo is public; seed works with APP_ENV=development.")
    try:
        if migrate:
            migrations().upgrade()
    except DatabaseError as error:
        raise click.ClickException(f"the database cannot be migrated; try again ({error.orig}).") from error
    if find_user("demo"):
        click.echo("The user demo is there already.")
        return
    with one_of_a_name("demo"):
        user = add_user("demo", DEMO_PASSWORD)
        db.session.flush()  # gives the user an id
        db.session.add_all(Note(user_id=user.id, title=t, body=b) for t, b in DEMO_NOTES.items())
        db.session.commit()
    click.echo(f"Made the user demo with the password {DEMO_PASSWORD}.")


@user_cli.command("create")
@click.argument("username")
def create_user(username: str) -> None:
    """Create a user; asks for the password."""
    if not 1 <= len(username) <= 64 or not username.isprintable():
        raise click.ClickException(f"the name {username!r} is not 1 to 64 printable characters.")
    if find_user(username):
        raise taken(username)
    with one_of_a_name(username):
        add_user(username, ask_password())
        db.session.commit()
    click.echo(f"Made the user {username}.")


@user_cli.command("password")
@click.argument("username")
def change_password(username: str) -> None:
    """Change a password, which signs the user out everywhere; asks for it."""
    user = find_user(username)
    if user is None:
        raise click.ClickException(f"there is no user {username!r}.")
    set_password(user, ask_password())
    db.session.commit()
    click.echo(f"Changed the password of {username} and signed out every session.")


@sessions_cli.command("prune")
def prune_sessions() -> None:
    """Remove the sessions that have ended; a sign-in removes some, this all."""
    removed = 0
    while batch := remove_expired(most=1000):
        db.session.commit()  # a short transaction each: nobody waits long
        removed += batch
    click.echo(f"Removed {removed} sessions that had ended.")


def find_user(username: str) -> User | None:
    try:
        return db.session.scalar(select(User).where(User.username == username))
    except DatabaseError as error:
        raise click.ClickException(
            "the database has no tables yet, or does not answer; run `flask db upgrade`, check DATABASE_URL."
        ) from error


@contextmanager
def one_of_a_name(username: str) -> Iterator[None]:
    """Refuse a user that another process has made since we looked."""
    try:
        yield
    except IntegrityError as error:
        raise taken(username) from error


def taken(username: str) -> click.ClickException:
    return click.ClickException(f"there is a user {username!r} already; choose another name.")


def add_user(username: str, password: str) -> User:
    user = User(username=username)
    set_password(user, password)
    db.session.add(user)
    return user


def ask_password() -> str:
    password: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    if not 8 <= len(password) <= 1024:
        raise click.ClickException("the password is not 8 to 1024 characters long; choose another one.")
    if password == DEMO_PASSWORD:
        raise click.ClickException("that password is in the documentation; choose another one.")
    return password
