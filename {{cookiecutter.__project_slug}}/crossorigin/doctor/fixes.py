"""What to write where, so that a blocked request gets through."""

import difflib
import json
import os
import re
import sys
from contextlib import suppress
from urllib.parse import urljoin, urlsplit

from flask import Flask
from werkzeug.exceptions import HTTPException

from ..declare import Declaration, get_policies, short
from ..origins import is_loopback, origin_problem
from ..policy import FromConfig, Policy
from ..rules import RESPONSE_HEADERS
from . import browser
from .browser import Request, Response, Step, get_header, get_origin
from .edits import Edit, Fix, change_page
from .other_layers import fix_other_layer

OUR_SERVERS = ("Werkzeug", "granian", "gunicorn", "waitress")  # the begin of `Server` if no proxy answers
PREFLIGHT_REDIRECTED = {"CORSPreflightDidNotSucceed", "CORSExternalRedirectNotAllowed"}
ONE_SITE = "serve the API under the site of the page (app.example.com, api.example.com)"
NEARER = Fix("open the page by https or from the network of the API, and permit what the browser asks")
NO_SUCH_METHOD = Fix("in the page's call: another method; browsers send this one for no page")
NO_COOKIES = "in the page's call: withCredentials: false (axios), credentials: 'omit' (fetch)"


class Fixes:
    """Finds fixes for the requests to one application; without one, for a server that is not ours.

    `in_process` is the origin at which the application answers in process; "" if it is not asked so.
    """

    def __init__(self, app: Flask | None, in_process: str = "") -> None:
        self.app = app or Flask("none")
        self.policies = get_policies(self.app)
        self.hints = self.policies.hints
        self.in_process = in_process
        self.addresses = [in_process, get_address(app)] if app else []

    def find(self, failed: Step, request: Request, response: Response | None) -> Fix:
        """Return what to write where, for a step at which the browser stops after its last response."""
        if failed.reason is None:
            return NO_SUCH_METHOD
        if response is None:
            return self._fix_unsent(request)
        if in_front := self._fix_in_front(failed, request, response):
            return in_front
        path = urlsplit(request.url).path
        policy = self.policies.find(path)
        if policy is None and not is_here(request.url, *self.addresses):
            cookies = " and Access-Control-Allow-Credentials: true" * request.credentials
            header = f"at {get_origin(request.url)}: Access-Control-Allow-Origin: {request.origin}{cookies}"
            return Fix(f"{header}; if that server is not yours, call it from your API instead of the page")
        redirect = get_header(response, "Location")
        if redirect is not None and failed.reason in PREFLIGHT_REDIRECTED:
            target = urljoin(request.url, redirect)
            fix = f"in the page's call: {target}; browsers follow no redirect of a preflight"
            return Fix(fix, change_page(url=target))
        if redirect is not None and failed.reason in ("CORSDidNotSucceed", "CORSRequestNotHttp"):
            return Fix(f"in what answers at {request.url}: no redirect to {redirect}")
        if not self.policies.in_use:
            return fix_other_layer(self.app, self._find_endpoint(path), failed, request, response)
        return self._fix_by_reason(failed.reason, policy, request, response)

    def find_for_cookie(self, request: Request) -> Fix:
        """Return what to write so that the session cookie is sent."""
        page, api, hints = urlsplit(request.origin), urlsplit(request.url), self.hints
        if not hints.api_url and hints.api_url_setting:
            line = f"{hints.settings_file}: {hints.api_url_setting}=https://api.example.com"
            return Fix(f"{line}, the address that front ends call. Cookies depend on it")
        if api.scheme == "http" and self.app.config["SESSION_COOKIE_SECURE"]:
            https = f"https://{request.url.partition('://')[2]}"
            return Fix("use the API's address with https: its cookie is Secure", change_page(url=https))
        if is_loopback(page.hostname) and is_loopback(api.hostname) and page.hostname != api.hostname:
            port = f":{page.port}" if page.port else ""
            address = f"{page.scheme}://{api.hostname}{port}"
            return Fix(f"open the page at {address}: both need one host name", change_page(origin=address))
        if not hints.cross_site_setting:
            return Fix(ONE_SITE)
        line = f"{hints.settings_file}: {hints.cross_site_setting}"
        edit = Edit(hints.settings_file, hints.cross_site_setting)
        return Fix(f"{ONE_SITE}; or {line}, which needs https and which Safari blocks", (edit,))

    def _fix_unsent(self, request: Request) -> Fix:
        mixed = browser.check_mixed_content(request)
        if mixed is None or mixed.ok:
            return NEARER
        https, setting = f"https://{urlsplit(request.url).netloc}", self.hints.frontend_api_url_setting
        if not setting:
            return Fix(f"serve the API by https, and call {https}")
        return Fix(f"serve the API by https; {self.hints.settings_file}: {setting}={https}")

    def _fix_in_front(self, failed: Step, request: Request, response: Response) -> Fix | None:
        """Return what to do about a response of a server in front of the application, if it is one."""
        server = get_header(response, "Server") or ""
        if server.startswith(("AirTunes", "AirPlay")):
            return Fix("use another port than 5000, where AirPlay answers on a Mac")
        ours = get_header(response, "X-Request-ID") or get_header(response, "Access-Control-Allow-Origin")
        if ours or get_origin(request.url) == self.in_process:
            return None
        who = f"the server in front that answered {response.status} (Server: {server or 'not given'})"
        if response.status in (502, 503, 504):
            return Fix(f"start the API behind {who}; no header of the API helps")
        if server and not server.startswith(OUR_SERVERS) and get_header(response, "Location") is None:
            return Fix(f"let OPTIONS and {request.method} through to the API in {who}")
        return None

    def _fix_by_reason(self, reason: str, policy: Policy | None, request: Request, response: Response) -> Fix:
        match reason:
            case "CORSMultipleAllowOriginNotAllowed":
                layer = "remove add_header Access-Control-… (nginx); the API writes its own headers"
                return Fix(f"in the server in front: {layer}")
            case "CORSNotSupportingCredentials" | "CORSMissingAllowCredentials":
                return _fix_credentials(policy)
            case "CORSInvalidAllowMethod" | "CORSInvalidAllowHeader" | "CORSPreflightDidNotSucceed":
                return Fix(
                    f"see what answers at {get_origin(request.url)}: the API itself does not answer so"
                )
            case "CORSMethodNotFound" if policy:
                return self._allow_method(policy, request, response)
            case "CORSMissingAllowHeaderFromPreflight" if policy:
                return _allow_headers(policy, request)
        return self._allow_origin(policy, request) if policy else self._declare(request)

    def _allow_origin(self, policy: Policy, request: Request) -> Fix:
        origin, hints = request.origin, self.hints
        given = self._find_declaration(policy).options["origins"]
        if policy.allow_origin(origin) is not None:
            then = "If that does not help, see what answers in front of it"
            return Fix(f"restart the API: its policy allows this origin. {then}")
        if origin == "null":
            url = hints.frontend_url
            where = f"open the page at {url}" if url else "serve the page by http"
            edits = change_page(origin=url) if url else ()
            text = f"{where} ({hints.start_command}). A file or a sandboxed frame has the origin null"
            return Fix(text, edits)
        if problem := origin_problem(origin, credentials=policy.credentials):
            return Fix(f"use another origin: {origin!r} {problem}")
        edit = Edit(policy.place, f"origins={json.dumps([*policy.origins, origin])}")
        if isinstance(given, FromConfig):
            edit = Edit(hints.settings_file, f"{given.name}={','.join([*policy.origins, origin])}")
        fix = ": ".join(edit)
        if hints.one_origin:
            own = f"page and API have one origin here: open the page at {hints.frontend_url}"
            setting = hints.frontend_api_url_setting
            more = f" and {setting}={get_origin(request.url)}" if setting else ""
            return Fix(f"{own}; or {fix}{more}", change_page(origin=hints.frontend_url))
        for allowed in policy.origins:
            if part := browser.find_difference(allowed, origin):
                near = f"{allowed} is allowed. Yours differs in the {part}"
                # two names of one machine are two sites: no cookie would be sent, whatever the policy says
                names = part == "host" and all(is_loopback(urlsplit(o).hostname) for o in (allowed, origin))
                if names and "*" not in allowed:
                    return Fix(f"open the page at {allowed} ({near}); or {fix}", change_page(origin=allowed))
                return Fix(f"{fix} ({near})", (edit,))
        return Fix(fix, (edit,))

    def _declare(self, request: Request) -> Fix:
        path = urlsplit(request.url).path
        endpoint = self._find_endpoint(path)
        if endpoint is None:
            rules = [rule.rule for rule in self.app.url_map.iter_rules()]
            near = difflib.get_close_matches(path, rules, 1)
            question = f", did you mean {near[0]}?" if near else ""
            text = f"in the page's call: another path; no route and no policy is under {path}{question}"
            return Fix(text, change_page(url=urljoin(request.url, near[0])) if near else ())
        blueprint = self.app.blueprints.get(endpoint.rpartition(".")[0])
        if blueprint is None:
            return Fix(f"move the view {endpoint!r} into a blueprint: a policy belongs to a blueprint")
        module = sys.modules.get(blueprint.import_name)
        file = getattr(module, "__file__", None) or blueprint.import_name
        if "site-packages" in file:
            return Fix(f"in the page's call: another path; {path} is of a library, {blueprint.import_name}")
        prefix = "" if blueprint.url_prefix else ", and url_prefix= for its blueprint, which a policy needs"
        line = f'cors({blueprint.name}, origins=["{request.origin}"])'
        if not hasattr(module, "cors"):
            line = f"from crossorigin import cors; {line}"
        edits = () if prefix else (Edit(short(file), line),)
        return Fix(f"{short(file)}: {line}{prefix}", edits)

    def _find_endpoint(self, path: str) -> str | None:
        adapter = self.app.url_map.bind("localhost")
        for method in adapter.allowed_methods(path):
            with suppress(HTTPException):  # a redirect
                return str(adapter.match(path, method)[0])
        return None

    def _allow_method(self, policy: Policy, request: Request, response: Response) -> Fix:
        method = request.method.upper()
        if method in re.split("[, ]+", get_header(response, "Access-Control-Allow-Methods") or ""):
            text = f'in the page\'s call: method: "{method}"; methods are case-sensitive'
            return Fix(text, change_page(method=method))
        if self._find_declaration(policy).options["methods"] is None and method != "OPTIONS":
            file = policy.place.rpartition(":")[0]
            route = f'a route with methods=["{method}"]'
            return Fix(f"{file}: {route}; the policy allows the methods of the routes")
        return _fix_policy(policy, f"methods={json.dumps([*policy.methods, method])}")

    def _find_declaration(self, policy: Policy) -> Declaration:
        return next(d for d in self.policies.declarations if (d.prefix or "") == policy.prefix)


def is_here(url: str, *addresses: str) -> bool:
    """Tell whether a URL is at one of these addresses, under any name of this machine."""
    asked = urlsplit(url)
    return any(
        get_origin(url) == get_origin(address)
        or (is_loopback(asked.hostname) and is_loopback(own.hostname) and asked.port == own.port)
        for address, own in ((a, urlsplit(a)) for a in addresses if a)
    )


def get_address(app: Flask) -> str:
    """Return the origin of an application: as its hints say, else where `flask run` serves it."""
    port = os.environ.get("FLASK_RUN_PORT") or "5000"
    return get_policies(app).hints.api_url or f"http://localhost:{port}"


def _fix_policy(policy: Policy, argument: str) -> Fix:
    return Fix(f"{policy.place}: {argument}", (Edit(policy.place, argument),))


def _fix_credentials(policy: Policy | None) -> Fix:
    edits = change_page(credentials=False)
    if policy is None:
        return Fix(NO_COOKIES, edits)
    if policy.credentials:
        text = f"{NO_COOKIES}; or see what replaces the headers of the policy ({policy.place})"
        return Fix(text, edits)
    origins = ", origins=[…] with the origins of your pages" if policy.any_origin else ""
    return Fix(f"{NO_COOKIES}; or {policy.place}: credentials=True{origins}", edits)


def _allow_headers(policy: Policy, request: Request) -> Fix:
    allowed = {name.lower() for name in policy.request_headers}
    named = {name.lower(): name for name, _ in request.headers}
    missing = [named[name] for name in browser.get_unsafe_names(request.headers) if name not in allowed]
    if wrong := [name for name in missing if RESPONSE_HEADERS.fullmatch(name.lower())]:
        what = f"remove {', '.join(wrong)}; it is a header of responses, not of requests"
        return Fix(f"in the page's call: {what}", change_page(headers=dict.fromkeys(wrong)))
    return _fix_policy(policy, f"request_headers={json.dumps([*policy.request_headers, *missing])}")
