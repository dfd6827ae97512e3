"""Users: create, find, and verify passwords. Routes and commands use these functions."""

import re

import click
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from flask import current_app
from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from .extensions import db
from .models import LoginSession, User, normalize_name

# OWASP's first choice for argon2id, and a fifth of the cost of werkzeug's scrypt
hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
COST = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
DUMMY_HASH = f"$argon2id$v=19${COST}${'A' * 22}${'A' * 43}"  # of no password, and as slow as a real one
DEMO_PASSWORD = "demo-password"  # noqa: S105 (public: `flask seed` makes a user with it)


class UserError(click.ClickException):
    """The name or the password cannot be used. The message has the fix."""


class NameTakenError(UserError):
    """Somebody else has this name."""


def find_user(name: str) -> User | None:
    """Return the user who has this name, in any case and form."""
    return db.session.scalar(select(User).where(User.username_key == normalize_name(name)))


def get_user(name: str) -> User:
    """Return the user who has this name, or raise UserError."""
    user = find_user(name) if name.isprintable() else None
    if user is None:
        raise UserError(f"there is no user {name!r}; check the name, or run: flask user create NAME")
    return user


def create_user(username: str, password: str, role: str = "user") -> User:
    """Add a user. The caller commits.

    Raises:
        UserError: if the name or the password cannot be used; NameTakenError: if somebody has the name.
    """
    if not username.strip() or len(username) > 64 or not username.isprintable():
        raise UserError(f"the name {username!r} is not 1 to 64 printable characters; choose another name.")
    user = User(username=username.strip())
    set_password(user, password)
    set_role(user, role)
    db.session.add(user)
    try:
        db.session.flush()
    except IntegrityError:
        db.session.rollback()
        raise NameTakenError(f"there is a user {username!r} already; choose another name.") from None
    return user


def set_password(user: User, password: str) -> None:
    """Change a password, and sign the user out everywhere. The caller commits."""
    if not 8 <= len(password) <= 1024:
        raise UserError("the password is not 8 to 1024 characters long; choose another one.")
    if password == DEMO_PASSWORD and (current_app.config["PRODUCTION"] or user.username != "demo"):
        raise UserError("that password is in the documentation; choose another one.")
    user.password_hash = hasher.hash(password)
    # first the UPDATE, which waits for a sign-in that has verified the old password
    db.session.flush()
    db.session.execute(delete(LoginSession).where(LoginSession.user_id == user.id))


def set_role(user: User, role: str) -> None:
    """Give a user a role. The caller commits."""
    if not re.fullmatch("[a-z]{1,20}", role):
        raise UserError(f"the role {role!r} is not 1 to 20 small letters; write for example admin.")
    user.role = role


def verify_password(username: str, password: str) -> User | None:
    """Return the user who has this name and password, or None.

    An unknown name costs one hash as well, to prevent a timing attack on names. The row of the user
    is locked until the caller commits, and its hash is still the one that was verified: a password
    that changes meanwhile waits for the commit, and then ends what the caller has written.
    """
    user = find_user(username)
    verified = user.password_hash if user else DUMMY_HASH
    try:
        hasher.verify(verified, password)
    except (VerificationError, InvalidHashError):
        return None
    # a database that was seeded on a laptop may have come along
    if user is None or (password == DEMO_PASSWORD and current_app.config["PRODUCTION"]):
        return None
    new_hash = hasher.hash(password) if hasher.check_needs_rehash(verified) else verified
    # An UPDATE locks the row in both databases. SQLite ignores SELECT … FOR UPDATE.
    unchanged = update(User).where(User.id == user.id, User.password_hash == verified)
    updated = db.session.scalar(unchanged.values(password_hash=new_hash).returning(User.id))
    return user if updated else None
