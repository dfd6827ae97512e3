"""Find who answered (the application, a server in front of it, or another server) and the fix for it."""

import os
from typing import Literal
from urllib.parse import urljoin, urlsplit

from flask import Flask
from werkzeug.sansio.utils import host_is_trusted

from ..declare import get_policies
from ..origins import is_loopback
from .browser import REDIRECTS, Request, Response, get_header, get_origin
from .edits import Fix, change_call
from .transport import ALLOW_ORIGIN, Answer, AppTransport, ConnectionFailed

By = Literal["app", "proxy", "other"]
Needed = dict[str, list[str]]  # headers with the items that the browser needs

MARK = "X-Request-ID"
AIRPLAY = ("AirTunes", "AirPlay")
API_IS_DOWN = {502, 503, 504}
# statuses that servers in front send themselves
REFUSALS = REDIRECTS | API_IS_DOWN | {401, 403, 407, 413, 429, 511}
SKIP_WARNING = {  # a part of a tunnel's host or of its headers: the header that skips its warning page
    "ngrok": "ngrok-skip-browser-warning",
    "loca.lt": "bypass-tunnel-reminder",
    "devtunnels.ms": "X-Tunnel-Skip-AntiPhishing-Page",
}
NO_EDIT = "A change in this project does not help"
NO_COOKIES = "withCredentials: false (axios), credentials: 'omit' (fetch)"


def get_address(app: Flask) -> str:
    """Return the origin of an application, from its hints or else from `flask run`."""
    port = os.environ.get("FLASK_RUN_PORT") or "5000"
    return get_policies(app).hints.api_url or f"http://localhost:{port}"


def is_own_url(app: Flask, url: str, *more: str) -> bool:
    """Tell whether a URL belongs to an application, by its address, its port on this machine, or its host."""
    hints, host = get_policies(app).hints, urlsplit(url).hostname
    addresses = [get_address(app), *more, f"http://localhost:{hints.port}" if hints.port else ""]
    addresses += [hints.frontend_url or ""] * hints.one_origin
    is_host = bool(hints.hosts) and host_is_trusted(host, hints.hosts)
    return is_host or _shorten_origin(url) in map(_shorten_origin, filter(None, addresses))


def _shorten_origin(url: str) -> str:
    """Return the origin of a URL, with one name for this machine."""
    parts = urlsplit(url)
    return f"localhost:{parts.port}" if is_loopback(parts.hostname) else get_origin(url)


def find_who_answered(
    app: Flask | None, in_process: str, request: Request, response: Response, is_preflight: bool
) -> By:
    """Return who answered. `in_process` is the origin of the application in process, or ""."""
    is_airplay = (get_header(response, "Server") or "").startswith(AIRPLAY)
    if app is None or is_airplay or not is_own_url(app, request.url, in_process):
        return "other"
    if get_origin(request.url) == in_process:
        return "app"
    is_refusal = response.status in REFUSALS
    transport = AppTransport(app, get_origin(request.url), run_views=is_refusal)
    expected, status, *_ = _ask_in_process(transport, request, is_preflight)
    if _is_rewritten(request, response):
        same = get_header(expected, ALLOW_ORIGIN) == get_header(response, ALLOW_ORIGIN)
        return "app" if same else "proxy"
    if get_header(expected, MARK):
        return "app" if get_header(response, MARK) else "proxy"
    # without a mark, the status decides, if the application itself sends another one
    differs = status != response.status and (status is not None or response.status in API_IS_DOWN)
    is_own = bool(get_header(response, ALLOW_ORIGIN)) and response.status not in API_IS_DOWN
    is_own = is_own or (is_preflight and response.status == 403 and get_policies(app).in_use)
    return "proxy" if is_refusal and differs and not is_own else "app"


def fix_moved(request: Request, response: Response) -> Fix | None:
    """Return the fix for a redirect to the same path, for example with https."""
    location = get_header(response, "Location")
    if response.status not in REDIRECTS or location is None:
        return None
    target = urljoin(request.url, location)
    if urlsplit(target).path.rstrip("/") != urlsplit(request.url).path.rstrip("/") or target == request.url:
        return None
    return change_call(f"{target}, where the redirect leads", url=target)


def fix_in_front(request: Request, response: Response, is_preflight: bool) -> Fix:
    """Return what to do about a response of a server in front of the application."""
    status, path = response.status, urlsplit(request.url).path or "/"
    front = f"the server in front that answered {status} (Server: {get_header(response, 'Server') or 'none'})"
    location, html = get_header(response, "Location"), get_header(response, "Content-Type") or ""
    calls = " and ".join(["OPTIONS"] * is_preflight + [request.method]) + f" {path}"
    if _is_rewritten(request, response):
        passing = f", and pass {calls} to the API" * is_preflight
        what = f"remove what writes {ALLOW_ORIGIN} (nginx: add_header){passing}. The API writes its own"
    elif status in API_IS_DOWN:
        return Fix(f"start the API behind {front}. {NO_EDIT}")
    elif status == 413:
        what = "allow larger bodies (nginx: client_max_body_size), or send less"
    elif status == 401 or location:
        where = f", which is at {urlsplit(urljoin(request.url, location)).netloc}" if location else ""
        what = f"pass {calls} to the API without its sign-in{where}"
    elif not is_preflight and (status == 511 or (status in (200, 403, 429) and html.startswith("text/html"))):
        what = f"turn off its warning page or bot check for {path}, which answers instead of the API"
    else:
        what = f"pass {calls} to the API, which answers them itself"
    return Fix(f"in {front}: {what}. {NO_EDIT}")


def find_skip_header(request: Request, response: Response) -> str | None:
    """Return the header that skips the warning page of a tunnel, if a response is one."""
    html = (get_header(response, "Content-Type") or "").startswith("text/html")
    is_page = (response.status == 200 and html) or response.status == 511
    names = " ".join([urlsplit(request.url).hostname or "", *(name.lower() for name, _ in response.headers)])
    return next((header for part, header in SKIP_WARNING.items() if part in names and is_page), None)


def fix_other_server(
    app: Flask | None, request: Request, response: Response, needed: Needed, is_preflight: bool = False
) -> Fix:
    """Return what to do about another server, from which the page needs these headers."""
    if (get_header(response, "Server") or "").startswith(AIRPLAY):
        return Fix(f"use another port than 5000, where AirPlay answers on a Mac. {NO_EDIT}")
    place = get_origin(request.url)
    if get_header(response, ALLOW_ORIGIN) == "*" and request.credentials and len(needed) == 2:
        text = f"{NO_COOKIES}; {place} allows every page to read its responses, without cookies"
        return change_call(text, credentials=False)
    text = f"ask the owner of {place} to send {show_headers(needed)}" + ", and 204 for OPTIONS" * is_preflight
    text += f"; or call it from your API instead of the page. {NO_EDIT}"
    if app:
        hints, line = get_policies(app).hints, f"in init_cors: hints=Hints(api_url={place!r})"
        if hints.api_url_setting:
            line = f"{hints.settings_file}: {hints.api_url_setting}={place}"
        text += f". If {place} is this API, write {line}"
    return Fix(text)


def show_headers(headers: Needed) -> str:
    """Return headers, and their items, in one line."""
    return "; ".join(f"{name}: {', '.join(values)}" for name, values in headers.items())


def _ask_in_process(transport: AppTransport, request: Request, is_preflight: bool) -> Answer:
    """Return what the application itself answers, with the status None if only a view knows it."""
    try:
        if is_preflight:
            response = transport.send_preflight(request)
            return Answer(response, response.status)
        return transport.send(request)
    except ConnectionFailed:
        return Answer(Response(500), None)


def _is_rewritten(request: Request, response: Response) -> bool:
    """Tell whether a response allows an origin that no application writes for this request."""
    allowed = get_header(response, ALLOW_ORIGIN) or ""
    return "," in allowed or (allowed == "*" and request.credentials)
