"""CSRF protection by Fetch Metadata: a cookie counts only where the response's policy trusts the origin.

CORS does not stop a forged request, it hides the response. Browsers say in `Sec-Fetch-Site` where a request
comes from (https://w3c.github.io/webappsec-fetch-metadata), but on plain http only in `Origin`. Other clients
send neither, and no cookie of somebody else.
"""

from crossorigin import find_policy
from flask import abort, current_app, request

SAFE_METHODS = {"GET", "HEAD", "OPTIONS", "TRACE"}  # RFC 9110, section 9.2.1


def check_cookie() -> None:
    """Check an unsafe request that carries the session cookie and no Authorization header.

    Without the cookie it is anonymous. With the header the cookie is never read (`sessions.py`).
    """
    has_cookie = current_app.config["SESSION_COOKIE_NAME"] in request.cookies
    if has_cookie and request.method not in SAFE_METHODS and "Authorization" not in request.headers:
        check_csrf()


def check_csrf() -> None:
    """Answer 403 unless the request comes from our own origin or from one that its policy trusts.

    A sign-in calls it too, or another site could sign its visitor in (login CSRF).
    """
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    own = (None, f"{request.scheme}://{request.host}")
    if site in ("same-origin", "none") or (site is None and origin in own):
        return
    policy = find_policy()
    if policy and policy.credentials and origin and policy.allow_origin(origin):
        return
    abort(
        403,
        f"CSRF protection: {origin or 'another site'} may not send {request.method} with the session cookie."
        " Allow this origin with credentials=True in cors(…) of the blueprint, or send no cookies. If it is"
        f" the API's own, a proxy has changed Host to {request.host}: keep Host there, or send"
        " X-Forwarded-Host and X-Forwarded-Proto, and set TRUSTED_PROXIES=1.",
    )
