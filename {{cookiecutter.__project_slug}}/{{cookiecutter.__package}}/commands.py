"""Commands: `flask db`, `flask seed`, `flask user`."""

from collections.abc import Iterator
from contextlib import contextmanager

import click
from flask import Blueprint, Flask, Response, current_app, session
from sqlalchemy.exc import DBAPIError

from . import sessions, users
from .extensions import db
from .models import Note

DEMO_NOTES = {
    "Welcome": "This note came over from the API, with your cookie.",
    "Preflights": "Between two origins, the first change of a note asks first, then not for ten minutes.",
}
commands = Blueprint("commands", __name__, cli_group=None)


@contextmanager
def explained_errors() -> Iterator[None]:
    """Turn an error of the database into a sentence; used as a decorator."""
    try:
        yield
    except DBAPIError as error:
        raise click.ClickException(
            f"the database cannot do it: {error.orig}. Check DATABASE_URL, your rights and the free space."
            " Run `flask db upgrade` if a table or a column is missing. Try again if it was busy."
        ) from error


@commands.cli.command("db", add_help_option=False, context_settings={"ignore_unknown_options": True})
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
@explained_errors()
def migrate(ctx: click.Context, words: tuple[str, ...]) -> None:
    """Migrate the database."""
    from .migrate import run  # here: Alembic takes three times as long to import as Flask

    run(ctx, words)


@commands.cli.command()
@click.option("--migrate", "first", is_flag=True, help="Migrate the database first.")
@click.pass_context
@explained_errors()
def seed(ctx: click.Context, first: bool) -> None:
    """Make the user demo with some notes (development only)."""
    if current_app.config["APP_ENV"] != "development":
        raise click.ClickException("the password of demo is public; seed works with APP_ENV=development.")
    if first:
        ctx.invoke(migrate, words=("upgrade",))
    if users.find_user("demo"):
        click.echo("The user demo is there already.")
        return
    user = users.create_user("demo", users.DEMO_PASSWORD)
    db.session.add_all(Note(user_id=user.id, title=t, body=b) for t, b in DEMO_NOTES.items())
    db.session.commit()
    click.echo(f"Made the user demo with the password {users.DEMO_PASSWORD}.")


@commands.cli.group("user")
def user_cli() -> None:
    """Create users and change their passwords."""


@user_cli.command()
@click.argument("username")
@click.password_option()
@explained_errors()
def create(username: str, password: str) -> None:
    """Create a user; asks for the password."""
    users.create_user(username, password)
    db.session.commit()
    click.echo(f"Made the user {username}.")


@user_cli.command("password")
@click.argument("username")
@click.password_option()
@explained_errors()
def change_password(username: str, password: str) -> None:
    """Change a password, which signs the user out everywhere; asks for it."""
    user = users.find_user(username) if username.isprintable() else None
    if user is None:
        raise click.ClickException(f"there is no user {username!r}; check the name.")
    users.set_password(user, password)
    db.session.commit()
    click.echo(f"Changed the password of {user.username} and signed out every session.")


@explained_errors()
def build_cookie(app: Flask, name: str) -> str:
    """Sign a user in without a password, and return the Cookie header: for `flask cors explain --as`."""
    with app.test_request_context():
        user = users.find_user(name)
        if user is None:
            raise users.UserError(f"there is no user {name!r}; run: flask user create {name}")
        sessions.sign_in(user)
        response = Response()
        app.session_interface.save_session(app, session, response)
        return response.headers["Set-Cookie"].partition(";")[0]
