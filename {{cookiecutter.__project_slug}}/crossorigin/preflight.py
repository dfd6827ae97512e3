"""Preflights: the question that a browser asks before it sends what a plain form could not.

They are answered in front of Flask, so that nothing answers first: no login with 401, no limit, no
redirect. Under an unknown path they are answered as well: only so can the page read the 404.
Source: https://fetch.spec.whatwg.org/#cors-preflight-fetch
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import quote

from .doctor.browser import SAFELISTED_METHODS

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from .declare import Policies
    from .policy import Policy

Headers = list[tuple[str, str]]
LONGEST_LIST = 4096  # bytes of Access-Control-Request-Headers


class PreflightLayer:
    """A WSGI application in front of another, which sees everything but preflights.

    Args:
        wsgi_app: the application behind.
        policies: the policies, complete from `init_cors` on.
        log: gets a line for each preflight, with the reason of a refusal, at level DEBUG.
    """

    def __init__(self, wsgi_app: WSGIApplication, policies: Policies, log: logging.Logger) -> None:
        self.wsgi_app = wsgi_app
        self.policies = policies
        self.log = log
        self.ready = False

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if not self.ready:
            self.policies.check()
            self.ready = True
        if (
            environ["REQUEST_METHOD"] != "OPTIONS"
            or "HTTP_ORIGIN" not in environ
            or "HTTP_ACCESS_CONTROL_REQUEST_METHOD" not in environ
        ):
            return self.wsgi_app(environ, start_response)
        path = environ.get("PATH_INFO", "")
        if not path.isascii():  # WSGI hands bytes over as Latin-1 (PEP 3333)
            path = path.encode("latin-1").decode("utf-8", "replace")
        policy = self.policies.find(path)
        status, headers = _answer(policy, environ)
        if self.log.isEnabledFor(logging.DEBUG):
            said = (environ["HTTP_ACCESS_CONTROL_REQUEST_METHOD"], environ["HTTP_ORIGIN"])
            verdict = _refusal(policy, environ) or "allowed"
            text = "OPTIONS %s %s, preflight for %a, origin %a: %s"
            self.log.debug(text, quote(path), status[:3], *said, verdict)
        start_response(status, headers)
        return []


def _answer(policy: Policy | None, environ: WSGIEnvironment) -> tuple[str, Headers]:
    refused = [("Content-Length", "0")]
    if policy is None:
        return "403 Forbidden", refused
    origin = policy.allow_origin(environ["HTTP_ORIGIN"])
    if origin is None or len(environ.get("HTTP_ACCESS_CONTROL_REQUEST_HEADERS", "")) > LONGEST_LIST:
        return "403 Forbidden", refused if policy.any_origin else [*refused, ("Vary", "Origin")]
    # the whole lists, whatever was asked for: the browser then names what is missing in them
    return "204 No Content", [("Access-Control-Allow-Origin", origin), *policy.preflight_headers]


def _refusal(policy: Policy | None, environ: WSGIEnvironment) -> str | None:
    origin = environ["HTTP_ORIGIN"]
    method = environ["HTTP_ACCESS_CONTROL_REQUEST_METHOD"]
    asked = environ.get("HTTP_ACCESS_CONTROL_REQUEST_HEADERS", "")
    if policy is None:
        return f"refused: no policy covers this path, so no page of {origin!r} may use it"
    if refusal := policy.refusal(origin):
        return refusal
    if len(asked) > LONGEST_LIST:
        return f"refused: the list of request headers is longer than {LONGEST_LIST} bytes"
    if method not in SAFELISTED_METHODS and method not in policy.methods:
        return f"refused: {method!r} is not among the methods {list(policy.methods)} ({policy.place})"
    allowed = {name.lower() for name in policy.request_headers}
    names = {name.strip().lower() for name in asked.split(",")} - {""}
    missing = names - allowed if "*" not in allowed else names & {"authorization"} - allowed
    if missing:
        return f"refused: {', '.join(sorted(missing))!r} is not in request_headers ({policy.place})"
    return None
