"""What to write where, so that a blocked request gets through."""

import difflib
import re
import sys
from urllib.parse import urljoin, urlsplit

from flask import Flask
from werkzeug.exceptions import HTTPException

from ..declare import Declaration, get_policies, short
from ..origins import is_loopback, origin_problem
from ..policy import FromConfig, Policy
from ..rules import RESPONSE_HEADERS
from . import browser
from .browser import Request, Response, Step, origin_of
from .transport import header

OUR_SERVERS = ("Werkzeug", "granian")  # what `Server` begins with when nothing stands in front
PREFLIGHT_REDIRECTED = {"CORSPreflightDidNotSucceed", "CORSExternalRedirectNotAllowed"}
VITE = "http://localhost:5173"
NO_COOKIES = "in the page's call: withCredentials: false (axios), credentials: 'omit' (fetch)"
ANOTHER_METHOD = "in the page's call: another method; this one no page can send"
ANOTHER_PORT = "another port than 5000, where AirPlay answers on a Mac: uv run dev.py takes 8000"
ONE_LAYER = "in the server in front: no add_header Access-Control-… (nginx); the API writes its own"
OLD_POLICY = "restart the API, whose policy lets this origin in; or see what answers in front of it"
A_SERVER = f"open the page at {VITE} (uv run dev.py); a file or a sandboxed frame has the origin null"
NEARER = "open the page by https, or from the network of the API, and permit what the browser asks"
ONE_SITE = "the API under the site of the page (app.example.com, api.example.com)"
CROSS_SITE = f"{ONE_SITE}; or .env: CROSS_SITE_COOKIES=1, which needs https and which Safari blocks"


class Cures:
    """The cures that an application's policies and settings lead to.

    Args:
        app: its policies are in use.
    """

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.policies = get_policies(app)

    def of(self, failed: Step, request: Request, heard: Response | None, address: str = "") -> str:
        """Return what to write, and in which file.

        Args:
            failed: the step at which the browser stops.
            request: what it asks for there.
            heard: the last answer that it got.
            address: an origin at which this application answers, besides API_URL.
        """
        if failed.reason is None:
            return ANOTHER_METHOD
        if heard is None:
            https = f"https://{urlsplit(request.url).netloc}"
            mixed = browser.is_mixed_content(request)
            return f"serve the API by https; .env: VITE_API_URL={https}" if mixed else NEARER
        if stranger := _stranger(failed, request, heard):
            return stranger
        policy = self.policies.find(urlsplit(request.url).path)
        if policy is None and not is_here(request.url, address, self.app.config.get("API_URL") or ""):
            return _at_another_server(request)
        return self._by_reason(failed.reason, policy, request, heard)

    def of_cookie(self, request: Request) -> str:
        """Return what to write so that the session cookie goes along."""
        page, api = urlsplit(request.origin), urlsplit(request.url)
        if not self.app.config.get("API_URL"):
            return ".env: API_URL=https://api.example.com, the address that pages call: cookies depend on it"
        if api.scheme == "http" and self.app.config["SESSION_COOKIE_SECURE"]:
            return "the API's address with https: its cookie is Secure"
        if _is_local(page.hostname) and _is_local(api.hostname) and page.hostname != api.hostname:
            port = f":{page.port}" if page.port else ""
            return f"open the page at {page.scheme}://{api.hostname}{port}, for both have to have one name"
        return CROSS_SITE

    def _by_reason(self, reason: str, policy: Policy | None, request: Request, heard: Response) -> str:
        location = header(heard, "Location")
        match reason:
            case "CORSMissingAllowOrigin" | "CORSAllowOriginNotMatchingOrigin":
                return self._let_in(policy, request) if policy else self._declare(request)
            case "CORSMultipleAllowOriginNotAllowed":
                return ONE_LAYER
            case "CORSNotSupportingCredentials" | "CORSMissingAllowCredentials":
                return NO_COOKIES + (f"; or {_let_cookies(policy)}" if policy else "")
            case "CORSMethodNotFound":
                return self._let_method(policy, request, heard) if policy else self._declare(request)
            case "CORSMissingAllowHeaderFromPreflight":
                return _let_headers(policy, request) if policy else self._declare(request)
        if location is not None and reason in PREFLIGHT_REDIRECTED:
            return f"in the page's call: {urljoin(request.url, location)}; a preflight follows no redirect"
        if location is not None:
            return f"in what answers at {request.url}: no redirect to {location}"
        return f"see what answers at {origin_of(request.url)}, for the API itself does not answer so"

    def _let_in(self, policy: Policy, request: Request) -> str:
        origin, given = request.origin, self._declaration(policy).options["origins"]
        if policy.allow_origin(origin) is not None:
            return OLD_POLICY
        if origin == "null":
            return A_SERVER
        if problem := origin_problem(origin, credentials=policy.credentials):
            return f"another origin: {origin!r} {problem}"
        if origin.startswith("http:") and self.app.config.get("APP_ENV") == "production":
            return f"another origin: production serves https pages only; serve it at {'https' + origin[4:]}"
        line = f"{policy.place}: origins={_list([*policy.origins, origin])}"
        if isinstance(given, FromConfig):
            line = f".env: {given.name}={','.join([*policy.origins, origin])}"
        if not policy.origins:
            own = f"page and API are one origin here, in development {VITE}: open the page there"
            return f"{own}; or {line} and VITE_API_URL={origin_of(request.url)}"
        for allowed in policy.origins:
            if part := browser.difference(allowed, origin):
                near = f"allowed is {allowed}; yours differs in the {part}"
                if "*" in allowed:
                    return f"{line} ({near})"
                # two names of one machine are two sites: no cookie would go along, whatever the policy says
                names = part == "host" and all(_is_local(urlsplit(o).hostname) for o in (allowed, origin))
                return f"open the page at {allowed} ({near}); or {line}" if names else f"{line} ({near})"
        return line

    def _declare(self, request: Request) -> str:
        path = urlsplit(request.url).path
        endpoint = self._endpoint(path)
        if endpoint is None:
            rules = [rule.rule for rule in self.app.url_map.iter_rules()]
            near = difflib.get_close_matches(path, rules, 1)
            return f"in the page's call: another path; no route and no policy is under {path}" + (
                f", did you mean {near[0]}?" if near else ""
            )
        blueprint = self.app.blueprints.get(endpoint.rpartition(".")[0])
        if blueprint is None:
            return f"the view {endpoint!r} into a blueprint: a policy is a blueprint's"
        module = sys.modules.get(blueprint.import_name)
        file = getattr(module, "__file__", None) or blueprint.import_name
        if "site-packages" in file:
            return f"in the page's call: another path; {path} is of a library, {blueprint.import_name}"
        prefix = "" if blueprint.url_prefix else ", and url_prefix= for its blueprint, which a policy needs"
        imported = "" if hasattr(module, "cors") else "from crossorigin import cors; "
        return f'{short(file)}: {imported}cors({blueprint.name}, origins=["{request.origin}"]){prefix}'

    def _endpoint(self, path: str) -> str | None:
        adapter = self.app.url_map.bind("localhost")
        for method in adapter.allowed_methods(path):
            try:
                return str(adapter.match(path, method)[0])
            except HTTPException:  # a redirect
                continue
        return None

    def _let_method(self, policy: Policy, request: Request, heard: Response) -> str:
        method = request.method.upper()
        if method in re.split("[, ]+", header(heard, "Access-Control-Allow-Methods") or ""):
            return f'in the page\'s call: method: "{method}", because methods are case-sensitive'
        if self._declaration(policy).options["methods"] is None and method != "OPTIONS":
            file = policy.place.rpartition(":")[0]
            return f'{file}: a route with methods=["{method}"]; the policy takes the methods of the routes'
        return f"{policy.place}: methods={_list([*policy.methods, method])}"

    def _declaration(self, policy: Policy) -> Declaration:
        return next(d for d in self.policies.declarations if (d.prefix or "") == policy.prefix)


def is_here(url: str, *addresses: str) -> bool:
    """Tell whether a URL is at one of these addresses, under any name of this machine."""
    asked = urlsplit(url)
    return any(
        origin_of(url) == origin_of(address)
        or (_is_local(asked.hostname) and _is_local(own.hostname) and asked.port == own.port)
        for address, own in ((a, urlsplit(a)) for a in addresses if a)
    )


def _stranger(failed: Step, request: Request, heard: Response) -> str | None:
    """Return what to do about an answer that is not the application's; None when it may be."""
    server = header(heard, "Server") or ""
    if server.startswith(("AirTunes", "AirPlay")):
        return ANOTHER_PORT
    if header(heard, "X-Request-ID") or header(heard, "Access-Control-Allow-Origin"):
        return None
    who = f"what answered {heard.status} in front of it (Server: {server or 'not said'})"
    if heard.status in (502, 503, 504):
        return f"start the API behind {who}; no header of the API helps"
    if server and not server.startswith(OUR_SERVERS) and header(heard, "Location") is None:
        return f"let OPTIONS and {request.method} through to it in {who}"
    return None


def _at_another_server(request: Request) -> str:
    cookies = " and Access-Control-Allow-Credentials: true" * request.credentials
    header = f"at {origin_of(request.url)}: Access-Control-Allow-Origin: {request.origin}{cookies}"
    return f"{header}; if it is not yours, call it from this API instead of the page"


def _let_cookies(policy: Policy) -> str:
    if policy.credentials:
        return f"see what writes the headers in its place: the policy ({policy.place}) does not"
    own = ', origins=FromConfig("FRONTEND_ORIGINS")' if policy.any_origin else ""
    return f"{policy.place}: credentials=True{own}"


def _let_headers(policy: Policy, request: Request) -> str:
    allowed = {name.lower() for name in policy.request_headers}
    named = {name.lower(): name for name, _ in request.headers}
    missing = [named[name] for name in browser.unsafe_names(request.headers) if name not in allowed]
    if wrong := [name for name in missing if RESPONSE_HEADERS.fullmatch(name.lower())]:
        return f"in the page's call: no {', '.join(wrong)}, which answers have and requests have not"
    return f"{policy.place}: request_headers={_list([*policy.request_headers, *missing])}"


def _list(values: list[str]) -> str:
    return "[" + ", ".join(f'"{value}"' for value in values) + "]"


def _is_local(host: str | None) -> bool:
    return host == "localhost" or is_loopback(host or "")
