"""Find everything to write in this application or its settings, so that a request is allowed."""

import difflib
import json
import re
import sys
from collections.abc import Iterable
from contextlib import suppress
from typing import Any
from urllib.parse import urljoin, urlsplit

from flask import Flask
from werkzeug.exceptions import HTTPException

from ..declare import Declaration, find_nearest_blueprint, get_policies, shorten_path
from ..origins import is_app, is_loopback, is_private, origin_problem
from ..policy import FromConfig, Policy
from ..rules import RESPONSE_HEADERS, SAFELISTED_METHODS
from . import browser
from .answered import NO_COOKIES, NO_EDIT
from .browser import Request, Response, Step, get_origin
from .edits import Fix, change_call, change_page, join, write
from .transport import ALLOW_ORIGIN

TWO_SITES = (
    "page and API are two sites, which a change in this project cannot fix, so the session cookie is not"
    " sent: serve both under one site (app.example.com, api.example.com), give them one origin with a proxy,"
    " or send a token"
)


def get_cookie(app: Flask) -> browser.Cookie:
    """Return the attributes of the session cookie. Browsers assume SameSite=Lax if it has none."""
    config = app.config
    samesite: Any = str(config["SESSION_COOKIE_SAMESITE"] or "Lax").capitalize()
    return browser.Cookie(samesite, config["SESSION_COOKIE_SECURE"], config["SESSION_COOKIE_PARTITIONED"])


class OwnFixes:
    """Find what is missing in the policies and settings of an application."""

    def __init__(self, app: Flask) -> None:
        self.app, self.policies = app, get_policies(app)
        self.hints = self.policies.hints

    def find(self, request: Request) -> list[Fix]:
        """Return each change that a request needs, or nothing if the policy allows it."""
        policy = self.policies.find(urlsplit(request.url).path)
        if policy is None:
            return self._declare(request)
        if policy not in self.policies.built:
            return self._open_view(policy, request)
        moved, fixes = self._move_page(policy, request)
        return [*fixes, *self._find_missing(policy, moved)] if moved else fixes

    def find_for_cookie(self, request: Request) -> Fix:
        """Return what to write so that the session cookie is sent."""
        setting = self.hints.api_url_setting
        if not self.hints.api_url and setting and is_loopback(urlsplit(request.url).hostname):
            line = self.set_setting(setting, "https://api.example.com", ", the address that front ends call")
            return Fix(f"{line.text}. Cookies depend on this address")
        policy = self.policies.find(urlsplit(request.url).path)
        if policy in self.policies.built:
            return join(self.find(request))
        return join(self._move_page(Policy("", "", "", (request.origin,), credentials=True), request)[1])

    def set_setting(self, name: str, value: str, remark: str = "") -> Fix:
        """Return the fix that sets a setting, in the place that its value comes from."""
        find, file = self.hints.find_setting, self.hints.settings_file
        place = find(name) if find else file
        wins = f" (it overrides {file})" * (place == "environment")
        return write(place, f"{name}={value}", f"{wins}{remark}; then restart")

    def find_endpoint(self, path: str) -> str | None:
        """Return the endpoint of the view at a path."""
        adapter = self.app.url_map.bind("localhost")
        for method in adapter.allowed_methods(path):
            with suppress(HTTPException):  # a redirect
                return str(adapter.match(path, method)[0])
        return None

    def is_guarded(self, path: str) -> bool:
        """Tell whether the view at a path requires a sign-in, by the hints of the application."""
        endpoint = self.find_endpoint(path)
        return bool(endpoint and self.hints.is_guarded and self.hints.is_guarded(endpoint))

    def _move_page(self, policy: Policy, request: Request) -> tuple[Request | None, list[Fix]]:
        """Return the request that the page must send instead, or None, and the fixes for it."""
        origin, home, allowed = request.origin, self.hints.frontend_url, policy.allow_origin(request.origin)
        if origin == "null" and not allowed:
            text = f"open the page at {home}" if home else "serve the page over http"
            text += f" ({self.hints.start_command}). A file or a sandboxed frame has the origin null"
            return _open_page(request, home, text) if home else (None, [Fix(text)])
        if request.credentials and is_app(origin):
            headers = {"Authorization": "Bearer TOKEN"}
            text = f"{origin} is an app, and browsers do not send cookies for apps. In its call: no"
            text += " credentials, and a token, if the application has tokens: Authorization: Bearer TOKEN"
            moved = request._replace(credentials=False, headers=(*request.headers, *headers.items()))
            return moved, [change_page(text, credentials=False, headers=headers)]
        fixes = []
        if request.credentials and policy.credentials and not self._sends_cookie(request):
            if near := self._find_near(request):
                return near, [_move_to_site(policy, request, near)]
            fixes = [self._fix_two_sites(request)]
        for other in policy.exact if not allowed else ():
            names = browser.find_difference(other, origin) == "host"
            if names and all(is_loopback(urlsplit(o).hostname) for o in (other, origin)):
                return _open_page(request, other, f"open the page at {other}{_show_near([other], origin)}")
        problem = origin_problem(origin, credentials=policy.credentials, production=self.hints.production)
        if problem and not allowed:
            if home and not self.hints.production:
                return _open_page(request, home, f"{origin!r} {problem}, or open the page at {home}")
            return None, [Fix(f"use another origin: {origin!r} {problem}. {NO_EDIT}")]
        return request, fixes

    def _sends_cookie(self, request: Request) -> bool:
        return browser.check_cookie(request, get_cookie(self.app)).ok

    def _find_near(self, request: Request) -> Request | None:
        """Return the request from a page of the API's site, and by https if the cookie needs it."""
        url, home = request.url, "" if self.hints.production else self.hints.frontend_url or ""
        if self.app.config["SESSION_COOKIE_SECURE"] and not is_loopback(urlsplit(url).hostname):
            url = f"https://{url.partition('://')[2]}"
        scheme, own = url.partition(":")[0], re.sub(r":[0-9]+\Z", "", get_origin(url))
        origins = [request.origin, re.sub(r"\A\w+", scheme, request.origin)]
        for page in (request.origin, home):
            is_here = is_loopback(urlsplit(page).hostname) and is_loopback(urlsplit(url).hostname)
            origins += [own + re.findall(r"(?::[0-9]+)?\Z", page)[0]] * is_here
        near = [request._replace(origin=origin, url=url) for origin in (*origins, home) if origin]
        return next((n for n in near if self._sends_cookie(n) and not browser.is_mixed_content(n)), None)

    def _fix_two_sites(self, request: Request) -> Fix:
        setting = self.hints.cross_site_setting or ""
        if not setting or not request.url.startswith("https:"):
            return Fix(TWO_SITES)
        fix = self.set_setting(*setting.split("=", 1))
        return Fix(f"{TWO_SITES}; or {fix.text}. Safari blocks such cookies", fix.edits)

    def _find_missing(self, policy: Policy, request: Request) -> list[Fix]:
        if browser.is_same_origin(request.url, request.origin):
            return []
        origin = policy.allow_origin(request.origin)
        own = Response(204, ((ALLOW_ORIGIN, origin or request.origin), *policy.preflight_headers))
        steps: Iterable[Step] = [browser.check_cors(request, own)]
        if browser.needs_preflight(request):
            steps = browser.check_preflight(request, own)
        reasons = list(dict.fromkeys(step.reason for step in steps if not step.ok))
        fixes = [] if origin else [self._add_origin(policy, request)]
        for reason in reasons:
            if reason == "CORSMethodNotFound":
                method = self._allow_method(policy, request)
                if not method.edits:  # first a route is needed
                    return [method, *(Fix(fix.text) for fix in fixes)]
                fixes.append(method)
            elif reason == "CORSMissingAllowHeaderFromPreflight":
                fixes.append(_allow_headers(policy, request))
            else:
                fixes.append(_fix_credentials(policy, self.is_guarded(urlsplit(request.url).path)))
        return fixes

    def _add_origin(self, policy: Policy, request: Request) -> Fix:
        origins, near = [*policy.origins, request.origin], _show_near(policy.origins, request.origin)
        given = self._find_declaration(policy).options["origins"]
        fix = write(policy.place, f"origins={json.dumps(origins)}", near)
        if isinstance(given, FromConfig):
            fix = self.set_setting(given.name, ",".join(origins), near)
        if self.hints.one_origin:
            if setting := self.hints.frontend_api_url_setting:
                fix = join([fix, self.set_setting(setting, get_origin(request.url))])
            page = f"page and API have one origin here: open the page at {self.hints.frontend_url}"
            fix = Fix(f"{page}; or {fix.text}", fix.edits)
        return fix

    def _open_view(self, policy: Policy, request: Request) -> list[Fix]:
        """Return how to open a view that `init_cors(closed=…)` closes."""
        built, endpoint = {policy.blueprint: policy for policy in self.policies.built}, policy.blueprint
        closed = dict.fromkeys(p.blueprint for _, p in self.policies.prefixes if p not in built.values())
        line = f"closed={json.dumps([name for name in closed if name != endpoint])}"
        fixes = [write(policy.place, line, f" (without {endpoint!r}, which is closed now)")]
        own = find_nearest_blueprint(endpoint, built)
        return [*fixes, *self._find_missing(built[own], request)] if own else fixes

    def _declare(self, request: Request) -> list[Fix]:
        path = urlsplit(request.url).path
        endpoint = self.find_endpoint(path)
        if endpoint is None:
            rules = [rule.rule for rule in self.app.url_map.iter_rules()]
            near = difflib.get_close_matches(path, rules, 1)
            text = f"; no route or policy has the path {path}"
            if not near:
                return [change_call(f"a path that `flask routes` lists{text}")]
            return [change_call(f"perhaps {near[0]}{text}", url=urljoin(request.url, near[0]))]
        blueprint = self.app.blueprints.get(endpoint.rpartition(".")[0])
        if blueprint is None:
            return [Fix(f"move the view {endpoint!r} into a blueprint: a policy belongs to a blueprint")]
        module = sys.modules.get(blueprint.import_name)
        file = getattr(module, "__file__", None) or blueprint.import_name
        if "site-packages" in file:
            return [change_call(f"another path; {path} belongs to the library {blueprint.import_name}")]
        empty = Policy("", "", "", (), credentials=request.credentials)
        moved, fixes = self._move_page(empty, request)
        if moved is None:
            return fixes
        names = [name for name, value in vars(module).items() if value is blueprint] if module else []
        line = f'cors({next(iter(names), blueprint.name)}, origins=["{moved.origin}"]'
        line += ", credentials=True" * moved.credentials
        if headers := _find_headers(empty, moved):
            line += f", request_headers={json.dumps(headers)}"
        line = f"{'' if hasattr(module, 'cors') else 'from crossorigin import cors; '}{line})"
        fix = write(shorten_path(file), line)
        if not blueprint.url_prefix:
            fix = Fix(f"{fix.text}, and set url_prefix= of its blueprint, which a policy needs")
        return [*fixes, fix]

    def _allow_method(self, policy: Policy, request: Request) -> Fix:
        method = request.method.upper()
        if method in (*policy.methods, *SAFELISTED_METHODS):
            return change_call(f'method: "{method}"; methods are case-sensitive', method=method)
        if self._find_declaration(policy).options["methods"] is None and method != "OPTIONS":
            route = f'{policy.place.rpartition(":")[0]}: add a route with methods=["{method}"]'
            return Fix(f"{route}; the policy allows the methods of the routes")
        return write(policy.place, f"methods={json.dumps([*policy.methods, method])}")

    def _find_declaration(self, policy: Policy) -> Declaration:
        return next(d for d in self.policies.declarations if (d.prefix or "") == policy.prefix)


def _open_page(request: Request, origin: str, text: str) -> tuple[Request, list[Fix]]:
    return request._replace(origin=origin), [change_page(text, origin=origin)]


def _move_to_site(policy: Policy, request: Request, near: Request) -> Fix:
    texts, part = [], browser.find_difference(near.origin, request.origin)
    if near.origin != request.origin:
        same = {"scheme": "both need the same scheme", "host": "both need the same host name"}
        why = f": {same.get(part or '', 'the session cookie is sent within one site only')}"
        why = _show_near([near.origin] * bool(policy.allow_origin(near.origin)), request.origin) or why
        host, api = (urlsplit(url).hostname or "" for url in (request.origin, request.url))
        if is_private(host) and is_loopback(api):
            why += f". From another machine, call {get_origin(request.url).replace(api, host)}"
        texts = [f"open the page at {near.origin}{why}"]
    if near.url != request.url:
        texts.append("call the API over https: its cookie is Secure")
    changes = {"origin": near.origin, "url": near.url}
    return change_page("; and ".join(texts), **{n: v for n, v in changes.items() if v not in request})


def _show_near(origins: Iterable[str], origin: str) -> str:
    """Return a remark about the first of the origins that differs in one part only."""
    parts = ((allowed, browser.find_difference(allowed, origin)) for allowed in origins)
    texts = (f" ({allowed} is allowed. Yours differs in the {part})" for allowed, part in parts if part)
    return next(texts, "")


def _fix_credentials(policy: Policy, is_guarded: bool) -> Fix:
    if is_guarded and not policy.any_origin:
        return write(policy.place, "credentials=True")
    origins = ", origins=[…] with the origins of your pages" * policy.any_origin
    return change_call(f"{NO_COOKIES}; or {policy.place}: credentials=True{origins}", credentials=False)


def _allow_headers(policy: Policy, request: Request) -> Fix:
    missing, fixes = _find_headers(policy, request), []
    wrong = [name for name in missing if RESPONSE_HEADERS.fullmatch(name.lower())]
    if wrong:
        text = f"remove {', '.join(wrong)}; it is a response header, not a request header"
        fixes = [change_call(text, headers=dict.fromkeys(wrong))]
    if right := [name for name in missing if name not in wrong]:
        fixes.append(write(policy.place, f"request_headers={json.dumps([*policy.request_headers, *right])}"))
    return join(fixes)


def _find_headers(policy: Policy, request: Request) -> list[str]:
    """Return the headers of a request that a policy does not allow, as they are written."""
    allowed = {name.lower() for name in policy.request_headers}
    named = {name.lower(): name for name, _ in request.headers}
    return [named[name] for name in browser.get_unsafe_names(request.headers) if name not in allowed]
