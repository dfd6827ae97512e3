"""Who is signed in: server-side sessions, and the guard against forged requests."""

import secrets
from http import HTTPStatus

from crossorigin import find_policy
from flask import Flask, Request, abort, current_app, g, request, session
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from itsdangerous import BadSignature
from sqlalchemy import bindparam, delete, select
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Unauthorized

from .extensions import db
from .models import LoginSession, User, now

# built once: to build a statement takes longer than to run it
SIGNED_IN = (
    select(User)
    .join(LoginSession)
    .where(LoginSession.key == bindparam("key"), LoginSession.expires_at > bindparam("now"))
)
SAFE_METHODS = {"GET", "HEAD", "OPTIONS", "TRACE"}  # RFC 9110, section 9.2.1


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
    """Read the cookie of each request, and put the guard in front of every view."""
    app.session_interface = CookieInterface()
    app.before_request(refuse_forged_request)


def sign_in(user: User) -> None:
    """Start a session for a user whom `verify_password` has just returned, in the same transaction.

    The key is new, which prevents session fixation.
    """
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


def refuse_forged_request() -> None:
    """Answer 403 when a page that the policy does not trust sends something that changes data.

    CORS hides the answer of such a request; it does not stop the request. Browsers tell where a
    request comes from: Sec-Fetch-Site (https://w3c.github.io/webappsec-fetch-metadata) and, on plain
    http where that is missing, Origin. Clients that are no browsers send neither, and carry nobody's
    cookies. A path without a policy is for pages of the API's own origin.
    """
    if request.method in SAFE_METHODS:
        return
    policy = find_policy()
    if policy and not policy.credentials:
        return  # no cookie of a user counts
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site in ("same-origin", "none") or (site is None and origin is None):
        return
    trusted = {request.host_url.rstrip("/")} if site is None else set()
    if origin is not None and (origin in trusted or (policy and policy.allow_origin(origin))):
        return
    abort(HTTPStatus.FORBIDDEN, f"Pages of {origin or 'this site'} may not send {request.method} here.")
