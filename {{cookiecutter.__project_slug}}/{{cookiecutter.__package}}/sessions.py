"""Who is signed in: server-side sessions for browsers, API tokens for machines."""

import secrets
from collections.abc import Callable

from flask import Flask, Request, abort, current_app, g, request, session
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from itsdangerous import BadSignature
from sqlalchemy import bindparam, delete, select
from werkzeug.datastructures import WWWAuthenticate

from . import csrf
from .extensions import db
from .models import LoginSession, User, now
from .tokens import find_token_user

# built once: to build a statement takes longer than to run it
IS_VALID = (LoginSession.key == bindparam("key"), LoginSession.expires_at > bindparam("now"))
SIGNED_IN = select(User).join(LoginSession).where(*IS_VALID)


class CookieInterface(SecureCookieSessionInterface):
    """Flask's signed cookie without its time limit, by which servers with two clocks refuse each other's.

    A request with an Authorization header has no session: its token decides.
    """

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        if "Authorization" in request.headers:
            return self.session_class()
        cookie, serializer = request.cookies.get(self.get_cookie_name(app)), self.get_signing_serializer(app)
        try:
            return self.session_class(serializer.loads(cookie) if cookie and serializer else {})
        except BadSignature:
            return self.session_class()


def sign_in(user: User) -> None:
    """Start a session for a user whom `verify_password` has just returned, in the same transaction.

    The key is new, which prevents session fixation. Sessions that have ended are removed, of all users.
    """
    csrf.check_csrf()
    lifetime = current_app.permanent_session_lifetime
    db.session.execute(delete(LoginSession).where(LoginSession.expires_at <= now()))
    delete_session()
    session.permanent = True
    session["key"] = secrets.token_urlsafe(32)
    db.session.add(LoginSession(key=session["key"], user_id=user.id, expires_at=now() + lifetime))
    db.session.commit()


def sign_out() -> None:
    """End the session on the server, for copies of the cookie as well."""
    delete_session()
    db.session.commit()


def delete_session() -> None:
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

    def require() -> None:
        require_sign_in()
        if request.method != "OPTIONS" and g.user.role != role:
            abort(403, f"This needs the role {role!r}. Ask an administrator for it.")

    return require
