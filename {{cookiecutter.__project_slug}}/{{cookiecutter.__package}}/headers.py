"""Headers: those that harden every response, and hosts that are refused before anything reads the request."""

from functools import lru_cache

from crossorigin import find_policy, is_dry_run
from flask import Flask, Response, abort, current_app, request
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.sansio.utils import host_is_trusted
from werkzeug.urls import uri_to_iri

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    # a response of an API is never a page: it loads nothing and stands in no frame
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    # for requests that CORS does not see (<img>, <script>): no other site may embed (Fetch, section 3.7)
    "Cross-Origin-Resource-Policy": "same-origin",
    # only this browser may keep a copy, and it asks before each use
    "Cache-Control": "private, no-cache",
}


def init_app(app: Flask) -> None:
    """Add the headers, except where a view has set its own; see who asks and for whom."""
    if hops := app.config["TRUSTED_PROXIES"]:
        app.wsgi_app = ProxyFix(app.wsgi_app, hops, hops, hops, x_prefix=hops)  # type: ignore[method-assign]
    app.before_request(refuse_other_hosts)
    app.after_request(add_headers)


def refuse_other_hosts() -> None:
    """Answer 400 unless the request names a host of ours (RFC 9112, section 3.2).

    Health checks name an address, and `flask cors` nothing. Preflights are answered before this, so that a
    page can read this 400.
    """
    if request.blueprint == "health" or is_dry_run():
        return
    host = request.environ.get("HTTP_HOST", "").lower()
    if not is_served(host, current_app.config["HOST_NAMES"]):
        abort(400, f"The host {host!r} is not served here. Use the address of this API.")
    if request.scheme not in ("http", "https"):
        abort(400, f"X-Forwarded-Proto is {request.scheme!r}. Let the proxy send http or https.")


@lru_cache
def is_served(host: str, ours: tuple[str, ...]) -> bool:
    try:
        # a container may have "_" in its name; werkzeug fails later on hosts such as `[:::]` and `xn--a`
        return host_is_trusted(host.replace("_", "-"), ours) and bool(uri_to_iri(f"http://{host}"))
    except ValueError:
        return False


def add_headers(response: Response) -> Response:
    given = {name.lower() for name, _ in response.headers}
    ours, policy = HEADERS, find_policy()
    if request.is_secure:
        ours = ours | {"Strict-Transport-Security": "max-age=31536000"}
    # open to every page, by CORS or not; and a page may see that a health check answers, though not what
    if (policy and policy.any_origin) or request.blueprint == "health":
        ours = ours | {"Cross-Origin-Resource-Policy": "cross-origin"}
    for name, value in ours.items():
        if name.lower() not in given:
            response.headers.add(name, value)
    return response
