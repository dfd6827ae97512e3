"""Who is signed in: server-side sessions."""

import secrets

from flask import Flask, Request, current_app, g, request, session
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from itsdangerous import BadSignature
from sqlalchemy import bindparam, delete, select
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Unauthorized

from . import csrf
from .extensions import db
from .models import LoginSession, User, now

# built once: to build a statement takes longer than to run it
SIGNED_IN = (
    select(User)
    .join(LoginSession)
    .where(LoginSession.key == bindparam("key"), LoginSession.expires_at > bindparam("now"))
)


class CookieInterface(SecureCookieSessionInterface):
    """Flask's signed cookie without its time limit: the row in the database has the expiry.

    Flask refuses a cookie whose time stamp is in the future, so servers whose clocks differ would
    refuse each other's cookies.
    """

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        serializer = self.get_signing_serializer(app)
        cookie = request.cookies.get(self.get_cookie_name(app))
        if serializer is None or not cookie:
            return super().open_session(app, request)
        try:
            return self.session_class(serializer.loads(cookie))
        except BadSignature:
            return self.session_class()


def init_app(app: Flask) -> None:
    app.session_interface = CookieInterface()


def sign_in(user: User) -> None:
    """Start a session for a user whom `verify_password` has just returned, in the same transaction.

    The key is new, which prevents session fixation.
    """
    csrf.check_csrf()
    _delete_session(session.get("key"))
    remove_expired(limit=100)
    session.clear()
    session.permanent = True
    session["key"] = secrets.token_urlsafe(32)
    lifetime = current_app.permanent_session_lifetime
    db.session.add(LoginSession(key=session["key"], user_id=user.id, expires_at=now() + lifetime))
    db.session.commit()


def sign_out() -> None:
    """End the session on the server, for copies of the cookie as well."""
    _delete_session(session.get("key"))
    db.session.commit()
    session.clear()


def remove_expired(limit: int) -> int:
    """Remove expired sessions of all users, at most so many, and return how many.

    Sessions that another process is removing at the same moment are skipped.
    """
    expired = select(LoginSession.key).where(LoginSession.expires_at <= now())
    oldest = expired.order_by(LoginSession.expires_at).limit(limit)
    keys = db.session.scalars(oldest.with_for_update(skip_locked=True)).all()
    if keys:
        db.session.execute(delete(LoginSession).where(LoginSession.key.in_(keys)))
    return len(keys)


def _delete_session(key: str | None) -> None:
    if key:
        db.session.execute(delete(LoginSession).where(LoginSession.key == key))


def require_sign_in() -> None:
    """Set `g.user`, or answer 401. `blueprint.before_request(require_sign_in)` guards a blueprint."""
    if request.method == "OPTIONS":
        return  # tells the methods of a path, and nothing else
    key = session.get("key")
    g.user = db.session.scalar(SIGNED_IN, {"key": key, "now": now()}) if key else None
    if g.user is None:
        raise unauthorized("Sign in first.")


def unauthorized(detail: str) -> Unauthorized:
    """Return a 401, which must name a scheme (RFC 9110, section 11.6.1); one for cookies has no name."""
    return Unauthorized(detail, www_authenticate=WWWAuthenticate("cookie"))
