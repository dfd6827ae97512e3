"""Answer preflights, which a browser sends before a request that is not simple.

They are answered in front of Flask, so a sign-in, a rate limit or a redirect cannot answer first.
Preflights for unknown paths are answered too, so that the page can read the 404.
Source: https://fetch.spec.whatwg.org/#cors-preflight-fetch
"""

import logging
import time
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote
from wsgiref.types import StartResponse, WSGIEnvironment

from flask import Flask, Response, has_request_context

from .declare import Policies, RefusedPreflight
from .dry_run import is_dry_run
from .headers import write_cors_headers
from .policy import Policy
from .rules import SAFELISTED_METHODS

Headers = list[tuple[str, str]]
PREFLIGHT = {"HTTP_ORIGIN", "HTTP_ACCESS_CONTROL_REQUEST_METHOD"}
MAXIMUM_LENGTH = 4096  # bytes of Access-Control-Request-Headers


class PreflightLayer:
    """WSGI middleware that answers preflights and passes other requests to the application."""

    def __init__(self, app: Flask, policies: Policies) -> None:
        self.app = app
        self.wsgi_app = app.wsgi_app
        self.policies = policies
        self.ready = False

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if not self.ready:
            self._finish_setup()
        if environ["REQUEST_METHOD"] != "OPTIONS" or not environ.keys() >= PREFLIGHT:
            return self.wsgi_app(environ, _add_missing_headers(start_response))
        path = environ.get("PATH_INFO", "")
        if not path.isascii():  # WSGI passes bytes as Latin-1 (PEP 3333)
            path = path.encode("latin-1").decode("utf-8", "replace")
        policy = self.policies.find(path)
        status, headers = _build_response(policy, environ)
        if mark := self.policies.hints.mark_preflight:
            headers.extend(mark(environ))
        if self.app.logger.isEnabledFor(logging.DEBUG) or not self.policies.hints.production:
            self._record(path, status, environ, _explain_refusal(policy, environ))
        start_response(status, headers)
        return []

    def _record(self, path: str, status: str, environ: WSGIEnvironment, refusal: str | None) -> None:
        origin, method = environ["HTTP_ORIGIN"], environ["HTTP_ACCESS_CONTROL_REQUEST_METHOD"]
        text = "OPTIONS %s %s, preflight for %a, origin %a: %s"
        self.app.logger.debug(text, quote(path), status[:3], method, origin, refusal or "allowed")
        if refusal and not self.policies.hints.production and not is_dry_run():
            names = frozenset(_get_names(environ))
            self.policies.refused.appendleft(RefusedPreflight(time.monotonic(), path, origin, method, names))

    def _finish_setup(self) -> None:
        """Check again at the first request what may have changed since `init_cors`."""
        self.policies.check()
        config = self.app.config
        if self.app.debug and not self.app.testing and config["PROPAGATE_EXCEPTIONS"] is None:
            # a page can read a 500 only with CORS headers, which a traceback page does not have
            config["PROPAGATE_EXCEPTIONS"] = False
        self.ready = True


def _add_missing_headers(start_response: StartResponse) -> StartResponse:
    """Add the CORS headers to a 500 without any, after an `after_request` function has failed."""

    def start(status: str, headers: Headers, exc_info: Any = None, /) -> Callable[[bytes], object]:
        is_error = status.startswith("5") and has_request_context()
        if is_error and not any(name.lower().startswith("access-control-") for name, _ in headers):
            headers = list(write_cors_headers(Response(headers=headers)).headers)
        return start_response(status, headers, exc_info)

    return start


def _build_response(policy: Policy | None, environ: WSGIEnvironment) -> tuple[str, Headers]:
    refused: Headers = [("Content-Length", "0")]
    if policy is None:
        return "403 Forbidden", refused
    origin = policy.allow_origin(environ["HTTP_ORIGIN"])
    if origin is None or len(environ.get("HTTP_ACCESS_CONTROL_REQUEST_HEADERS", "")) > MAXIMUM_LENGTH:
        return "403 Forbidden", refused if policy.any_origin else [*refused, ("Vary", "Origin")]
    # send the whole lists for every preflight, so that the browser can name what is missing
    return "204 No Content", [("Access-Control-Allow-Origin", origin), *policy.preflight_headers]


def _explain_refusal(policy: Policy | None, environ: WSGIEnvironment) -> str | None:
    origin, method = environ["HTTP_ORIGIN"], environ["HTTP_ACCESS_CONTROL_REQUEST_METHOD"]
    if policy is None:
        return f"refused: no policy covers this path, so a page of {origin!r} may not call it"
    if refusal := policy.refusal(origin):
        return refusal
    if len(environ.get("HTTP_ACCESS_CONTROL_REQUEST_HEADERS", "")) > MAXIMUM_LENGTH:
        return f"refused: the list of request headers is longer than {MAXIMUM_LENGTH} bytes"
    if method not in SAFELISTED_METHODS and method not in policy.methods:
        return f"refused: {method!r} is not in the methods {list(policy.methods)} ({policy.place})"
    allowed = {name.lower() for name in policy.request_headers}
    names = _get_names(environ)
    missing = names - allowed if "*" not in allowed else names & {"authorization"} - allowed
    if missing:
        return f"refused: {', '.join(sorted(missing))!r} is not in request_headers ({policy.place})"
    return None


def _get_names(environ: WSGIEnvironment) -> set[str]:
    """Return the names of the headers in a preflight, in lower case."""
    names = environ.get("HTTP_ACCESS_CONTROL_REQUEST_HEADERS", "").split(",")
    return {name.strip().lower() for name in names} - {""}
