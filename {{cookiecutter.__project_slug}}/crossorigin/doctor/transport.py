"""Send a request: to an application in process, or to a server over the network."""

import http.client
import queue
import re
import socket
import ssl
import threading
from contextlib import closing, suppress
from dataclasses import KW_ONLY, dataclass
from typing import NamedTuple, Protocol
from urllib.parse import urlsplit

from flask import Flask
from flask import Response as FlaskResponse
from werkzeug.test import Client, EnvironBuilder

from ..declare import get_policies
from ..dry_run import dry_run
from . import browser
from .browser import Headers, Request, Response
from .edits import Fix
from .source import view_writes_cors

SAFE = {"GET", "HEAD"}
TIMEOUT = 5  # seconds, for a whole response
LOOKUP_TIMEOUT = 1  # seconds, for the address of a name
NO_COOKIES = "Asked without cookies."
ALLOW_ORIGIN = "Access-Control-Allow-Origin"


class ConnectionFailed(Exception):  # noqa: N818
    """No response came. The message says why, `fix` what to do, `reason` is the name of MDN's page."""

    def __init__(self, why: str, fix: Fix, reason: str | None = "CORSDidNotSucceed") -> None:
        super().__init__(why)
        self.fix = fix
        self.reason = reason


class Answer(NamedTuple):
    """A response, and how it differs from the one that the page would get."""

    response: Response
    status: int | None  # None if only the view knows it
    note: str = ""
    cors_unknown: bool = False  # whether only the view knows the CORS headers


class Transport(Protocol):
    @property
    def address(self) -> str: ...  # the origin of the application that answers; "" if it can be any server

    def send_preflight(self, request: Request) -> Response: ...

    def send(self, request: Request) -> Answer: ...

    def find_address(self, host: str) -> str | None: ...  # of a name; None where it cannot be known


def build_headers(request: Request) -> Headers:
    """Return the headers that the browser sends: without Origin for a same-origin GET or HEAD."""
    sent = browser.get_sent_headers(request.headers)
    safe = browser.normalize_method(request.method) in SAFE
    own = browser.is_same_origin(request.url, request.origin) and safe
    return sent if own else (("Origin", request.origin), *sent)


@dataclass
class AppTransport:
    """Send requests to an application in process, without cookies but for one that is given.

    For methods other than GET and HEAD views never run, so that explaining a request changes nothing.
    """

    app: Flask
    address: str  # its origin
    _: KW_ONLY
    run_views: bool  # for GET and HEAD
    external: Transport | None = None  # for other origins, where a redirect leads; None refuses them
    cookie: str = ""  # of a user who is signed in

    def send_preflight(self, request: Request) -> Response:
        if external := self._find_external(request):
            return external.send_preflight(request)
        return self._run(request, "OPTIONS", tuple(browser.build_preflight_headers(request)))

    def send(self, request: Request) -> Answer:
        if external := self._find_external(request):
            return external.send(request)
        with dry_run() as remarks:
            answer = self._send(request)
        note = "Asked with the session cookie." if self.cookie else NO_COOKIES
        return answer._replace(note=" ".join([answer.note or note, *remarks]))

    def _send(self, request: Request) -> Answer:
        method, headers = browser.normalize_method(request.method), build_headers(request)
        headers += (("Cookie", self.cookie),) if self.cookie else ()
        if method in SAFE and self.run_views:
            response = self._run(request, method, headers)
            return Answer(response, response.status)
        answer, view = run_all_but_view(self.app, _build_environ(request, method, headers))
        response = Response(answer.status_code, tuple(answer.headers))
        if view is None:
            return Answer(response, answer.status_code)
        note = "The view did not run, so the headers that it adds are missing."
        ours = get_policies(self.app).in_use  # then headers of a view are removed
        writer = (
            "" if ours or browser.get_header(response, ALLOW_ORIGIN) else view_writes_cors(self.app, view)
        )
        if writer == "flask-cors":  # @cross_origin writes the same headers for OPTIONS, without the view
            same = self._run(request, "OPTIONS", build_headers(request)).headers
            more = tuple(line for line in same if line[0].lower().startswith("access-control-"))
            response = response._replace(headers=response.headers + more)
        return Answer(response, None, note, cors_unknown=writer == "by hand")

    def find_address(self, host: str) -> str | None:
        return self.external.find_address(host) if self.external else None

    def _find_external(self, request: Request) -> Transport | None:
        """Return the transport for another origin; None if the application itself is at the URL."""
        if browser.get_origin(request.url) == self.address:
            return None
        if self.external is None:
            why = f"{request.url} is not this API ({self.address}), and only this API is asked here."
            fix = f"run: flask cors explain {request.method} {request.url} --origin {request.origin}"
            raise ConnectionFailed(why, Fix(fix), None)
        return self.external

    def _run(self, request: Request, method: str, headers: Headers) -> Response:
        client, builder = Client(self.app, use_cookies=False), _build_environ(request, method, headers)
        try:
            with dry_run(), client.open(builder) as response:
                return Response(response.status_code, tuple(response.headers))
        except Exception as error:  # no error handler takes it, and a server closes the connection
            why = f"The application raises an exception for this request: {error!r}."
            raise ConnectionFailed(why, Fix("correct what the exception says, then try again")) from error


def _build_environ(request: Request, method: str, headers: Headers) -> EnvironBuilder:
    url = urlsplit(request.url)
    base = f"{url.scheme}://{url.netloc}"
    return EnvironBuilder(url.path, base, query_string=url.query, method=method, headers=list(headers))


def run_all_but_view(app: Flask, builder: EnvironBuilder) -> tuple[FlaskResponse, str | None]:
    """Return the response to a request, and the endpoint whose view would have run.

    The endpoint is None if the response is complete: routing has answered (404, 405, a redirect),
    or something that comes before the view.
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
            view = context.request.endpoint if answer is None else None
            return app.process_response(response), view
        except Exception as error:  # no error handler of the application takes it: its 500
            return app.handle_exception(error), None


@dataclass(kw_only=True)
class HttpTransport:
    """Send requests to a server over the network."""

    address = ""
    send_unsafe: bool  # whether to send methods other than GET and HEAD; otherwise HEAD replaces them
    start_command: str = ""  # for the message that nothing answers

    def send_preflight(self, request: Request) -> Response:
        return self._ask("OPTIONS", request.url, tuple(browser.build_preflight_headers(request)))

    def send(self, request: Request) -> Answer:
        method = browser.normalize_method(request.method)
        if method in SAFE or self.send_unsafe:
            response = self._ask(method, request.url, build_headers(request))
            return Answer(response, response.status, NO_COOKIES)
        response = self._ask("HEAD", request.url, build_headers(request))
        note = f"This is the response to HEAD, which changes nothing. Add --send to really send {method}."
        return Answer(response, None, note)

    def find_address(self, host: str) -> str | None:
        """Return the address that this machine knows for a name, which need not be the visitor's."""
        results: queue.SimpleQueue[str | None] = queue.SimpleQueue()

        def look_up() -> None:
            try:
                results.put(str(socket.getaddrinfo(host, None)[0][4][0]).partition("%")[0])
            except (OSError, UnicodeError):
                results.put(None)

        threading.Thread(target=look_up, daemon=True).start()
        with suppress(queue.Empty):
            return results.get(timeout=LOOKUP_TIMEOUT)
        return None

    def _ask(self, method: str, url: str, headers: Headers) -> Response:
        """Send one request, and wait for the headers of its response at most `TIMEOUT` seconds in all."""
        results: queue.SimpleQueue[Response | Exception] = queue.SimpleQueue()

        def ask() -> None:
            try:
                results.put(_exchange(method, url, headers))
            except (OSError, http.client.HTTPException) as error:
                results.put(error)

        # the timeout of a socket is for one read: a server that sends a byte now and then never reaches it
        threading.Thread(target=ask, daemon=True).start()
        try:
            result = results.get(timeout=TIMEOUT)
        except queue.Empty:
            result = TimeoutError()
        if isinstance(result, Exception):
            raise describe_network_error(url, result, self.start_command) from result
        return result


def _exchange(method: str, url: str, headers: Headers) -> Response:
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    with closing(kind(parts.hostname or "", parts.port, timeout=TIMEOUT)) as connection:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.putrequest(method, target, skip_accept_encoding=True)
        empty = () if method in (*SAFE, "OPTIONS") else (("Content-Length", "0"),)
        for name, value in (*headers, *empty):
            connection.putheader(name, value)
        connection.endheaders()
        response = connection.getresponse()
        # a folded header comes as several lines (RFC 9112, section 5.2)
        lines = [(name, re.sub(r"\s*[\r\n]+\s*", " ", value)) for name, value in response.getheaders()]
        return Response(response.status, tuple(lines))


def describe_network_error(url: str, error: Exception, start_command: str = "") -> ConnectionFailed:
    """Return in words why no response came from a URL."""
    parts = urlsplit(url)
    place = f"{parts.scheme}://{parts.netloc}"
    match error:
        case socket.gaierror():
            why = f"The name {parts.hostname!r} is not known."
            fix = "correct the name in the URL, or check the network"
        case TimeoutError():
            why = f"{place} does not answer within {TIMEOUT} seconds."
            fix = f"check what blocks the server at {place}, or a firewall before it"
        case ssl.SSLCertVerificationError():
            why = f"The certificate of {place} is not trusted."
            fix = f"open {place} in the browser: it says what is wrong with the certificate"
        case ssl.SSLError() | http.client.HTTPException() | ConnectionResetError():
            why = f"The server at {place} does not speak {parts.scheme}."
            fix = f"use {'http' if parts.scheme == 'https' else 'https'}://{parts.netloc}"
        case _:
            cause = getattr(error, "strerror", None)
            why = f"Nothing answers at {place}" + (f" ({cause})." if cause else ".")
            start = f" ({start_command})" if start_command else ""
            fix = f"start the server{start}, or use the address where it runs"
    return ConnectionFailed(why, Fix(fix))
