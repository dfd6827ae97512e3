"""Security headers of every response, and the check of the Host header."""

from functools import lru_cache

from crossorigin import find_policy, is_dry_run
from flask import Flask, Response, abort, current_app, request
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.sansio.utils import host_is_trusted
from werkzeug.urls import uri_to_iri

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    # a response of an API is not HTML: it loads nothing and no frame shows it
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    # for requests without CORS (<img>, <script>): no other origin may embed it (Fetch, section 3.7)
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "private, no-cache",  # only the browser may cache it, and it revalidates before each use
}


def init_app(app: Flask) -> None:
    """Check the host, add security headers, and trust X-Forwarded-* of known proxies."""
    if hops := app.config["TRUSTED_PROXIES"]:
        app.wsgi_app = ProxyFix(app.wsgi_app, hops, hops, hops, x_prefix=hops)  # type: ignore[method-assign]
    app.before_request(check_host)
    app.after_request(add_headers)


def check_host() -> None:
    """Answer 400 unless the host is trusted (RFC 9112, section 3.2)."""
    # health checks use an IP address, and `flask cors` sends no host
    if request.blueprint == "health" or is_dry_run():
        return
    host = request.environ.get("HTTP_HOST", "").lower()
    if not is_trusted_host(host, current_app.config["HOST_NAMES"]):
        abort(400, f"The host {host!r} is invalid or not in TRUSTED_HOSTS. Use the URL of this API.")
    if request.scheme not in ("http", "https"):
        abort(400, f"X-Forwarded-Proto is {request.scheme!r}. Set it to http or https in the proxy.")


@lru_cache
def is_trusted_host(host: str, trusted: tuple[str, ...]) -> bool:
    try:
        # a container may have "_" in its name; werkzeug fails later on hosts such as `[:::]` and `xn--a`
        return host_is_trusted(host.replace("_", "-"), trusted) and bool(uri_to_iri(f"http://{host}"))
    except ValueError:
        return False


def add_headers(response: Response) -> Response:
    headers, policy = response.headers, find_policy()
    if request.is_secure:
        headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    # CORS allows every page to read it. A page may detect a health check, but not read it.
    if (policy and policy.any_origin) or request.blueprint == "health":
        headers.setdefault("Cross-Origin-Resource-Policy", "cross-origin")
    for name, value in HEADERS.items():
        headers.setdefault(name, value)
    return response
