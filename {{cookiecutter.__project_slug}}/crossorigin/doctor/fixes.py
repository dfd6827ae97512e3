"""What to write where, so that a blocked request gets through."""

import difflib
import json
import re
import sys
from collections.abc import Iterable
from contextlib import suppress
from urllib.parse import urljoin, urlsplit

from flask import Flask
from werkzeug.exceptions import HTTPException

from ..declare import Declaration, get_policies, short
from ..origins import is_loopback, origin_problem
from ..policy import FromConfig, Policy
from ..rules import RESPONSE_HEADERS
from . import browser, no_cors
from .answered import API_IS_DOWN, By, find_moved, find_who, fix_elsewhere, fix_in_front
from .browser import Request, Response, Step, get_header, get_origin
from .edits import Edit, Fix, change_page
from .other_layers import fix_other_layer, list_needed
from .transport import ALLOW_ORIGIN

NEVER_OURS = {"CORSMultipleAllowOriginNotAllowed", "CORSPreflightDidNotSucceed"}
NEVER_OURS |= {"CORSInvalidAllowMethod", "CORSInvalidAllowHeader"}
ONE_SITE = "serve the API under the site of the page (app.example.com, api.example.com)"
NEARER = Fix("open the page by https or from the network of the API, and permit what the browser asks")
NO_SUCH_METHOD = Fix("in the page's call: another method; browsers send this one for no page")
SEE_FRONT = "If that does not help, see what replaces its headers in front of it"
WITH_COOKIES = "in the page's call: withCredentials: true (axios), credentials: 'include' (fetch)"
NO_COOKIES = "in the page's call: withCredentials: false (axios), credentials: 'omit' (fetch)"


class Fixes:
    """Finds fixes for the requests to one application; without one, for a server that is not ours.

    `in_process` is the origin at which the application answers in process; "" if it is not asked so.
    """

    def __init__(self, app: Flask | None, in_process: str = "") -> None:
        self.given, self.in_process = app, in_process
        self.app = app or Flask("none")
        self.policies = get_policies(self.app)
        self.hints = self.policies.hints

    def find_who(self, request: Request, response: Response, is_preflight: bool) -> By:
        """Return who answered: the application, a server in front of it, or another one."""
        return find_who(self.given, self.in_process, request, response, is_preflight)

    def find(self, failed: Step, request: Request, response: Response | None, by: By | None) -> Fix:
        """Return what to write where, for a step at which the browser stops after its last response."""
        if failed.reason is None:
            return self._fix_no_cors(request, response, by) if request.mode == "no-cors" else NO_SUCH_METHOD
        if response is None:
            return self._fix_unsent(request)
        is_preflight, location = "response" not in failed.step, get_header(response, "Location")
        if location is not None and failed.reason in ("CORSDidNotSucceed", "CORSRequestNotHttp"):
            return Fix(f"in what answers at {request.url}: no redirect to {location}")
        if moved := find_moved(request, response):
            return moved
        if by == "other":
            return fix_elsewhere(self.given, request, response, list_needed(request, response, is_preflight))
        if by == "proxy":
            return self.fix_in_front(request, response, is_preflight)
        path = urlsplit(request.url).path
        if not self.policies.in_use:
            return fix_other_layer(self.app, self._find_endpoint(path), failed, request, response)
        return self._fix_by_reason(failed.reason, self.policies.find(path), request, response)

    def find_for_status(self, request: Request, response: Response, by: By) -> Fix | None:
        """Return what to do about a response that the page can read, but does not want."""
        path, names = urlsplit(request.url).path, {name.lower() for name, _ in request.headers}
        policy = self.policies.find(path)
        if by == "proxy" and response.status in API_IS_DOWN | {401, 413}:
            return self.fix_in_front(request, response, is_preflight=False)
        asks = response.status == 401 and by == "app" and "authorization" not in names
        reads = request.mode == "cors" and not browser.is_same_origin(request.url, request.origin)
        if request.credentials or not (asks and reads):
            return None
        guarded = self._is_guarded(path)
        if policy and policy.credentials:
            return Fix(f"{WITH_COOKIES}; without it no session cookie is sent", change_page(credentials=True))
        if guarded and policy and not policy.any_origin:
            edit = Edit(policy.place, "credentials=True")
            text = f"{WITH_COOKIES}, and {': '.join(edit)}; or send a token in the header Authorization"
            return Fix(text, (*change_page(credentials=True), edit))
        if guarded:
            return Fix("in the page's call: a token in the header Authorization; its view requires a sign-in")
        return None

    def _fix_no_cors(self, request: Request, response: Response | None, by: By | None) -> Fix:
        if browser.is_forbidden_method(request.method):
            return NO_SUCH_METHOD
        if response and by == "other":
            return fix_elsewhere(self.given, request, response, {no_cors.POLICY: ["cross-origin"]})
        text = "in the page: with CORS (the attribute crossorigin, or fetch without mode: 'no-cors')"
        if response and not self.policies.in_use:
            text += f"; or send {no_cors.POLICY}: cross-origin with the response"
        return self.add_own(Fix(text, change_page(mode="cors")), request._replace(mode="cors"))

    def fix_in_front(self, request: Request, response: Response, is_preflight: bool) -> Fix:
        """Return what to do about a response of a server in front of the application."""
        policy = self.policies.find(urlsplit(request.url).path)
        return self.add_own(fix_in_front(request, response, policy, is_preflight), request)

    def add_own(self, fix: Fix, request: Request) -> Fix:
        """Add to a fix what the policies need, so that the request passes after both."""
        if not self.policies.in_use or browser.is_same_origin(request.url, request.origin):
            return fix
        policy = self.policies.find(urlsplit(request.url).path)
        origin = policy.allow_origin(request.origin) if policy else None
        own = Response(204, ((ALLOW_ORIGIN, origin), *policy.preflight_headers) if policy and origin else ())
        checks: Iterable[Step] = [browser.check_cors(request, own)]
        if browser.needs_preflight(request):
            checks = browser.check_preflight(request, own)
        failed = next((step for step in checks if not step.ok), None)
        if failed is None or failed.reason is None:
            return fix
        then = self._fix_by_reason(failed.reason, policy, request, own)
        return Fix(f"{fix.text}. Then {then.text}", fix.edits + then.edits)

    def _is_guarded(self, path: str) -> bool:
        endpoint = self._find_endpoint(path)
        return bool(endpoint and self.hints.is_guarded and self.hints.is_guarded(endpoint))

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
        if not browser.is_mixed_content(request):
            return NEARER
        https, setting = f"https://{urlsplit(request.url).netloc}", self.hints.frontend_api_url_setting
        if not setting:
            return Fix(f"serve the API by https, and call {https}")
        return Fix(f"serve the API by https; {self.hints.settings_file}: {setting}={https}")

    def _fix_by_reason(self, reason: str, policy: Policy | None, request: Request, response: Response) -> Fix:
        match reason:
            case "CORSNotSupportingCredentials" | "CORSMissingAllowCredentials":
                return _fix_credentials(policy, self._is_guarded(urlsplit(request.url).path))
            case reason if reason in NEVER_OURS:
                return Fix(f"see what answers at {get_origin(request.url)}: the API does not answer so")
            case "CORSMethodNotFound" if policy:
                return self._allow_method(policy, request, response)
            case "CORSMissingAllowHeaderFromPreflight" if policy:
                return _allow_headers(policy, request)
        return self._allow_origin(policy, request) if policy else self._declare(request)

    def _allow_origin(self, policy: Policy, request: Request) -> Fix:
        origin, hints = request.origin, self.hints
        given = self._find_declaration(policy).options["origins"]
        if policy.allow_origin(origin) is not None:
            return Fix(f"restart the API: its policy allows this origin. {SEE_FRONT}")
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


def _fix_policy(policy: Policy, argument: str) -> Fix:
    return Fix(f"{policy.place}: {argument}", (Edit(policy.place, argument),))


def _fix_credentials(policy: Policy | None, is_guarded: bool) -> Fix:
    edits = change_page(credentials=False)
    if policy is None:
        return Fix(NO_COOKIES, edits)
    if policy.credentials:
        return Fix(f"restart the API: its policy ({policy.place}) allows credentials. {SEE_FRONT}")
    if is_guarded and not policy.any_origin:
        return _fix_policy(policy, "credentials=True")
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
