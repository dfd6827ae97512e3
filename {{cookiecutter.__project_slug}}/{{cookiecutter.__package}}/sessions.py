"""Who is signed in: server-side sessions for browsers, API tokens (RFC 6750) for machines."""

import hashlib
import secrets
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from flask import Flask, Request, abort, current_app, g, request, session
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from itsdangerous import BadSignature
from sqlalchemy import bindparam, delete, or_, select, update
from sqlalchemy.exc import IntegrityError
from werkzeug.datastructures import WWWAuthenticate

from . import csrf
from .extensions import db
from .models import ApiToken, LoginSession, User, now

# built once: to build a statement takes longer than to run it
IS_VALID = (LoginSession.key == bindparam("key"), LoginSession.expires_at > bindparam("now"))
SIGNED_IN = select(User).join(LoginSession).where(*IS_VALID)
USE_INTERVAL = timedelta(minutes=1)  # between two writes of a token's last use: each request would write


class CookieInterface(SecureCookieSessionInterface):
    """Flask's signed cookie without its time limit, by which servers with two clocks refuse each other's."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        cookie = request.cookies.get(self.get_cookie_name(app), "")
        serializer = self.get_signing_serializer(app)
        with suppress(BadSignature):
            if serializer and "Authorization" not in request.headers:  # with one, a token decides alone
                return self.session_class(serializer.loads(cookie))
        return self.session_class()


def sign_in(user: User) -> None:
    """Start a session for a user whom `verify_password` has just returned, in the same transaction."""
    csrf.check_csrf()
    lifetime = current_app.permanent_session_lifetime
    db.session.execute(delete(LoginSession).where(LoginSession.expires_at <= now()))
    sign_out()
    session.permanent = True
    session["key"] = secrets.token_urlsafe(32)  # a new one prevents session fixation
    db.session.add(LoginSession(key=session["key"], user_id=user.id, expires_at=now() + lifetime))
    db.session.commit()


def sign_out() -> None:
    """End the session on the server, for copies of the cookie as well. The caller commits."""
    if key := session.get("key"):
        db.session.execute(delete(LoginSession).where(LoginSession.key == key))
        session.clear()


def require_sign_in() -> None:
    """Set `g.user`, or answer 401. `blueprint.before_request(require_sign_in)` guards a blueprint."""
    if request.method == "OPTIONS":
        return  # tells the methods of a path, and nothing else
    if "Authorization" in request.headers:
        g.user = find_token_user()
        if g.user is None:
            invalid = WWWAuthenticate("bearer", {"error": "invalid_token"})  # RFC 6750, section 3
            abort(401, "The token is unknown or has ended. Create another one.", www_authenticate=invalid)
        return
    key = session.get("key")
    g.user = db.session.scalar(SIGNED_IN, {"key": key, "now": now()}) if key else None
    if g.user is None:
        if request.environ.get("HTTP_COOKIE") == "":  # of Granian, for a byte above 0x7F (granian #335)
            current_app.logger.warning("A Cookie header arrived empty. Its cause is in docs/production.md.")
        abort(401, "Sign in first.")


def require_role(role: str) -> Callable[[], None]:
    """Return a guard that answers 403 to other users: `blueprint.before_request(require_role("admin"))`."""

    def check_role() -> None:
        require_sign_in()
        if request.method != "OPTIONS" and g.user.role != role:
            abort(403, f"This needs the role {role!r}. Ask an administrator for it.")

    return check_role


def create_token(user: User, name: str, lifetime: timedelta | None = None) -> str:
    """Add a token of a user and return it. Only its hash is kept."""
    if not 1 <= len(name) <= 64 or not name.isprintable():
        abort(422, f"the name {name!r} is not 1 to 64 printable characters; choose another name.")
    token = f"{current_app.name}_{secrets.token_urlsafe(32)}"  # whoever finds it in a file knows what it is
    expires_at = now() + lifetime if lifetime else None
    user.tokens.append(ApiToken(name=name, token_hash=hash_token(token), expires_at=expires_at))
    try:
        db.session.commit()
    except IntegrityError:
        abort(409, f"there is a token {name!r} already; choose another name, or revoke it.")
    return token


def hash_token(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()  # a fast hash is enough for 256 random bits


def find_token_user() -> User | None:
    """Return the user whose token the request carries, and note its use."""
    given = request.authorization
    if given is None or given.type != "bearer" or not given.token:
        return None
    is_valid = or_(ApiToken.expires_at.is_(None), ApiToken.expires_at > now())
    token = db.session.scalar(select(ApiToken).filter_by(token_hash=hash_token(given.token)).where(is_valid))
    if token is None:
        return None
    if token.last_used_at is None or token.last_used_at < now() - USE_INTERVAL:
        db.session.execute(update(ApiToken).where(ApiToken.id == token.id).values(last_used_at=now()))
        db.session.commit()
    return db.session.get(User, token.user_id)
