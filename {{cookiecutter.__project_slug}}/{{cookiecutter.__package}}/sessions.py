"""Authentication: server-side sessions for browsers, API tokens (RFC 6750) for machines."""

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

# built once: building a statement takes longer than running it
IS_VALID = (LoginSession.key == bindparam("key"), LoginSession.expires_at > bindparam("now"))
SIGNED_IN = select(User).join(LoginSession).where(*IS_VALID)
USE_INTERVAL = timedelta(minutes=1)  # between two writes of `last_used_at`, to avoid one at each request


class CookieInterface(SecureCookieSessionInterface):
    """Sign the cookie without a time limit, so servers with different clocks accept each other's."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        cookie = request.cookies.get(self.get_cookie_name(app), "")
        serializer = self.get_signing_serializer(app)
        with suppress(BadSignature):
            if serializer and "Authorization" not in request.headers:  # with it, only the token counts
                return self.session_class(serializer.loads(cookie))
        return self.session_class()


def sign_in(user: User) -> None:
    """Start a session for a verified user, in the transaction of `verify_password`."""
    csrf.check_csrf()
    lifetime = current_app.permanent_session_lifetime
    db.session.execute(delete(LoginSession).where(LoginSession.expires_at <= now()))
    sign_out()
    session.permanent = True
    session["key"] = secrets.token_urlsafe(32)  # a new one prevents session fixation
    db.session.add(LoginSession(key=session["key"], user_id=user.id, expires_at=now() + lifetime))
    db.session.commit()


def sign_out() -> None:
    """Delete the session on the server. Copies of its cookie become invalid. The caller commits."""
    if key := session.get("key"):
        db.session.execute(delete(LoginSession).where(LoginSession.key == key))
        session.clear()


def require_sign_in() -> None:
    """Set `g.user`, or answer 401. `blueprint.before_request(require_sign_in)` protects a blueprint."""
    if request.method == "OPTIONS":
        return  # lists the methods of a path, nothing else
    if "Authorization" in request.headers:
        g.user = find_token_user()
        if g.user is None:
            invalid = WWWAuthenticate("bearer", {"error": "invalid_token"})  # RFC 6750, section 3
            abort(401, "The token is unknown or expired. Run `flask token create`.", www_authenticate=invalid)
        return
    key = session.get("key")
    g.user = db.session.scalar(SIGNED_IN, {"key": key, "now": now()}) if key else None
    if g.user is None:
        if request.environ.get("HTTP_COOKIE") == "":  # Granian empties it: a byte above 0x7F (granian #335)
            current_app.logger.warning("A Cookie header arrived empty. See docs/production.md for the cause.")
        abort(401, "Sign in first.")


def require_role(role: str) -> Callable[[], None]:
    """Return a check that answers 403 to other roles, for `blueprint.before_request(require_role("admin"))`."""

    def check_role() -> None:
        require_sign_in()
        if request.method != "OPTIONS" and g.user.role != role:
            abort(403, f"Your role is {g.user.role!r}, not {role!r}. Ask an administrator to change it.")

    return check_role


def create_token(user: User, name: str, lifetime: timedelta | None = None) -> str:
    """Create a token for a user and return it. Only its hash is stored."""
    if not 1 <= len(name) <= 64 or not name.isprintable():
        abort(422, f"the name {name!r} does not have 1 to 64 printable characters. Choose another name.")
    token = f"{current_app.name}_{secrets.token_urlsafe(32)}"  # the prefix identifies a leaked token
    expires_at = now() + lifetime if lifetime else None
    user.tokens.append(ApiToken(name=name, token_hash=hash_token(token), expires_at=expires_at))
    try:
        db.session.commit()
    except IntegrityError:
        abort(409, f"the token {name!r} exists already. Choose another name, or run `flask token revoke`.")
    return token


def hash_token(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()  # a fast hash is enough for 256 random bits


def find_token_user() -> User | None:
    """Return the user of the token in the request. Store the time of its use."""
    header = request.authorization
    if header is None or header.type != "bearer" or not header.token:
        return None
    is_valid = or_(ApiToken.expires_at.is_(None), ApiToken.expires_at > now())
    token = db.session.scalar(select(ApiToken).filter_by(token_hash=hash_token(header.token)).where(is_valid))
    if token is None:
        return None
    if token.last_used_at is None or token.last_used_at < now() - USE_INTERVAL:
        db.session.execute(update(ApiToken).where(ApiToken.id == token.id).values(last_used_at=now()))
        db.session.commit()
    return db.session.get(User, token.user_id)
