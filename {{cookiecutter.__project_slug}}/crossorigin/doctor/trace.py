"""Follow the browser's algorithm step by step: why it blocks a request, or what the page can read.

The rules are in `browser.py`. `transport.py` sends the requests. `fixes.py` finds what to write instead.
Source: https://fetch.spec.whatwg.org/#http-fetch
"""

import re
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

from flask import Flask

from ..origins import origin_problem
from ..rules import SAFELISTED_METHODS, TOKEN
from . import browser, no_cors
from .answered import NO_EDIT, By, find_who_answered, fix_moved, is_own_url
from .browser import Header, Request, Response, Step, get_header, get_origin
from .edits import Edit, Fix, change_call
from .fixes import Fixes
from .own_fixes import get_cookie
from .transport import SAFE, Answer, ConnectionFailed, Transport, build_headers

HEADERS = "A script can send the headers"
MAX_REDIRECTS = 20  # Fetch, "HTTP-redirect fetch", step 6
COOKIE = "The request carries the session cookie"  # a "no" here does not stop the browser
ALWAYS_UPPER = "DELETE, GET, HEAD, OPTIONS, POST and PUT"


@dataclass
class Explanation:
    """What a browser does with the request of a page, and why. `reason` is the name of MDN's page."""

    request: Request
    allowed: bool = False
    preflighted: bool = False
    status: int | None = None
    answered_by: By | None = None
    reason: str | None = None
    fix: str | None = None
    edits: list[Edit] = field(default_factory=list)
    readable_headers: list[str] = field(default_factory=list)
    cookies_sent: bool | None = None
    steps: list[Step] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return the object that `flask cors explain --json` prints and the endpoint answers."""
        steps = [{"step": step.step, "ok": step.ok, "detail": step.detail} for step in self.steps]
        edits = [edit._asdict() for edit in self.edits]
        return {n: v for n, v in vars(self).items() if n != "request"} | {"steps": steps, "edits": edits}

    def set_fix(self, fix: Fix, reason: str | None = None) -> None:
        self.reason, self.fix, self.edits = reason, fix.text, list(fix.edits)


def explain(request: Request, transport: Transport, app: Flask | None, *, follow: bool = True) -> Explanation:
    """Follow the steps of a browser for a request, and stop where it stops.

    The fix comes from the policies, hints and source of `app`, which is None for any other server.
    If a redirect leads to another origin that refuses, `follow` sends the request there directly.
    """
    result, fixes, failed = Explanation(request), Fixes(app), None
    trace = _Trace(result, transport, get_cookie(app) if app else None, request)
    try:
        for step in trace.run():
            result.steps.append(step._replace(step=step.step[0].upper() + step.step[1:]))
            if not step.ok and step.step not in (COOKIE, no_cors.FRAME, no_cors.TYPE):
                failed = step
                break
    except ConnectionFailed as failure:
        trace.response = None
        result.steps.append(Step("The server responds", False, str(failure), failure.reason))
        result.set_fix(failure.fix, failure.reason)
        # an exception of the application: its server answers 500
        result.answered_by = "app" if failure.reason == "CORSMissingAllowOrigin" else None
    except ValueError:  # of urllib
        location = get_header(trace.response, "Location") if trace.response else None
        detail = f"The redirect leads to {location!r}, which is not a URL."
        failed = Step("The redirect can be followed", False, detail, "CORSDidNotSucceed")
        result.steps.append(failed)
    if trace.response:
        sent = (trace.request, trace.response, trace.is_preflight)
        result.answered_by = find_who_answered(app, transport.address, *sent)
    result.allowed = result.steps[-1].ok
    if failed and failed.step == HEADERS:
        result.set_fix(_fix_headers(request, fixes))
    elif failed:
        result.set_fix(fixes.find(failed, trace.request, trace.response, result.answered_by), failed.reason)
    if trace.redirect and not result.allowed and follow and (trace.response or not failed):
        result.set_fix(_fix_redirect(result, trace, fixes, app), result.reason)
    elif result.allowed and trace.response and result.answered_by:
        if fix := fixes.find_for_status(trace.request, result.status, trace.response, result.answered_by):
            result.set_fix(fix)
        if result.cookies_sent is False and result.answered_by != "other":
            result.set_fix(fixes.own.find_for_cookie(request))
        policy, last = fixes.policies.find(urlsplit(trace.request.url).path), result.steps[-1]
        if trace.has_hidden and result.answered_by == "app" and policy in fixes.policies.built:
            hint = f" To expose one, add it to expose_headers of the policy ({policy.place})."
            result.steps[-1] = last._replace(detail=last.detail + hint)
    return result


def _fix_headers(request: Request, fixes: Fixes) -> Fix:
    changes = {name: quote(value) for name, value in request.headers if not browser.is_latin_1(value)}
    names = ", ".join(changes)
    text = f"encode {names} with encodeURIComponent, and decode it in the view with urllib.parse.unquote"
    headers = tuple((name, changes.get(name, value)) for name, value in request.headers)
    return fixes.add_own(change_call(text, headers=changes), request._replace(headers=headers))


def _fix_redirect(result: Explanation, trace: "_Trace", fixes: Fixes, app: Flask | None) -> Fix:
    """Return the fix for a request that fails after a redirect to another origin."""
    request, response = trace.redirect or (result.request, Response(500))
    old, url = result.request, trace.request.url
    page = change_call(f"{url}, where the redirect leads", url=url)
    direct = old._replace(method=trace.request.method, url=url)
    by = find_who_answered(app, trace.transport.address, request, response, is_preflight=False)
    if by == "proxy" and not fix_moved(request, response):
        result.answered_by = by
        return fixes.fix_in_front(request, response, is_preflight=False)
    if result.reason is None and trace.response is None:  # nothing was sent
        return Fix(f"run: flask cors explain {old.method} {old.url} --origin {old.origin}")
    if app and is_own_url(app, url):
        return fixes.add_own(page, direct)
    if direct.method not in SAFE or explain(direct, trace.transport, app, follow=False).allowed:
        return page
    text = f"open {old.url} with a navigation (location.href = …), not with a request: it redirects to"
    text += f" {get_origin(url)}, which does not allow pages to read its response, like a sign-in. {NO_EDIT}"
    return Fix(text)


def build_request(
    method: str, url: str, origin: str, headers: Iterable[Header] = (), credentials: bool = False, **more: Any
) -> Request:
    """Return a request of a script, or raise ValueError with what browsers refuse, and the fix."""
    if not TOKEN.match(method):
        raise ValueError(f"{method!r} is not a method; write for example PUT.")
    problem = "is a pattern; write the origin of one page" if "*" in origin else None
    problem = problem or origin_problem(origin, credentials=False)
    if problem and origin != "null":  # files have the origin null, but a policy cannot list it
        raise ValueError(f"the origin {origin!r} {problem}.")
    headers = tuple(headers)
    for name, value in headers:
        if not TOKEN.match(name):
            raise ValueError(f"the header {name!r} is not a token (RFC 9110); write a name without spaces.")
        if re.search(r"[\x00-\x08\x0a-\x1f\x7f]", value):
            raise ValueError(f"the header {name!r} has a control character; write one line.")
    return Request(method, normalize_url(url), origin, headers, credentials, **more)


def normalize_url(url: str) -> str:
    """Return a URL as browsers send it (https://url.spec.whatwg.org/#url-parsing), or raise ValueError."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or "."  # a name in DNS has labels of 1 to 63 characters
        valid = parts.scheme in ("http", "https") and parts.port != 0
        valid = valid and not re.search(r"\A\.|\.\.|[^.]{64}", host)
    except ValueError:
        valid = False
    if not valid or not re.fullmatch(r"[A-Za-z0-9._:\[\]-]+", parts.netloc):
        raise ValueError(f"{url!r} is not a URL; write for example http://localhost:8000/api/notes.")
    path, query = (quote(part, safe="/%:@!$&'()*+,;=~?") for part in (_remove_dots(parts.path), parts.query))
    return f"{parts.scheme}://{parts.netloc.lower()}{path}" + (f"?{query}" if query else "")


def _remove_dots(path: str) -> str:
    segments, kept = path.replace("\\", "/").split("/")[1:], list[str]()
    dots = [segment.lower().replace("%2e", ".") for segment in segments]
    for segment, plain in zip(segments, dots, strict=True):
        if plain == "..":
            kept = kept[:-1]
        elif plain != ".":
            kept.append(segment)
    return "/" + "/".join(kept) + "/" * (bool(kept) and dots[-1] in (".", ".."))


@dataclass
class _Trace:
    result: Explanation
    transport: Transport
    cookie: browser.Cookie | None
    request: Request  # the current one: a redirect makes another
    response: Response | None = None  # to the current request, or to its preflight
    is_preflight: bool = False  # whether the response is to a preflight
    redirect: tuple[Request, Response] | None = None  # the last one that led to another origin
    has_hidden: bool = False  # whether the response has headers that could be exposed

    def run(self) -> Iterator[Step]:
        """Yield each decision. `explain` stops at a "no", except about the cookie."""
        yield from self._check_script()
        for redirects in range(MAX_REDIRECTS + 1):
            self.response = None
            yield from self._check_addresses()
            if self.cookie and self.request.credentials and not redirects:
                step = browser.check_cookie(self.request, self.cookie)
                self.result.cookies_sent = step.ok
                yield step._replace(step=COOKIE)
            if browser.needs_preflight(self.request):
                yield from self._send_preflight()
            answer = yield from self._send()
            location = get_header(answer.response, "Location")
            if answer.response.status not in browser.REDIRECTS or location is None:
                self.result.status = answer.status
                yield from self._read(answer.response)
                return
            yield from self._follow(answer.response, location)
        detail = f"There are more than {MAX_REDIRECTS} redirects, so the browser stops."
        yield Step("The redirects end", False, detail, "CORSDidNotSucceed")

    def _check_script(self) -> Iterator[Step]:
        method, sent = self.request.method, browser.normalize_method(self.request.method)
        allowed = not browser.is_forbidden_method(method)
        detail = f"The browser sends {sent}." if allowed else f"Browsers do not let a page send {method}."
        if sent != sent.upper():
            detail += f" It changes only {ALWAYS_UPPER} to upper case."
        yield Step("A script can send the method", allowed, detail)
        headers = self.request.headers
        invalid = [name for name, value in headers if not browser.is_latin_1(value)]
        if invalid:
            detail = f"Header values must be Latin-1, but {', '.join(invalid)} has other characters."
            yield Step(HEADERS, False, detail)
        removed = [name for name, value in headers if browser.is_forbidden_header(name, value)]
        if self.is_opaque():
            yield no_cors.check_method(self.request)
            kept = tuple(line for line in headers if no_cors.is_allowed_header(*line))
            removed = [name for name, _ in headers if name not in dict(kept)]
            self.request = self.request._replace(headers=kept)
        if removed:
            detail = f"Removed by the browser: {', '.join(removed)}."
            yield Step("The browser removes headers that a page cannot set", True, detail)

    def is_opaque(self) -> bool:
        """Tell whether the page cannot read the response of another origin, because CORS is not used."""
        request = self.request
        return request.mode == "no-cors" and not browser.is_same_origin(request.url, request.origin)

    def _check_addresses(self) -> Iterator[Step]:
        page, api = self.request.origin, get_origin(self.request.url)
        if page == api:
            yield Step("Page and API have one origin", True, f"Same origin, {api}: CORS does not apply.")
            return
        opaque, readable = "without CORS, it cannot read the response", "the response must allow the page"
        detail = f"They are {page} and {api}: {opaque if self.is_opaque() else readable}."
        yield Step("Page and API have two origins", True, detail)
        local = browser.check_local_network(self.request, self.transport.find_address)
        yield from filter(None, (browser.check_mixed_content(self.request), local))

    def _send_preflight(self) -> Iterator[Step]:
        request = self.request
        self.result.preflighted = True
        method, names = browser.normalize_method(request.method), browser.get_unsafe_names(request.headers)
        causes = [method] * (method not in SAFELISTED_METHODS) + names
        causes += ["a listener for upload progress"] * request.upload_progress
        detail = f"Not a simple request, because of {', '.join(causes)}.\n"
        detail += _show_request("OPTIONS", request, browser.build_preflight_headers(request))
        yield Step(f"The browser sends a preflight: OPTIONS {_get_path(request)}", True, detail)
        self.response, self.is_preflight = self.transport.send_preflight(request), True
        lines = _show_lines(self.response.status, self.response.headers)
        yield Step(f"The response is {self.response.status}", True, lines)
        yield from browser.check_preflight(request, self.response)
        detail = f"For {browser.get_max_age(self.response)} s, it sends no other preflight for this URL."
        yield Step("The browser caches the response", True, detail)

    def _send(self) -> Generator[Step, None, Answer]:
        request, method = self.request, browser.normalize_method(self.request.method)
        same_origin = browser.is_same_origin(request.url, request.origin)
        simple = not browser.needs_preflight(request) and not same_origin
        note = "It is a simple request, so there is no preflight.\n" * simple
        detail = note + _show_request(method, request, build_headers(request))
        yield Step(f"The browser sends {method} {_get_path(request)}", True, detail)
        answer = self.transport.send(request)
        self.response, self.is_preflight = answer.response, False
        status = "has a status that only the view knows" if answer.status is None else f"is {answer.status}"
        lines = _show_lines(answer.status or "(status)", answer.response.headers)
        detail = f"{answer.note}\n".lstrip() + lines
        yield Step(f"The response {status}", True, detail)
        if self.is_opaque():
            yield from no_cors.check_response(request, answer.response)
        elif answer.cors_unknown and not same_origin:
            detail = "Only the view knows. Start the server, and run this for its URL with --send."
            yield Step("CORS check of the response", True, detail)
        elif not same_origin:
            yield browser.check_cors(request, answer.response)
        return answer

    def _follow(self, response: Response, location: str) -> Iterator[Step]:
        old, url, status = self.request, urljoin(self.request.url, location), response.status
        if urlsplit(url).scheme not in ("http", "https"):
            detail = f"The redirect leads to {url}. Browsers follow only http and https."
            yield Step("The redirect can be followed", False, detail, "CORSRequestNotHttp")
        if urlsplit(url).username is not None and not browser.is_same_origin(url, old.origin):
            detail = f"The redirect leads to {url}. A URL of another origin must not have a user name."
            yield Step("The redirect can be followed", False, detail, "CORSDidNotSucceed")
        method, headers, origin = browser.normalize_method(old.method), old.headers, old.origin
        if (status in (301, 302) and method == "POST") or (status == 303 and method not in ("GET", "HEAD")):
            method, headers = "GET", tuple(h for h in headers if not h[0].lower().startswith("content-"))
        if not browser.is_same_origin(url, get_origin(old.url)):
            self.redirect = old, response
            headers = tuple(h for h in headers if h[0].lower() != "authorization")
            if not browser.is_same_origin(old.url, origin) and old.mode == "cors":
                origin = "null"  # Fetch, "redirect-tainted": also if the page's own origin comes next
        self.request = old._replace(method=method, url=url, origin=origin, headers=headers)
        note = " From now on, the browser sends Origin: null." if origin != old.origin else ""
        yield Step("The redirect can be followed", True, f"It leads to {method} {url}.{note}")

    def _read(self, response: Response) -> Iterator[Step]:
        if self.is_opaque():
            yield Step("The page cannot read the response", True, "It is opaque: no status, headers or body.")
            return
        self.result.readable_headers = readable = browser.get_readable_headers(self.request, response)
        received = {name.lower() for name, _ in response.headers}
        hidden = sorted(name for name in received - set(readable) if not name.startswith("access-control-"))
        self.has_hidden = bool(set(hidden) - browser.NEVER_READABLE)
        detail = f"It can read these headers: {', '.join(readable) or 'none'}."
        detail += f" These are not exposed to it: {', '.join(hidden)}." if hidden else ""
        yield Step("The page reads the response", True, detail)


def _get_path(request: Request) -> str:
    url = urlsplit(request.url)
    return (url.path or "/") + (f"?{url.query}" if url.query else "")


def _show_request(method: str, request: Request, headers: Iterable[Header]) -> str:
    host = ("Host", urlsplit(request.url).netloc)
    return _show_lines(f"{method} {_get_path(request)}", (host, *headers))


def _show_lines(first: object, headers: Iterable[Header]) -> str:
    return "\n".join([str(first), *(f"{name}: {value}" for name, value in headers)])
