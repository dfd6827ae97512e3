"""CSRF protection with Fetch Metadata: only trusted origins can send requests with the session cookie.

CORS does not stop a cross-site request. It only hides the response. Browsers name the source of a request in
`Sec-Fetch-Site` (https://w3c.github.io/webappsec-fetch-metadata), but on plain http only in `Origin`.
Other clients send neither header, and no cookie of another user.
"""

from crossorigin import find_policy
from flask import abort, current_app, request

SAFE_METHODS = {"GET", "HEAD", "OPTIONS", "TRACE"}  # RFC 9110, section 9.2.1


def check_cookie() -> None:
    """Check an unsafe request with the session cookie. With a token, `sessions.py` ignores the cookie."""
    has_cookie = current_app.config["SESSION_COOKIE_NAME"] in request.cookies
    if has_cookie and request.method not in SAFE_METHODS and "Authorization" not in request.headers:
        check_csrf()


def check_csrf() -> None:
    """Answer 403 unless the request comes from our own origin, or from one that the policy trusts."""
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    own_origins = (None, f"{request.scheme}://{request.host}")
    if site in ("same-origin", "none") or (site is None and origin in own_origins):
        return
    policy = find_policy()
    if policy and policy.credentials and origin and policy.allow_origin(origin):
        return
    abort(
        403,
        f"CSRF protection: {origin or 'another site'} may not send {request.method} with the session cookie."
        " Add the origin to cors(…, credentials=True) of the blueprint, or send the request without cookies."
        f" If it is the API's own origin, a proxy has changed Host to {request.host}. Forward the original"
        " Host, or send X-Forwarded-Host and X-Forwarded-Proto and set TRUSTED_PROXIES=1.",
    )
