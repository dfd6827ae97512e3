"""Commands: `flask db`, `flask seed`, `flask user`, `flask sessions`."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

import click
from flask import Flask, current_app
from flask.cli import AppGroup
from sqlalchemy.exc import DBAPIError

from .extensions import db
from .models import Note
from .sessions import remove_expired
from .users import DEMO_PASSWORD, UserError, check_new_name, create_user, find_user, set_password

user_cli = AppGroup("user", help="Create users and change their passwords.")
sessions_cli = AppGroup("sessions", help="Look after the sessions of who has signed in.")
DEMO_NOTES = {
    "Welcome": "This note came over from the API, with your cookie.",
    "Preflights": "Between two origins, the first change of a note asks first, then not for ten minutes.",
}
MIGRATE = "the database does not have the tables of this version; run `flask db upgrade`"
# how an error code begins: its name in SQLite, its SQLSTATE in PostgreSQL
DATABASE_ERRORS = {
    "SQLITE_BUSY": "another process is writing to the database; wait a moment and try again",
    "SQLITE_CANTOPEN": "the database file cannot be opened; check the path in DATABASE_URL and its rights",
    "SQLITE_FULL": "the disk of the database is full; free some space and try again",
    "SQLITE_NOTADB": "the file in DATABASE_URL is not an SQLite database; write another path",
    "SQLITE_READONLY": "the database file is read-only; change its rights",
    "42703": MIGRATE,
    "42P01": MIGRATE,
    "53": "the server has no disk, memory or connection left; free some and try again",
    "57014": "the database was busy for too long; wait a moment and try again",
}


class LazyGroup(AppGroup):
    """A group that is imported when one of its commands is asked for, and not when serving.

    Source: the documentation of click, "Lazily Loading Subcommands".
    """

    def __init__(self, name: str, *, module: str, help: str) -> None:
        super().__init__(name, help=help)
        self.module = module

    def load(self) -> click.Group:
        group: click.Group = import_module(self.module, __package__).group
        return group

    def list_commands(self, ctx: click.Context) -> list[str]:
        return self.load().list_commands(ctx)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return self.load().get_command(ctx, cmd_name)

    def invoke(self, ctx: click.Context) -> object:
        return self.load().invoke(ctx)


def init_app(app: Flask) -> None:
    # Alembic takes three times as long to import as Flask
    app.cli.add_command(LazyGroup("db", module=".migrate", help="Migrate the database."))
    app.cli.add_command(user_cli)
    app.cli.add_command(sessions_cli)
    app.cli.command("seed")(seed)


@contextmanager
def explained_errors() -> Iterator[None]:
    """Turn what goes wrong in a command into a sentence; used as a decorator."""
    try:
        yield
    except UserError as error:
        raise click.ClickException(str(error)) from error
    except DBAPIError as error:
        raise click.ClickException(f"{describe_database_error(error)} ({error.orig}).") from error


def describe_database_error(error: DBAPIError) -> str:
    """Say what is wrong with the database, and what to do."""
    code = getattr(error.orig, "sqlite_errorname", None) or getattr(error.orig, "sqlstate", None)
    if not code:
        return "the database does not answer; check DATABASE_URL, and that the server runs"
    if "no such" in str(error.orig):
        return MIGRATE  # SQLite has no code for it
    refused = "the database refused a statement; correct what its message says"
    return next((text for begin, text in DATABASE_ERRORS.items() if code.startswith(begin)), refused)


@click.option("--migrate", is_flag=True, help="Migrate the database first.")
@explained_errors()
def seed(migrate: bool) -> None:
    """Make the user demo with some notes (development only)."""
    if current_app.config["APP_ENV"] != "development":
        raise click.ClickException("the password of demo is public; seed works with APP_ENV=development.")
    if migrate:
        from .migrate import get_alembic

        get_alembic().upgrade()
    if find_user("demo"):
        click.echo("The user demo is there already.")
        return
    user = create_user("demo", DEMO_PASSWORD)
    db.session.add_all(Note(user_id=user.id, title=t, body=b) for t, b in DEMO_NOTES.items())
    db.session.commit()
    click.echo(f"Made the user demo with the password {DEMO_PASSWORD}.")


@user_cli.command("create")
@click.argument("username")
@explained_errors()
def create(username: str) -> None:
    """Create a user; asks for the password."""
    check_new_name(username)
    create_user(username, ask_password())
    db.session.commit()
    click.echo(f"Made the user {username}.")


@user_cli.command("password")
@click.argument("username")
@explained_errors()
def change_password(username: str) -> None:
    """Change a password, which signs the user out everywhere; asks for it."""
    user = find_user(username) if username.isprintable() else None
    if user is None:
        raise click.ClickException(f"there is no user {username!r}; check the name.")
    set_password(user, ask_password())
    db.session.commit()
    click.echo(f"Changed the password of {user.username} and signed out every session.")


@sessions_cli.command("prune")
@explained_errors()
def prune_sessions() -> None:
    """Remove the sessions that have ended; a sign-in removes some, this all."""
    removed = 0
    while batch := remove_expired(limit=1000):
        db.session.commit()  # a short transaction each: nobody waits long
        removed += batch
    click.echo(f"Removed {removed} sessions that had ended.")


def ask_password() -> str:
    password: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    if password == DEMO_PASSWORD:
        raise click.ClickException("that password is in the documentation; choose another one.")
    return password
