"""Commands: `flask db`, `flask seed`, `flask user`, `flask token`."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import click
from flask import Blueprint, Flask, Response, current_app, session
from sqlalchemy.exc import DBAPIError
from werkzeug.exceptions import HTTPException

from . import sessions, users
from .extensions import db
from .models import Note

DEMO_NOTES = {
    "Welcome": "The API sent this note, because your browser sent the session cookie.",
    "Preflights": "From another origin, a browser sends a preflight before a change, once in ten minutes.",
}
commands = Blueprint("commands", __name__, cli_group=None)


@contextmanager
def convert_errors() -> Iterator[None]:
    """Convert an error of `users.py` or of the database to a printed sentence. Use it as a decorator."""
    try:
        yield
    except HTTPException as error:
        raise click.ClickException(str(error.description)) from error
    except DBAPIError as error:
        raise click.ClickException(
            f"the database failed: {error.orig}. Check DATABASE_URL, file permissions and free disk space."
            " Run `flask db upgrade` if a table or a column is missing. Try again if it was busy."
        ) from error


@commands.cli.command("db", add_help_option=False, context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
@convert_errors()
def migrate(ctx: click.Context, arguments: tuple[str, ...]) -> None:
    """Migrate the database."""
    from .migrate import run  # here: Alembic takes three times as long to import as Flask

    run(ctx, arguments)


@commands.cli.command()
@click.option("--migrate", "migrate_first", is_flag=True, help="Migrate the database first.")
@click.pass_context
@convert_errors()
def seed(ctx: click.Context, migrate_first: bool) -> None:
    """Create the user demo with example notes (development only)."""
    if current_app.config["APP_ENV"] != "development":
        raise click.ClickException("the password of demo is public. Set APP_ENV=development to seed.")
    if migrate_first:
        ctx.invoke(migrate, arguments=("upgrade",))
        click.echo(f"Database: {db.address}")
    if users.find_user("demo"):
        click.echo("The user demo exists already.")
        return
    user = users.create_user("demo", users.DEMO_PASSWORD)
    db.session.add_all(Note(user_id=user.id, title=t, body=b) for t, b in DEMO_NOTES.items())
    db.session.commit()
    click.echo(f"Created the user demo with the password {users.DEMO_PASSWORD}.")


@commands.cli.group("user")
def user_cli() -> None:
    """Create users, change their passwords and roles."""


@user_cli.command()
@click.argument("username")
@click.option("--role", default="user", help="Role for views that require one, such as admin.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@convert_errors()
def create(username: str, role: str, password_stdin: bool) -> None:
    """Create a user and ask for the password."""
    if password_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    else:
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    users.create_user(username, password, role)
    db.session.commit()
    click.echo(f"Created the user {username}.")


@user_cli.command("password")
@click.argument("username")
@click.password_option()
@convert_errors()
def change_password(username: str, password: str) -> None:
    """Ask for a new password and sign the user out everywhere."""
    user = users.get_user(username)
    users.set_password(user, password)
    db.session.commit()
    click.echo(f"Changed the password of {user.username} and signed out every session.")


@user_cli.command("role")
@click.argument("username")
@click.argument("role")
@convert_errors()
def set_role(username: str, role: str) -> None:
    """Change the role of a user."""
    user = users.get_user(username)
    users.set_role(user, role)
    db.session.commit()
    click.echo(f"{user.username} now has the role {role}.")


@commands.cli.group("token")
def token_cli() -> None:
    """Create, list and revoke API tokens. Machines send them in Authorization, as Bearer TOKEN."""


@token_cli.command("create")
@click.argument("username")
@click.argument("name")
@click.option("--days", type=click.IntRange(1, 3650), help="Days until the token expires. Default: never.")
@convert_errors()
def create_token(username: str, name: str, days: int | None) -> None:
    """Create a token and print it. It cannot be shown again."""
    click.echo(sessions.create_token(users.get_user(username), name, timedelta(days) if days else None))


@token_cli.command("list")
@click.argument("username")
@convert_errors()
def list_tokens(username: str) -> None:
    """List the name, the last use and the expiry of each token of a user."""
    for token in users.get_user(username).tokens:
        times = (token.last_used_at, token.expires_at)
        last_use, expiry = (f"{time:%Y-%m-%d %H:%M} UTC" if time else "never" for time in times)
        click.echo(f"{token.name}: last used {last_use}, expires {expiry}")


@token_cli.command("revoke")
@click.argument("username")
@click.argument("name")
@convert_errors()
def revoke_token(username: str, name: str) -> None:
    """Revoke a token at once."""
    user = users.get_user(username)
    token = next((token for token in user.tokens if token.name == name), None)
    if token is None:
        raise click.ClickException(f"{username} has no token {name!r}. Run `flask token list {username}`.")
    db.session.delete(token)
    db.session.commit()
    click.echo(f"Revoked the token {name}.")


@convert_errors()
def build_cookie(app: Flask, name: str) -> str:
    """Return the Cookie header of a new session of a user, for `flask cors explain --as`."""
    with app.test_request_context():
        sessions.sign_in(users.get_user(name))
        response = Response()
        app.session_interface.save_session(app, session, response)
        return response.headers["Set-Cookie"].partition(";")[0]
