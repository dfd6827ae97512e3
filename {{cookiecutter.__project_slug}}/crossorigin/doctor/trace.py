"""Why a browser blocks a request, or what it lets the page read: its algorithm, one step after the other.

The rules are in `browser.py`, the answers come by `transport.py`, and what to write instead is in `fixes.py`.
Source: https://fetch.spec.whatwg.org/#http-fetch
"""

import re
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

from flask import Flask

from ..origins import origin_problem
from . import browser
from .browser import Request, Response, Step
from .fixes import Cures
from .transport import Answer, Exchange, NoAnswer, header, request_headers

MOST_REDIRECTS = 20  # Fetch, "HTTP-redirect fetch", step 6
COOKIE = "The session cookie goes along"  # the only "no" that does not stop the browser
ALWAYS_UPPER = "DELETE, GET, HEAD, OPTIONS, POST and PUT"


@dataclass
class Explanation:
    """What a browser does with a request of a page, and why; `reason` is a page of MDN about CORS errors."""

    request: Request
    steps: list[Step] = field(default_factory=list)
    allowed: bool = False
    preflighted: bool = False
    status: int | None = None
    reason: str | None = None
    cure: str | None = None
    readable_headers: list[str] = field(default_factory=list)
    cookies_sent: bool | None = None

    def as_dict(self) -> dict[str, Any]:
        return {
            "allowed": self.allowed,
            "preflighted": self.preflighted,
            "status": self.status,
            "reason": self.reason,
            "cure": self.cure,
            "readable_headers": self.readable_headers,
            "cookies_sent": self.cookies_sent,
            "steps": [{"step": step.step, "ok": step.ok, "detail": step.detail} for step in self.steps],
        }


def explain(request: Request, exchange: Exchange, app: Flask, cures: Cures | None = None) -> Explanation:
    """Walk through what a browser does with a request, and stop where it stops.

    Args:
        request: what the script of a page asks for; its URL is absolute.
        exchange: how to ask: this application in process, or a server over the network.
        app: its policies and settings lead to the cure.
        cures: others than those of the application.
    """
    found, cures = Explanation(request), cures or Cures(app)
    walk = _Walk(found, exchange, cookie_of(app))
    try:
        for step in walk.steps():
            found.steps.append(step._replace(step=step.step[0].upper() + step.step[1:]))
            if not step.ok and step.step != COOKIE:
                found.reason = step.reason
                found.cure = cures.of(step, walk.request, walk.heard, exchange.address)
                if walk.request.origin != request.origin:
                    found.cure = f"in the page's call: {walk.request.url}, to which it was redirected"
                return found
    except NoAnswer as silence:
        found.steps.append(Step("An answer comes", False, str(silence), silence.reason))
        found.reason, found.cure = silence.reason, silence.cure
        return found
    except ValueError:
        if walk.heard is None or (location := header(walk.heard, "Location")) is None:
            raise
        detail = f"It leads to {location!r}, which is no address."
        found.steps.append(Step("The redirect can be followed", False, detail, "CORSDidNotSucceed"))
        found.reason, found.cure = "CORSDidNotSucceed", "in what answers: a Location that is an address"
        return found
    found.allowed = True
    if found.cookies_sent is False:
        found.cure = cures.of_cookie(request)
    return found


def request_of(
    method: str, url: str, origin: str, headers: Iterable[tuple[str, str]] = (), credentials: bool = False
) -> Request:
    """Return a request that a script could ask for.

    Raises:
        ValueError: with a sentence that says what no browser would take, and what to write instead.
    """
    if not browser.TOKEN.match(method):
        raise ValueError(f"{method!r} is no method; write for example PUT.")
    problem = "is a pattern; write the origin of one page" if "*" in origin else None
    problem = problem or origin_problem(origin, credentials=False)
    if problem and origin != "null":  # a file's: no policy can name it, but pages have it
        raise ValueError(f"the origin {origin!r} {problem}.")
    headers = tuple(headers)
    for name, value in headers:
        if not browser.TOKEN.match(name):
            raise ValueError(f"the header {name!r} is no token (RFC 9110); write a name without spaces.")
        if not re.fullmatch(r"[\t\x20-\x7e\x80-\xff]*", value):
            raise ValueError(f"the header {name!r} has a character that none has; write one line of Latin-1.")
    return Request(method, _absolute(url), origin, headers, credentials)


def _absolute(url: str) -> str:
    """Return a URL as browsers ask for it (https://url.spec.whatwg.org/#url-parsing)."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or "."  # a name in DNS has labels of 1 to 63 characters
        fine = parts.scheme in ("http", "https") and parts.port != 0
        fine = fine and not re.search(r"\A\.|\.\.|[^.]{64}", host)
    except ValueError:
        fine = False
    if not fine or not re.fullmatch(r"[A-Za-z0-9._:\[\]-]+", parts.netloc):
        raise ValueError(f"{url!r} is no address; write for example http://localhost:8000/api/notes.")
    path, query = (quote(part, safe="/%:@!$&'()*+,;=~?") for part in (_resolved(parts.path), parts.query))
    return f"{parts.scheme}://{parts.netloc.lower()}{path}" + (f"?{query}" if query else "")


def _resolved(path: str) -> str:
    segments, kept = path.replace("\\", "/").split("/")[1:], list[str]()
    dots = [segment.lower().replace("%2e", ".") for segment in segments]
    for segment, plain in zip(segments, dots, strict=True):
        if plain == "..":
            kept = kept[:-1]
        elif plain != ".":
            kept.append(segment)
    return "/" + "/".join(kept) + "/" * (bool(kept) and dots[-1] in (".", ".."))


def cookie_of(app: Flask) -> browser.Cookie:
    """Return what decides about the cookie of a sign-in; browsers take SameSite=Lax where nothing is said."""
    config = app.config
    samesite: Any = str(config["SESSION_COOKIE_SAMESITE"] or "Lax").capitalize()
    return browser.Cookie(samesite, config["SESSION_COOKIE_SECURE"], config["SESSION_COOKIE_PARTITIONED"])


class _Walk:
    def __init__(self, found: Explanation, exchange: Exchange, cookie: browser.Cookie) -> None:
        self.found = found
        self.request = found.request  # the current one: a redirect makes another
        self.exchange = exchange
        self.cookie = cookie
        self.heard: Response | None = None  # the last answer

    def steps(self) -> Iterator[Step]:
        """Yield each decision; a "no" other than that about the cookie is the last."""
        yield from self._what_a_script_may_send()
        for redirects in range(MOST_REDIRECTS + 1):
            yield from self._where_to()
            if self.request.credentials and not redirects:
                cookie = browser.cookie_check(self.request, self.cookie)
                self.found.cookies_sent = cookie.ok
                yield cookie._replace(step=COOKIE)
            if browser.needs_preflight(self.request):
                yield from self._ask_first()
            answer = yield from self._send()
            location = header(answer.response, "Location")
            if answer.response.status not in browser.REDIRECTS or location is None:
                self.found.status = answer.status
                yield from self._what_the_page_reads(answer.response)
                return
            yield from self._follow(answer.response.status, location)
        detail = f"There are more than {MOST_REDIRECTS}, and the browser gives up."
        yield Step("The redirects end", False, detail, "CORSDidNotSucceed")

    def _what_a_script_may_send(self) -> Iterator[Step]:
        method, sent = self.request.method, browser.normalize_method(self.request.method)
        may = not browser.is_forbidden_method(method)
        detail = f"It sends {sent}." if may else f"{method} is an error in every page."
        if sent != sent.upper():
            detail += f" Only {ALWAYS_UPPER} are put in upper case by the browser."
        yield Step("A script can send the method", may, detail)
        dropped = [name for name, value in self.request.headers if browser.is_forbidden_header(name, value)]
        if dropped:
            detail = f"Dropped without a word: {', '.join(dropped)}."
            yield Step("Headers that only the browser sets are left out", True, detail)

    def _where_to(self) -> Iterator[Step]:
        page, api = self.request.origin, browser.origin_of(self.request.url)
        if page == api:
            yield Step("Page and API have one origin", True, f"It is {api}: CORS plays no part.")
            return
        detail = f"They are {page} and {api}: the answer has to let the page in."
        yield Step("Page and API have two origins", True, detail)
        if browser.is_mixed_content(self.request):
            detail = f"A page that came by https may not call {api} (mixed content); no header helps."
            yield Step("The request is as safe as the page", False, detail, "CORSDidNotSucceed")
        if browser.is_local_network(self.request):
            may_ask = page.startswith("https:")
            how = "asks the visitor" if may_ask else "lets no page without https in"
            detail = f"The API is nearer to the visitor than the page: Chromium {how} (Local Network Access)."
            detail += " No header helps."
            reason = None if may_ask else "CORSDidNotSucceed"
            yield Step("The page may reach the visitor's network", may_ask, detail, reason)

    def _ask_first(self) -> Iterator[Step]:
        request = self.request
        self.found.preflighted = True
        method, names = browser.normalize_method(request.method), browser.unsafe_names(request.headers)
        causes = [method] * (method not in browser.SAFELISTED_METHODS) + names
        detail = f"No plain form could send this: {', '.join(causes)}.\n"
        detail += _sent("OPTIONS", request, browser.preflight_headers(request))
        yield Step(f"The browser asks first: OPTIONS {_path(request)}", True, detail)
        self.heard = self.exchange.preflight(request)
        yield Step(f"The answer is {self.heard.status}", True, _lines(self.heard.status, self.heard.headers))
        yield from browser.preflight_checks(request, self.heard)
        detail = f"For {browser.preflight_max_age(self.heard)} s it does not ask again about this address."
        yield Step("The browser remembers the answer", True, detail)

    def _send(self) -> Generator[Step, None, Answer]:
        request, method = self.request, browser.normalize_method(self.request.method)
        simple = not browser.needs_preflight(request) and not browser.is_same_origin(
            request.url, request.origin
        )
        note = "It does not ask first, because a plain form could send this too.\n" * simple
        detail = note + _sent(method, request, request_headers(request))
        yield Step(f"The browser sends {method} {_path(request)}", True, detail)
        answer = self.exchange.send(request)
        self.heard = answer.response
        status = "is one that only the view knows" if answer.status is None else f"is {answer.status}"
        detail = f"{answer.note}\n".lstrip() + _lines(answer.status or "(status)", answer.response.headers)
        yield Step(f"The answer {status}", True, detail)
        if not browser.is_same_origin(request.url, request.origin):
            yield browser.cors_check(request, answer.response)
        return answer

    def _follow(self, status: int, location: str) -> Iterator[Step]:
        old, url = self.request, urljoin(self.request.url, location)
        if urlsplit(url).scheme not in ("http", "https"):
            detail = f"It leads to {url}, and only http and https can be followed."
            yield Step("The redirect can be followed", False, detail, "CORSRequestNotHttp")
        if urlsplit(url).username is not None and not browser.is_same_origin(url, old.origin):
            detail = f"It leads to {url}, and no URL of another origin may have a user name."
            yield Step("The redirect can be followed", False, detail, "CORSDidNotSucceed")
        method, headers, origin = browser.normalize_method(old.method), old.headers, old.origin
        if (status in (301, 302) and method == "POST") or (status == 303 and method not in ("GET", "HEAD")):
            method, headers = "GET", tuple(h for h in headers if not h[0].lower().startswith("content-"))
        if not browser.is_same_origin(url, browser.origin_of(old.url)):
            headers = tuple(h for h in headers if h[0].lower() != "authorization")
            if not browser.is_same_origin(old.url, origin):
                origin = "null"  # Fetch, "redirect-tainted": also where the page's own origin comes next
        self.request = old._replace(method=method, url=url, origin=origin, headers=headers)
        changed = " From here on the browser sends Origin: null." if origin != old.origin else ""
        yield Step("The redirect can be followed", True, f"It leads to {method} {url}.{changed}")

    def _what_the_page_reads(self, response: Response) -> Iterator[Step]:
        self.found.readable_headers = readable = browser.readable_headers(self.request, response)
        came = {name.lower() for name, _ in response.headers}
        hidden = sorted(name for name in came - set(readable) if not name.startswith("access-control-"))
        detail = f"Headers that it can read: {', '.join(readable) or 'none'}."
        if hidden:
            detail += f" That came, but are in no expose_headers: {', '.join(hidden)}."
        yield Step("The page reads the answer", True, detail)


def _path(request: Request) -> str:
    url = urlsplit(request.url)
    return (url.path or "/") + (f"?{url.query}" if url.query else "")


def _sent(method: str, request: Request, headers: Iterable[tuple[str, str]]) -> str:
    return _lines(f"{method} {_path(request)}", (("Host", urlsplit(request.url).netloc), *headers))


def _lines(first: object, headers: Iterable[tuple[str, str]]) -> str:
    return "\n".join([str(first), *(f"{name}: {value}" for name, value in headers)])
