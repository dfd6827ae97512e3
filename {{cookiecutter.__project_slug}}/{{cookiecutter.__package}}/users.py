"""Users: create, find, and verify passwords. Routes and commands use these functions.

An invalid value raises an HTTP error, which a command prints as a sentence. The caller commits.
"""

import re

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from flask import abort, current_app
from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from .extensions import db
from .models import LoginSession, User, normalize_name

# OWASP's first choice for argon2id. It takes a fifth of the time of werkzeug's scrypt.
hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
DUMMY_HASH = hasher.hash("")  # for unknown names: as slow to verify as a real one
DEMO_PASSWORD = "demo-password"  # noqa: S105 (public: `flask seed` creates a user with it)


def find_user(name: str) -> User | None:
    """Return the user with this name, in any case and Unicode form."""
    return db.session.scalar(select(User).where(User.username_key == normalize_name(name)))


def get_user(name: str) -> User:
    """Return the user with this name, or answer 404."""
    user = find_user(name) if name.isprintable() else None
    return user or abort(404, f"there is no user {name!r}. Check the name, or run `flask user create NAME`.")


def create_user(username: str, password: str, role: str = "user") -> User:
    """Add a user. Answer 422 if a value is invalid, and 409 if the name exists."""
    if not username.strip() or len(username) > 64 or not username.isprintable():
        abort(422, f"the name {username!r} does not have 1 to 64 printable characters. Choose another name.")
    user = User(username=username.strip())
    set_password(user, password)
    set_role(user, role)
    db.session.add(user)
    try:
        db.session.flush()
    except IntegrityError:
        abort(409, f"the user {username!r} exists already. Choose another name.")
    return user


def set_password(user: User, password: str) -> None:
    """Change a password, and sign the user out everywhere."""
    if not 8 <= len(password) <= 1024:
        abort(422, f"the password has {len(password)} characters. Choose one with 8 to 1024 characters.")
    if password == DEMO_PASSWORD and (current_app.config["PRODUCTION"] or user.username != "demo"):
        abort(422, "the password demo-password is public. Choose another one.")
    user.password_hash = hasher.hash(password)
    # the UPDATE comes first: it waits for a sign-in that has verified the old password
    db.session.flush()
    db.session.execute(delete(LoginSession).where(LoginSession.user_id == user.id))


def set_role(user: User, role: str) -> None:
    if not re.fullmatch("[a-z]{1,20}", role):
        abort(422, f"the role {role!r} does not have 1 to 20 lower-case letters. Write a role such as admin.")
    user.role = role


def verify_password(username: str, password: str) -> User | None:
    """Return the user with this name and password, or None.

    A hash is verified for an unknown name too, to prevent a timing attack on names. The row of the user is
    locked until the caller commits. A password change waits for that, and then deletes the new session.
    """
    user = find_user(username)
    old_hash = user.password_hash if user else DUMMY_HASH
    try:
        hasher.verify(old_hash, password)
    except (VerificationError, InvalidHashError):
        return None
    # the database may be a copy of a development database
    if user is None or (password == DEMO_PASSWORD and current_app.config["PRODUCTION"]):
        return None
    new_hash = hasher.hash(password) if hasher.check_needs_rehash(old_hash) else old_hash
    # An UPDATE locks the row in both databases. SQLite ignores SELECT … FOR UPDATE.
    statement = update(User).where(User.id == user.id, User.password_hash == old_hash)
    user_id = db.session.scalar(statement.values(password_hash=new_hash).returning(User.id))
    return user if user_id else None
