"""Commands: `flask db`, `flask seed`, `flask user`, `flask token`."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import click
from flask import Blueprint, Flask, Response, current_app, session
from sqlalchemy.exc import DBAPIError

from . import sessions, tokens, users
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
        click.echo(f"Database: {db.address}")
    if users.find_user("demo"):
        click.echo("The user demo is there already.")
        return
    user = users.create_user("demo", users.DEMO_PASSWORD)
    db.session.add_all(Note(user_id=user.id, title=t, body=b) for t, b in DEMO_NOTES.items())
    db.session.commit()
    click.echo(f"Made the user demo with the password {users.DEMO_PASSWORD}.")


@commands.cli.group("user")
def user_cli() -> None:
    """Create users, change their passwords and roles."""


@user_cli.command()
@click.argument("username")
@click.option("--role", default="user", help="For views that require one, for example admin.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@explained_errors()
def create(username: str, role: str, password_stdin: bool) -> None:
    """Create a user; asks for the password."""
    if password_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    else:
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    users.create_user(username, password, role)
    db.session.commit()
    click.echo(f"Made the user {username}.")


@user_cli.command("password")
@click.argument("username")
@click.password_option()
@explained_errors()
def change_password(username: str, password: str) -> None:
    """Change a password, which signs the user out everywhere; asks for it."""
    user = users.get_user(username)
    users.set_password(user, password)
    db.session.commit()
    click.echo(f"Changed the password of {user.username} and signed out every session.")


@user_cli.command("role")
@click.argument("username")
@click.argument("role")
@explained_errors()
def set_role(username: str, role: str) -> None:
    """Give a user another role."""
    user = users.get_user(username)
    users.set_role(user, role)
    db.session.commit()
    click.echo(f"{user.username} has the role {role}.")


@commands.cli.group("token")
def token_cli() -> None:
    """Create, list and revoke tokens of machines, which send Authorization: Bearer TOKEN."""


@token_cli.command("create")
@click.argument("username")
@click.argument("name")
@click.option("--days", type=click.IntRange(1, 3650), help="It ends after so many days.")
@explained_errors()
def create_token(username: str, name: str, days: int | None) -> None:
    """Print a new token, which nothing shows again."""
    token = tokens.create_token(users.get_user(username), name, timedelta(days) if days else None)
    db.session.commit()
    click.echo(token)


@token_cli.command("list")
@click.argument("username")
@explained_errors()
def list_tokens(username: str) -> None:
    """List the tokens of a user: name, last use, end."""
    for token in tokens.list_tokens(users.get_user(username)):
        times = (token.last_used_at, token.expires_at)
        used, end = (f"{time:%Y-%m-%d %H:%M} UTC" if time else "never" for time in times)
        click.echo(f"{token.name}: last used {used}, ends {end}")


@token_cli.command("revoke")
@click.argument("username")
@click.argument("name")
@explained_errors()
def revoke_token(username: str, name: str) -> None:
    """End a token at once."""
    tokens.revoke_token(users.get_user(username), name)
    db.session.commit()
    click.echo(f"Revoked the token {name}.")


@explained_errors()
def build_cookie(app: Flask, name: str) -> str:
    """Sign a user in without a password, and return the Cookie header: for `flask cors explain --as`."""
    with app.test_request_context():
        sessions.sign_in(users.get_user(name))
        response = Response()
        app.session_interface.save_session(app, session, response)
        return response.headers["Set-Cookie"].partition(";")[0]
