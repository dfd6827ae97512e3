"""Users: create, find, and verify passwords. Routes and commands use these functions.

What cannot be used is refused with an HTTP error, which a command prints as a sentence. The caller commits.
"""

import re

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from flask import abort, current_app
from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from .extensions import db
from .models import LoginSession, User, normalize_name

# OWASP's first choice for argon2id, and a fifth of the cost of werkzeug's scrypt
hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
DUMMY_HASH = hasher.hash("")  # of no password, and as slow as a real one
DEMO_PASSWORD = "demo-password"  # noqa: S105 (public: `flask seed` makes a user with it)


def find_user(name: str) -> User | None:
    """Return the user who has this name, in any case and form."""
    return db.session.scalar(select(User).where(User.username_key == normalize_name(name)))


def get_user(name: str) -> User:
    """Return the user who has this name, or answer 404."""
    user = find_user(name) if name.isprintable() else None
    return user or abort(404, f"there is no user {name!r}; check the name, or run: flask user create NAME")


def create_user(username: str, password: str, role: str = "user") -> User:
    """Add a user, or answer 422, or 409 if somebody has the name."""
    if not username.strip() or len(username) > 64 or not username.isprintable():
        abort(422, f"the name {username!r} is not 1 to 64 printable characters; choose another name.")
    user = User(username=username.strip())
    set_password(user, password)
    set_role(user, role)
    db.session.add(user)
    try:
        db.session.flush()
    except IntegrityError:
        abort(409, f"there is a user {username!r} already; choose another name.")
    return user


def set_password(user: User, password: str) -> None:
    """Change a password, and sign the user out everywhere."""
    if not 8 <= len(password) <= 1024:
        abort(422, "the password is not 8 to 1024 characters long; choose another one.")
    if password == DEMO_PASSWORD and (current_app.config["PRODUCTION"] or user.username != "demo"):
        abort(422, "that password is in the documentation; choose another one.")
    user.password_hash = hasher.hash(password)
    # first the UPDATE, which waits for a sign-in that has verified the old password
    db.session.flush()
    db.session.execute(delete(LoginSession).where(LoginSession.user_id == user.id))


def set_role(user: User, role: str) -> None:
    if not re.fullmatch("[a-z]{1,20}", role):
        abort(422, f"the role {role!r} is not 1 to 20 small letters; write for example admin.")
    user.role = role


def verify_password(username: str, password: str) -> User | None:
    """Return the user who has this name and password, or None.

    An unknown name costs one hash as well, to prevent a timing attack on names. The row of the user is
    locked until the caller commits: a new password waits for that, and then ends what the caller has written.
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
