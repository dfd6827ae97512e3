"""Send a request to an application in process, or to a server over the network."""

import http.client
import queue
import re
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import KW_ONLY, dataclass
from typing import NamedTuple, Protocol, TypeVar
from urllib.parse import urlsplit

from flask import Flask
from flask import Response as FlaskResponse
from werkzeug.test import Client, EnvironBuilder

from ..declare import get_policies
from ..dry_run import dry_run
from ..origins import DEFAULT_PORTS, get_site
from . import browser
from .browser import Headers, Request, Response
from .edits import Fix, change_page
from .source import find_view_writer

T = TypeVar("T")

SAFE = {"GET", "HEAD"}
TIMEOUT = 5  # seconds, for a whole response
LOOKUP_TIMEOUT = 1  # seconds, for the address of a name
NO_COOKIES = "Sent without cookies."
ALLOW_ORIGIN = "Access-Control-Allow-Origin"
USER_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)"
USER_AGENT += " Chrome/156.0.0.0 Safari/537.36"
TLS_ALERT = re.compile(r"(?:SSLV3|TLSV1|TLSV13)_(?:ALERT_)?(\w+)")  # a reason of OpenSSL


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

    def find_address(self, host: str) -> str | None: ...  # of a name, or None if it is unknown


def build_headers(request: Request) -> Headers:
    """Return the headers of the script, and Origin, which a same-origin GET or HEAD does not have."""
    sent = browser.get_sent_headers(request.headers)
    safe = browser.normalize_method(request.method) in SAFE
    own = request.mode == "no-cors" or browser.is_same_origin(request.url, request.origin)
    return sent if own and safe else (("Origin", request.origin), *sent)


def build_browser_headers(request: Request) -> Headers:
    """Return the headers that Chromium adds, because warning pages and bot checks depend on them."""
    given = {name.lower() for name, _ in request.headers}
    api, page = browser.get_origin(request.url), request.origin
    trustworthy = browser.is_trustworthy(api)
    site = "same-site" if get_site(api) == get_site(page) else "cross-site"
    headers = {"Accept": "*/*", "Accept-Language": "en-US,en;q=0.9", "User-Agent": USER_AGENT}
    if trustworthy:
        headers["Sec-Fetch-Site"] = "same-origin" if api == page else site
        headers |= {"Sec-Fetch-Mode": request.mode, "Sec-Fetch-Dest": "empty"}
    if page.startswith("http:") or (page.startswith("https:") and trustworthy):
        headers["Referer"] = f"{page}/"
    return tuple((name, value) for name, value in headers.items() if name.lower() not in given)


@dataclass
class AppTransport:
    """Send requests to an application in process. Views run for GET and HEAD only, to change nothing."""

    app: Flask
    address: str  # its origin
    _: KW_ONLY
    run_views: bool  # for GET and HEAD
    external: Transport | None = None  # for redirects to other origins; None refuses them
    cookie: str = ""  # of a signed-in user

    def send_preflight(self, request: Request) -> Response:
        if external := self._find_external(request):
            return external.send_preflight(request)
        return self._run(request, "OPTIONS", tuple(browser.build_preflight_headers(request)))

    def send(self, request: Request) -> Answer:
        if external := self._find_external(request):
            return external.send(request)
        with dry_run() as remarks:
            answer = self._send(request)
        note = "Sent with the session cookie." if self.cookie else NO_COOKIES
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
        # where policies are in use, headers of a view are removed
        known = get_policies(self.app).in_use or browser.get_header(response, ALLOW_ORIGIN)
        writer = "" if known else find_view_writer(self.app, view)
        if writer == "flask-cors":  # @cross_origin writes the same headers for OPTIONS, without the view
            same = self._run(request, "OPTIONS", build_headers(request)).headers
            more = tuple(line for line in same if line[0].lower().startswith("access-control-"))
            response = response._replace(headers=response.headers + more)
        return Answer(response, None, note, cors_unknown=writer == "by hand")

    def find_address(self, host: str) -> str | None:
        return self.external.find_address(host) if self.external else None

    def _find_external(self, request: Request) -> Transport | None:
        """Return the transport for another origin, or None if the application itself is at the URL."""
        if browser.get_origin(request.url) == self.address:
            return None
        if self.external is None:
            why = f"{request.url} is not this API ({self.address}), and only this API is called here."
            fix = f"run: flask cors explain {request.method} {request.url} --origin {request.origin}"
            raise ConnectionFailed(why, Fix(fix), None)
        return self.external

    def _run(self, request: Request, method: str, headers: Headers) -> Response:
        client, builder = Client(self.app, use_cookies=False), _build_environ(request, method, headers)
        try:
            with dry_run(), client.open(builder) as response:
                return Response(response.status_code, tuple(response.headers))
        except Exception as error:  # no error handler: a server answers 500 without CORS headers
            why = f"The application raises an exception for this request: {error!r}."
            fix = Fix("fix the exception, then try again")
            raise ConnectionFailed(why, fix, "CORSMissingAllowOrigin") from error


def _build_environ(request: Request, method: str, headers: Headers) -> EnvironBuilder:
    url = urlsplit(request.url)
    base = f"{url.scheme}://{url.netloc}"
    lines = [*headers, *build_browser_headers(request)]
    return EnvironBuilder(url.path, base, query_string=url.query, method=method, headers=lines)


def run_all_but_view(app: Flask, builder: EnvironBuilder) -> tuple[FlaskResponse, str | None]:
    """Return the response to a request, and the endpoint whose view would have run.

    The endpoint is None if routing (404, 405, a redirect) or code before the view has answered.
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
        except Exception as error:  # no error handler handles it
            return app.handle_exception(error), None


@dataclass(kw_only=True)
class HttpTransport:
    """Send requests to a server over the network."""

    address = ""
    send_unsafe: bool  # whether to send methods other than GET and HEAD; otherwise HEAD replaces them
    start_command: str = ""  # for the message about a server that does not run

    def send_preflight(self, request: Request) -> Response:
        return self._ask("OPTIONS", request, tuple(browser.build_preflight_headers(request)))

    def send(self, request: Request) -> Answer:
        method = browser.normalize_method(request.method)
        if method in SAFE or self.send_unsafe:
            response = self._ask(method, request, build_headers(request))
            return Answer(response, response.status, NO_COOKIES)
        response = self._ask("HEAD", request, build_headers(request))
        note = f"This is the response to HEAD, which changes nothing. Add --send to really send {method}."
        return Answer(response, None, note)

    def find_address(self, host: str) -> str | None:
        """Return the address of a name on this machine, which can differ for the visitor."""
        found = _run_with_timeout(LOOKUP_TIMEOUT, lambda: socket.getaddrinfo(host, None)[0][4][0])
        return None if isinstance(found, Exception) else str(found).partition("%")[0]

    def _ask(self, method: str, request: Request, headers: Headers) -> Response:
        """Send one request, and wait for the headers of its response at most `TIMEOUT` seconds in all."""
        # a socket's timeout is for one read, so a server that sends a byte now and then would never reach it
        lines = headers + build_browser_headers(request)
        result = _run_with_timeout(TIMEOUT, lambda: _exchange(method, request.url, lines))
        if isinstance(result, Exception):
            raise describe_network_error(request.url, result, self.start_command) from result
        return result


def _run_with_timeout(seconds: float, function: Callable[[], T]) -> T | Exception:
    """Return the result of a network function, or its error, after some seconds at most."""
    results: queue.SimpleQueue[T | Exception] = queue.SimpleQueue()

    def run() -> None:
        try:
            results.put(function())
        except (OSError, UnicodeError, http.client.HTTPException) as error:
            results.put(error)

    threading.Thread(target=run, daemon=True).start()
    try:
        return results.get(timeout=seconds)
    except queue.Empty:
        return TimeoutError()


def _exchange(method: str, url: str, headers: Headers) -> Response:
    parts = urlsplit(url)
    with closing(http.client.HTTPConnection(parts.hostname or "", timeout=TIMEOUT)) as connection:
        connection.sock = _connect(parts.scheme, parts.hostname or "", parts.port)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        empty = () if method in (*SAFE, "OPTIONS") else (("Content-Length", "0"),)
        for name, value in (("Host", browser.get_origin(url).partition("://")[2]), *headers, *empty):
            connection.putheader(name, value)
        connection.endheaders()
        response = connection.getresponse()
        # a folded header comes as several lines (RFC 9112, section 5.2)
        lines = [(name, re.sub(r"\s*[\r\n]+\s*", " ", value)) for name, value in response.getheaders()]
        return Response(response.status, tuple(lines))


def _connect(scheme: str, host: str, port: int | None) -> socket.socket:
    """Return a connection to a server. Names below localhost are this machine (RFC 6761, section 6.3)."""
    address = "localhost" if host.endswith(".localhost") else host
    connection = socket.create_connection((address, port or int(DEFAULT_PORTS[scheme])), TIMEOUT)
    if scheme == "http":
        return connection
    return ssl.create_default_context().wrap_socket(connection, server_hostname=host)


def describe_network_error(url: str, error: Exception, start_command: str = "") -> ConnectionFailed:
    """Return an error that says why a URL sends no response."""
    parts = urlsplit(url)
    place, changes = f"{parts.scheme}://{parts.netloc}", dict[str, str]()
    match error:
        case socket.gaierror() if parts.hostname and not re.search("[.:]", parts.hostname):
            why = f"The name {parts.hostname!r} is unknown. Perhaps only containers know it."
            fix = "call the address that the container publishes, for example http://localhost:8000"
        case socket.gaierror():
            why = f"The name {parts.hostname!r} is unknown."
            fix = "correct the name in the URL, or check the network"
        case TimeoutError():
            why = f"{place} does not answer within {TIMEOUT} seconds."
            fix = f"check the server at {place}, or a firewall in front of it"
        case ssl.SSLCertVerificationError():
            why = f"The certificate of {place} is not trusted."
            fix = f"open {place} in the browser to see what is wrong with the certificate"
        case ssl.SSLError(reason=str(reason)) if alert := TLS_ALERT.match(reason):
            why = f"The server at {place} refuses the TLS handshake: {alert[1].lower().replace('_', ' ')}."
            fix = f"in the server at {place}: set a certificate for {parts.hostname} and TLS 1.2 or 1.3"
        case ssl.SSLError() | http.client.HTTPException() | ConnectionResetError():
            why = f"The server at {place} does not speak {parts.scheme}."
            other = parts._replace(scheme="http" if parts.scheme == "https" else "https")
            fix, changes = f"use {other.scheme}://{other.netloc}", {"url": other.geturl()}
        case _:
            cause = getattr(error, "strerror", None)
            why = f"Nothing answers at {place}" + (f" ({cause})." if cause else ".")
            start = f" ({start_command})" if start_command else ""
            fix = f"start the server{start}, or use the address where it runs"
    return ConnectionFailed(why, change_page(fix, **changes))
