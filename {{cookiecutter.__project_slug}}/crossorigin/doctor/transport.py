"""Ask, and hear the answer: of this application in process, or of any server over the network."""

import http.client
import socket
import ssl
from typing import NamedTuple, Protocol
from urllib.parse import urlsplit

from flask import Flask
from flask import Response as FlaskResponse
from werkzeug.test import EnvironBuilder, run_wsgi_app

from ..dry_run import dry_run
from .browser import (
    Headers,
    Request,
    Response,
    is_same_origin,
    normalize_method,
    origin_of,
    preflight_headers,
    sent_headers,
)

SAFE = {"GET", "HEAD"}
PATIENCE = 5  # seconds
NO_COOKIES = "Asked without cookies."


class NoAnswer(Exception):  # noqa: N818
    """Nothing came back; why, and what to do."""

    def __init__(self, why: str, cure: str, reason: str | None = "CORSDidNotSucceed") -> None:
        super().__init__(why)
        self.cure = cure
        self.reason = reason


class Answer(NamedTuple):
    """What came back, and what in it is not what the page would get."""

    response: Response
    status: int | None  # None when only the view knows it
    note: str = ""


def header(response: Response, name: str) -> str | None:
    """Return the first line of a header."""
    return next((value for n, value in response.headers if n.lower() == name.lower()), None)


class Exchange(Protocol):
    @property
    def address(self) -> str: ...  # the origin at which it is this application for certain; "" for none
    def preflight(self, request: Request) -> Response: ...
    def send(self, request: Request) -> Answer: ...


def request_headers(request: Request) -> Headers:
    """Return what the browser sends: no Origin where page and API are one origin and nothing changes."""
    own = is_same_origin(request.url, request.origin) and normalize_method(request.method) in SAFE
    return (*(() if own else (("Origin", request.origin),)), *sent_headers(request.headers))


class InProcess:
    """Ask this application.

    Args:
        app: is asked without cookies.
        address: where it is, as an origin.
        views: whether views run for GET and HEAD; for any other method they never do, so that
            explaining a request changes nothing.
        beyond: who is asked about other addresses, where a redirect leads; None: nobody.
    """

    def __init__(self, app: Flask, address: str, *, views: bool, beyond: Exchange | None = None) -> None:
        self.app = app
        self.address = address
        self.views = views
        self.beyond = beyond

    def preflight(self, request: Request) -> Response:
        if beyond := self._beyond(request):
            return beyond.preflight(request)
        return self._run(request, "OPTIONS", tuple(preflight_headers(request)))

    def send(self, request: Request) -> Answer:
        if beyond := self._beyond(request):
            return beyond.send(request)
        method = normalize_method(request.method)
        if method in SAFE and self.views:
            response = self._run(request, method, request_headers(request))
            return Answer(response, response.status, NO_COOKIES)
        builder = _environ(request, method, request_headers(request))
        with dry_run():
            answer, complete = everything_but_the_view(self.app, builder)
        response = Response(answer.status_code, tuple(answer.headers))
        if complete:
            return Answer(response, answer.status_code, NO_COOKIES)
        note = "Everything of the application ran but the view, so what the view adds is missing."
        return Answer(response, None, note)

    def _beyond(self, request: Request) -> Exchange | None:
        """Return who answers for an address, None when it is this application itself."""
        if origin_of(request.url) == self.address:
            return None
        if self.beyond is None:
            why = f"{request.url} is not this API ({self.address}), and nobody else is asked here."
            raise NoAnswer(why, f"uv run flask cors explain {request.method} {request.url} asks it", None)
        return self.beyond

    def _run(self, request: Request, method: str, headers: Headers) -> Response:
        environ = _environ(request, method, headers).get_environ()
        try:
            with dry_run():
                body, status, received = run_wsgi_app(self.app.wsgi_app, environ)
                if hasattr(body, "close"):
                    body.close()
        except Exception as error:  # no handler of the application takes it, and a server hangs up
            raise NoAnswer(f"The API fails while it answers ({error!r}).", "mend what it says") from error
        return Response(int(status.split()[0]), tuple(received))


def _environ(request: Request, method: str, headers: Headers) -> EnvironBuilder:
    url = urlsplit(request.url)
    base = f"{url.scheme}://{url.netloc}"
    return EnvironBuilder(url.path, base, query_string=url.query, method=method, headers=list(headers))


def everything_but_the_view(app: Flask, builder: EnvironBuilder) -> tuple[FlaskResponse, bool]:
    """Return the answer to a request, and whether it is complete although no view has run.

    It is when something else answers: routing (404, 405, a redirect), or what comes before the view.
    """
    with app.app_context(), app.request_context(builder.get_environ()) as context:
        try:
            try:
                answer = app.preprocess_request()
                if answer is None and context.request.routing_exception is not None:
                    app.raise_routing_exception(context.request)
            except Exception as error:
                answer = app.handle_user_exception(error)
            response = app.make_response("" if answer is None else answer)
            return app.process_response(response), answer is not None
        except Exception as error:  # what no handler of the application takes: its 500
            return app.handle_exception(error), True


class Live:
    """Ask a server over the network.

    Args:
        send: whether a method other than GET and HEAD is really sent; else HEAD stands in for it.
    """

    address = ""

    def __init__(self, *, send: bool) -> None:
        self.unsafe = send

    def preflight(self, request: Request) -> Response:
        return _over_the_network("OPTIONS", request.url, tuple(preflight_headers(request)))

    def send(self, request: Request) -> Answer:
        method = normalize_method(request.method)
        if method in SAFE or self.unsafe:
            response = _over_the_network(method, request.url, request_headers(request))
            return Answer(response, response.status, NO_COOKIES)
        response = _over_the_network("HEAD", request.url, request_headers(request))
        note = f"This answers HEAD, which changes nothing; add --send to really send {method}."
        return Answer(response, None, note)


def _over_the_network(method: str, url: str, headers: Headers) -> Response:
    parts = urlsplit(url)
    connect = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = connect(parts.hostname or "", parts.port, timeout=PATIENCE)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.putrequest(method, target, skip_accept_encoding=True)
        empty = () if method in (*SAFE, "OPTIONS") else (("Content-Length", "0"),)
        for name, value in (*headers, *empty):
            connection.putheader(name, value)
        connection.endheaders()
        response = connection.getresponse()
        return Response(response.status, tuple(response.getheaders()))
    except (OSError, http.client.HTTPException) as error:
        raise silence(url, error) from error
    finally:
        connection.close()


def silence(url: str, error: Exception) -> NoAnswer:
    """Return in words why nothing came back from a URL."""
    parts = urlsplit(url)
    place = f"{parts.scheme}://{parts.netloc}"
    match error:
        case socket.gaierror():
            why, cure = f"No machine is called {parts.hostname!r}.", "another name, or a working network"
        case TimeoutError():
            why = f"{place} does not answer within {PATIENCE} seconds."
            cure = f"see what hangs at {place}, or which firewall is in between"
        case ssl.SSLCertVerificationError():
            why = f"The certificate of {place} is not trusted."
            cure = f"open {place} in the browser, which tells what is wrong with its certificate"
        case ssl.SSLError() | http.client.HTTPException() | ConnectionResetError():
            why = f"What answers at {place} does not speak {parts.scheme}."
            cure = f"try {'http' if parts.scheme == 'https' else 'https'}://{parts.netloc}"
        case _:
            said = getattr(error, "strerror", None)
            why = f"Nothing answers at {place}" + (f" ({said})." if said else ".")
            cure = "start it (this project: uv run dev.py), or call the address where it runs"
    return NoAnswer(why, cure)
