"""Slow clients: a layer in front of Flask, so that none of them holds a thread that runs views.

Granian gives a thread to a request before its body is here, and lets it wait for the body without an end
(https://github.com/emmett-framework/granian/issues/728). So it has many threads, and a request takes one of
the few seats when its body is whole. A client that sends a byte a second takes none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from io import BytesIO
from threading import Semaphore
from typing import TYPE_CHECKING

from flask import Flask, Response, request
from werkzeug.exceptions import (
    BadRequest,
    HTTPException,
    LengthRequired,
    RequestEntityTooLarge,
    ServiceUnavailable,
)

if TYPE_CHECKING:
    from wsgiref.types import InputStream, StartResponse, WSGIApplication, WSGIEnvironment

MOST_BODIES = 64  # on their way at a time, in each process
MOST_DRAINED, MOST_SENT, CHUNK = 32 * 1024 * 1024, 8 * 1024 * 1024, 64 * 1024  # bytes
REFUSAL = f"{__name__}.refusal"


def init_app(app: Flask) -> None:
    """Put the layer in front of an application, which answers with its refusals."""
    layer = app.extensions["slow_clients"] = SlowClients(app.wsgi_app, app.config["MAX_CONTENT_LENGTH"])
    app.wsgi_app = layer  # type: ignore[method-assign]
    app.before_request(_refuse)
    app.after_request(_in_one_piece)


class SlowClients:
    """A WSGI application in front of another, which gets each request with its whole body.

    Args:
        wsgi_app: the application behind.
        longest: bytes that a body may have.
    """

    def __init__(self, wsgi_app: WSGIApplication, longest: int) -> None:
        self.wsgi_app = wsgi_app
        self.longest = longest
        self.bodies = Semaphore(MOST_BODIES)
        self.seats: AbstractContextManager[object] = nullcontext()  # the server limits them

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ[REFUSAL] = self._take_in(environ)
        # a server that is busy is not dead: health checks need no seat
        with nullcontext() if environ["PATH_INFO"].startswith("/health/") else self.seats:
            return self.wsgi_app(environ, start_response)

    def _take_in(self, environ: WSGIEnvironment) -> HTTPException | None:
        """Put the whole body in the place of its stream, or return why it is refused."""
        if "HTTP_TRANSFER_ENCODING" in environ:  # Granian does not tell where such a body was cut off
            return LengthRequired("Send the body with its Content-Length, not in chunks.")
        given = environ.get("CONTENT_LENGTH") or "0"
        if not re.fullmatch("[0-9]{1,18}", given):
            return BadRequest("The Content-Length is not a number.")
        length = int(given)
        if length and not self.bodies.acquire(blocking=False):
            return ServiceUnavailable("Too many bodies are on their way; try again.", retry_after=1)
        try:
            if length > self.longest:
                if length <= MOST_DRAINED:
                    _drain(environ["wsgi.input"], length)
                return RequestEntityTooLarge()
            body = environ["wsgi.input"].read(length) if length else b""
        except OSError:
            body = b""
        finally:
            if length:
                self.bodies.release()
        environ["wsgi.input"] = BytesIO(body)
        return None if len(body) == length else BadRequest("The body ends before its Content-Length.")


def _drain(stream: InputStream, length: int) -> None:
    """Read a body that is too long: a client that is cut off while sending never sees the answer."""
    for start in range(0, length, CHUNK):
        if not stream.read(min(CHUNK, length - start)):
            break


def _refuse() -> None:
    if refusal := request.environ.get(REFUSAL):
        raise refusal


def _in_one_piece(response: Response) -> Response:
    """Hand a file over at once: in pieces, it would hold its thread until a slow client has read it."""
    length = response.content_length
    if response.is_streamed and length and length <= MOST_SENT:
        response.direct_passthrough = False
        response.set_data(response.get_data())
    return response
