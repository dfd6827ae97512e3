"""Preflights: the question that a browser asks before it sends what a plain form could not.

They are answered in front of Flask, so that nothing answers first: no login with 401, no limit, no
redirect. Under an unknown path they are answered as well: only so can the page read the 404.
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
from .doctor.browser import SAFELISTED_METHODS
from .dry_run import is_dry_run
from .headers import write_cors_headers
from .policy import Policy

Headers = list[tuple[str, str]]
PREFLIGHT = {"HTTP_ORIGIN", "HTTP_ACCESS_CONTROL_REQUEST_METHOD"}
LONGEST_LIST = 4096  # bytes of Access-Control-Request-Headers


class PreflightLayer:
    """A WSGI application in front of another, which sees everything but preflights."""

    def __init__(self, app: Flask, policies: Policies) -> None:
        self.app = app
        self.wsgi_app = app.wsgi_app
        self.policies = policies
        self.ready = False

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if not self.ready:
            self._prepare()
        if environ["REQUEST_METHOD"] != "OPTIONS" or not environ.keys() >= PREFLIGHT:
            return self.wsgi_app(environ, _complete(start_response))
        path = environ.get("PATH_INFO", "")
        if not path.isascii():  # WSGI hands bytes over as Latin-1 (PEP 3333)
            path = path.encode("latin-1").decode("utf-8", "replace")
        policy = self.policies.find(path)
        status, headers = _answer(policy, environ)
        if mark := self.policies.hints.mark_preflight:
            headers.extend(mark(environ))
        if self.app.logger.isEnabledFor(logging.DEBUG) or not self.policies.hints.production:
            self._note(path, status, environ, _refusal(policy, environ))
        start_response(status, headers)
        return []

    def _note(self, path: str, status: str, environ: WSGIEnvironment, refusal: str | None) -> None:
        origin, method = environ["HTTP_ORIGIN"], environ["HTTP_ACCESS_CONTROL_REQUEST_METHOD"]
        text = "OPTIONS %s %s, preflight for %a, origin %a: %s"
        self.app.logger.debug(text, quote(path), status[:3], method, origin, refusal or "allowed")
        if refusal and not self.policies.hints.production and not is_dry_run():
            names = frozenset(_get_names(environ))
            self.policies.refused.appendleft(RefusedPreflight(time.monotonic(), path, origin, method, names))

    def _prepare(self) -> None:
        """Check once more what may have changed since `init_cors`, at the first request."""
        self.policies.check()
        config = self.app.config
        if self.app.debug and not self.app.testing and config["PROPAGATE_EXCEPTIONS"] is None:
            # a page can read a 500 only with CORS headers, which a traceback page does not have
            config["PROPAGATE_EXCEPTIONS"] = False
        self.ready = True


def _complete(start_response: StartResponse) -> StartResponse:
    """Add the CORS headers to a 500 that has none: an `after_request` function of the application raised."""

    def start(status: str, headers: Headers, exc_info: Any = None, /) -> Callable[[bytes], object]:
        is_error = status.startswith("5") and has_request_context()
        if is_error and not any(name.lower().startswith("access-control-") for name, _ in headers):
            headers = list(write_cors_headers(Response(headers=headers)).headers)
        return start_response(status, headers, exc_info)

    return start


def _answer(policy: Policy | None, environ: WSGIEnvironment) -> tuple[str, Headers]:
    refused: Headers = [("Content-Length", "0")]
    if policy is None:
        return "403 Forbidden", refused
    origin = policy.allow_origin(environ["HTTP_ORIGIN"])
    if origin is None or len(environ.get("HTTP_ACCESS_CONTROL_REQUEST_HEADERS", "")) > LONGEST_LIST:
        return "403 Forbidden", refused if policy.any_origin else [*refused, ("Vary", "Origin")]
    # the whole lists, whatever was asked for: the browser then names what is missing in them
    return "204 No Content", [("Access-Control-Allow-Origin", origin), *policy.preflight_headers]


def _refusal(policy: Policy | None, environ: WSGIEnvironment) -> str | None:
    origin, method = environ["HTTP_ORIGIN"], environ["HTTP_ACCESS_CONTROL_REQUEST_METHOD"]
    if policy is None:
        return f"refused: no policy covers this path, so no page of {origin!r} may use it"
    if refusal := policy.refusal(origin):
        return refusal
    if len(environ.get("HTTP_ACCESS_CONTROL_REQUEST_HEADERS", "")) > LONGEST_LIST:
        return f"refused: the list of request headers is longer than {LONGEST_LIST} bytes"
    if method not in SAFELISTED_METHODS and method not in policy.methods:
        return f"refused: {method!r} is not among the methods {list(policy.methods)} ({policy.place})"
    allowed = {name.lower() for name in policy.request_headers}
    names = _get_names(environ)
    missing = names - allowed if "*" not in allowed else names & {"authorization"} - allowed
    if missing:
        return f"refused: {', '.join(sorted(missing))!r} is not in request_headers ({policy.place})"
    return None


def _get_names(environ: WSGIEnvironment) -> set[str]:
    """Return the names of the headers that a preflight asks for, in lower case."""
    names = environ.get("HTTP_ACCESS_CONTROL_REQUEST_HEADERS", "").split(",")
    return {name.strip().lower() for name in names} - {""}
