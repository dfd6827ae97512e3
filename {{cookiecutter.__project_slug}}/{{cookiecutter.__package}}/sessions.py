"""Who is signed in: server-side sessions."""

import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from flask import current_app, g, request, session
from sqlalchemy import bindparam, delete, select
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Unauthorized

from .csrf import check_csrf
from .extensions import db
from .models import LoginSession, User, now

# OWASP's first choice for argon2id, and a fifth of the cost of werkzeug's scrypt
hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
DEMO_PASSWORD = "demo-password"  # noqa: S105 (public: `flask seed` makes a user with it)
# built once: to build a statement takes longer than to run it
SIGNED_IN = (
    select(User)
    .join(LoginSession)
    .where(LoginSession.key == bindparam("key"), LoginSession.expires_at > bindparam("now"))
)


def verify_password(username: str, password: str) -> User | None:
    """Return the user that has this name and password, or None.

    An unknown name costs one hash as well, so that the time does not tell which names exist.
    """
    user = db.session.scalar(select(User).where(User.username == username))
    try:
        hasher.verify(user.password_hash if user else _nobody(), password)
    except (VerificationError, InvalidHashError):
        return None
    if password == DEMO_PASSWORD and current_app.config["APP_ENV"] != "development":
        return None  # a database that was seeded on a laptop may have come along
    if user and hasher.check_needs_rehash(user.password_hash):
        user.password_hash = hasher.hash(password)
    return user


def _nobody() -> str:
    """Return a hash that no password has, and that costs as much to verify as everybody's."""
    cost = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    return f"$argon2id$v=19${cost}${'A' * 22}${'A' * 43}"


def set_password(user: User, password: str) -> None:
    """Give a user a password, and sign that user out everywhere."""
    user.password_hash = hasher.hash(password)
    if user.id is not None:
        db.session.execute(delete(LoginSession).where(LoginSession.user_id == user.id))


def sign_in(user: User) -> None:
    """Start a session under a new key, so that a key planted before the sign-in is worth nothing."""
    check_csrf()
    _forget(session.get("key"))
    remove_expired(most=100)
    session.clear()
    session.permanent = True
    session["key"] = secrets.token_urlsafe(32)
    lifetime = current_app.permanent_session_lifetime
    db.session.add(LoginSession(key=session["key"], user_id=user.id, expires_at=now() + lifetime))
    db.session.commit()


def sign_out() -> None:
    """End the session on the server, so that a copy of the cookie is worth nothing either."""
    _forget(session.get("key"))
    db.session.commit()
    session.clear()


def remove_expired(most: int) -> int:
    """Remove sessions that have ended, anybody's but at most so many; return how many.

    Those that another process removes at the same moment are left to it.
    """
    ended = select(LoginSession.key).where(LoginSession.expires_at <= now()).order_by(LoginSession.expires_at)
    keys = db.session.scalars(ended.limit(most).with_for_update(skip_locked=True)).all()
    if keys:
        db.session.execute(delete(LoginSession).where(LoginSession.key.in_(keys)))
    return len(keys)


def _forget(key: str | None) -> None:
    if key:
        db.session.execute(delete(LoginSession).where(LoginSession.key == key))


def require_sign_in() -> None:
    """Set `g.user`, or answer 401; `blueprint.before_request(require_sign_in)` guards a blueprint."""
    if request.method == "OPTIONS":
        return  # tells the methods of a path, and nothing else
    key = session.get("key")
    g.user = db.session.scalar(SIGNED_IN, {"key": key, "now": now()}) if key else None
    if g.user is None:
        raise unauthorized("Sign in first.")


def unauthorized(detail: str) -> Unauthorized:
    """Return a 401, which must name a scheme (RFC 9110, section 11.6.1); one for cookies has no name."""
    return Unauthorized(detail, www_authenticate=WWWAuthenticate("cookie"))
