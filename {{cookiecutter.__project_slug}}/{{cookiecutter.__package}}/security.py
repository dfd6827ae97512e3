"""Headers that harden every response, and requests that are refused or mended before anything reads them."""

import re

from crossorigin import is_dry_run
from flask import Flask, Response, abort, current_app, request
from werkzeug.http import parse_date
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.sansio.utils import host_is_trusted

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    # an answer of an API is never a page: it loads nothing and stands in no frame
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    # for requests that CORS does not see (<img>, <script>): no other site may embed (Fetch, section 3.7)
    "Cross-Origin-Resource-Policy": "same-origin",
    # a copy may be kept, but only by this browser, and asked about before each use
    "Cache-Control": "private, no-cache",
}
HTTPS_ONLY = {"Strict-Transport-Security": "max-age=31536000"}
HOST = re.compile(r"([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[0-9]*)?", re.IGNORECASE | re.ASCII)


def init_app(app: Flask) -> None:
    """Add the headers, except where a view has set its own; see who asks and for whom."""
    if hops := app.config["TRUSTED_PROXIES"]:
        app.wsgi_app = ProxyFix(app.wsgi_app, hops, hops, hops)  # type: ignore[method-assign]
    app.before_request(_refuse_other_hosts)
    app.before_request(_ignore_impossible_dates)
    app.after_request(_add_headers)


def _refuse_other_hosts() -> None:
    """Answer 400 unless the request names one of our hosts (RFC 9112, section 3.2).

    Health checks ask by address, and `flask cors` without any. A preflight is answered before: it tells
    the lists of a policy, the same to everybody, and its page can then read this 400.
    """
    host, ours = request.environ.get("HTTP_HOST", ""), current_app.config["HOST_NAMES"]
    if request.blueprint == "health" or is_dry_run() or (not ours and HOST.fullmatch(host)):
        return
    if not host_is_trusted(host.lower(), ours):
        abort(400, f"The host {host!r} is not served here.")


def _ignore_impossible_dates() -> None:
    """Drop a date that no calendar has: it is to be ignored (RFC 9110, 13.1.3), and werkzeug fails on it."""
    environ = request.environ
    for name in ("HTTP_IF_MODIFIED_SINCE", "HTTP_IF_UNMODIFIED_SINCE", "HTTP_IF_RANGE"):
        try:
            parse_date(environ.get(name))
        except OverflowError:
            del environ[name]


def _add_headers(response: Response) -> Response:
    given = {name.lower() for name, _ in response.headers}
    ours = HEADERS | HTTPS_ONLY if request.is_secure else HEADERS
    for name, value in ours.items():
        if name.lower() not in given:
            response.headers.add(name, value)
    return response
