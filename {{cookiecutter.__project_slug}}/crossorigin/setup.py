"""`init_cors(app)`: check all declarations, build the policies and activate them."""

import difflib
import inspect
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from types import CodeType
from typing import Any
from urllib.parse import urlsplit

from flask import Flask

from .declare import KEY, Declaration, Policies, find_caller, find_nearest_blueprint, get_policies
from .headers import is_marked, write_cors_headers
from .hints import Hints
from .origins import get_site, is_app, is_private
from .overlaps import find_overlaps
from .policy import Policy, PolicyError
from .prefixes import Prefixes
from .preflight import PreflightLayer
from .rules import check_declaration, resolve_origins

ENDPOINT_MODULE = f"{__package__}.doctor.endpoint"  # of a blueprint for development only


def init_cors(app: Flask, *, closed: Sequence[str] = (), hints: Hints | None = None) -> None:
    """Activate the declared policies, as the last call in `create_app`.

    Args:
        app: all its blueprints must be registered.
        closed: endpoints of views that stay same-origin only, although a policy's prefix covers them.
        hints: facts about the application, for messages and warnings.

    Raises:
        PolicyError: lists all problems, each with its place and its fix.
    """
    place = find_caller()
    policies: Policies = app.extensions.setdefault(KEY, Policies())
    if policies.in_use:
        raise PolicyError("init_cors(app) is called twice; call it once, last in create_app.")
    policies.hints = hints or Hints()
    problems = [
        f"{d.place} (blueprint {d.blueprint!r}): {problem}"
        for d in policies.declarations
        for problem in check_declaration(d, app, production=policies.hints.production)
    ]
    problems += _find_same_prefixes(policies.declarations)
    problems += _find_unknown_endpoints(app, closed)
    if policies.hints.production and any(b.import_name == ENDPOINT_MODULE for b in app.blueprints.values()):
        problem = "explain_endpoint must not be in production; register it in development only"
        problems.append(f"{problem}, with init_cors(app, hints=Hints(production=False)).")
    _raise_all([*problems, *find_other_layers(app)])

    closed_policies = {name: Policy("", name, place, ()) for name in closed}
    rules = [(r.rule, closed_policies[r.endpoint]) for r in app.url_map.iter_rules() if r.endpoint in closed]
    policies.use(_build_policies(policies.declarations, app), rules)
    writers = app.after_request_funcs.setdefault(None, [])
    if not any(map(is_marked, writers)):
        writers.insert(0, write_cors_headers)  # Flask runs the first one last

    def check() -> None:
        _raise_all([*find_other_layers(app), *_find_misplaced_writers(app), *find_overlaps(app, policies)])

    check()
    policies.last_check = check
    if policies.declarations:  # from now on, the preflight layer checks at the first request
        app.before_request_funcs[None].remove(policies.check)
    app.wsgi_app = PreflightLayer(app, policies)  # type: ignore[method-assign]
    for warning in [*find_private_origins(policies.built), *check_cookies(app, policies.built)]:
        app.logger.warning(warning)


def _find_unknown_endpoints(app: Flask, closed: Sequence[str]) -> Iterator[str]:
    for name in sorted(set(closed) - app.view_functions.keys()):
        near = difflib.get_close_matches(name, app.view_functions, 1)
        fix = f"write {near[0]!r}" if near else "run `flask routes` to see the endpoints"
        yield f"init_cors(app, closed=…) has {name!r}, which is not an endpoint; {fix}."


def _find_misplaced_writers(app: Flask) -> Iterator[str]:
    functions = app.after_request_funcs[None]
    for function in [f for f in functions if is_marked(f) and f is not functions[0]]:
        place, first = (f"{f.__module__}.{f.__qualname__}" for f in (function, functions[0]))
        text = f"{place} writes the CORS headers, but {first} is registered before it, so it runs later"
        yield f"{text}; call {function.__module__.rpartition('.')[2]}.init_app(app) first in create_app."


def _raise_all(problems: list[str]) -> None:
    if problems:
        lines = "\n".join(f"  - {problem}" for problem in problems)
        raise PolicyError(f"the CORS policies cannot be used:\n{lines}")


def _find_same_prefixes(declarations: list[Declaration]) -> Iterator[str]:
    """Yield a message for each declaration with the prefix of another one."""
    tree: Prefixes[Declaration] = Prefixes()
    for declaration in declarations:
        first = tree.add(declaration.prefix or "", declaration)
        if first is not declaration:
            prefix, name = declaration.prefix or "", declaration.blueprint.rpartition(".")[2]
            deeper = f"{prefix.rstrip('/')}/{name}"
            yield (
                f"{declaration.place} (blueprint {declaration.blueprint!r}): the prefix {prefix!r}"
                f" already has a policy, from {first.place}; write url_prefix={deeper!r}, or nest both in one"
                " blueprint with a policy, by parent.register_blueprint(…)."
            )


def find_other_layers(app: Flask) -> Iterator[str]:
    """Yield a message for each other CORS layer, because the laxer of two layers would win."""
    keys = [key for key in sorted(app.config) if key.startswith("CORS_")]
    found = [f"the setting {key!r} belongs to flask-cors" for key in keys]
    for name, functions in app.after_request_funcs.items():
        if any(function.__module__.startswith("flask_cors") for function in functions):
            target = f"the blueprint {name!r}" if name else "the application"
            found.append(f"a CORS(…) of flask-cors is on {target}")
    for endpoint, view in app.view_functions.items():
        if any("flask_cors" in code.co_filename for code in get_codes(view)):
            found.append(f"the view {endpoint!r} has @cross_origin")
    return (f"{layer}; remove it, and use cors(blueprint, …)." for layer in found)


def get_codes(view: Any) -> Iterator[CodeType]:
    """Yield the code of a view, of its decorators, and of the methods of its class."""
    methods = inspect.getmembers(getattr(view, "view_class", None), inspect.isfunction)
    for layer in [view, *(method for _, method in methods)]:
        while layer is not None:
            if code := getattr(layer, "__code__", None):
                yield code
            layer = getattr(layer, "__wrapped__", None)


def _build_policies(declarations: list[Declaration], app: Flask) -> list[Policy]:
    routed: dict[str | None, set[str]] = defaultdict(set)
    names = {declaration.blueprint for declaration in declarations}
    for rule in app.url_map.iter_rules():
        routed[find_nearest_blueprint(rule.endpoint, names)] |= (rule.methods or set()) - {"OPTIONS"}
    built = []
    for d in declarations:
        lists = {name: tuple(v) for name, v in d.options.items() if isinstance(v, Collection)}
        options: dict[str, Any] = d.options | lists
        origins, _ = resolve_origins(d.options["origins"], app.config)
        options["origins"] = tuple(origin for origin in origins if origin != "none")
        if options["methods"] is None:
            options["methods"] = tuple(sorted(routed[d.blueprint]))
        built.append(Policy(d.prefix or "", d.blueprint, d.place, **options))
    return built


def find_private_origins(policies: list[Policy]) -> Iterator[str]:
    """Yield a message for each private address over http that is trusted with credentials."""
    for policy in policies:
        for origin in policy.origins if policy.credentials else ():
            if origin.startswith("http:") and is_private(urlsplit(origin).hostname or ""):
                text = "is trusted with credentials, so anyone who controls the network can act as it"
                yield f"{policy.place}: {origin} {text}; production refuses it."


def check_cookies(app: Flask, policies: list[Policy]) -> Iterator[str]:
    """Yield a message for each inconsistency between origins and the session cookie."""
    hints, config = get_policies(app).hints, app.config
    api, setting = hints.api_url, hints.api_url_setting or "api_url"
    pages = [(policy, origin) for policy in policies if policy.credentials for origin in policy.origins]
    if not api or not pages:
        return
    if config["SESSION_COOKIE_SECURE"] and urlsplit(api).scheme == "http":
        yield f"{setting}={api} is http, but the session cookie is Secure, so it is not sent; use https."
    for policy, origin in pages:
        if is_app(origin) and "authorization" not in map(str.lower, policy.request_headers):
            text = f"{policy.place}: {origin} is an app, and browsers do not send cookies for apps"
            yield f'{text}; let it send a token, with request_headers=["Authorization"].'
    other = [(p, origin) for p, origin in pages if not is_app(origin) and get_site(origin) != get_site(api)]
    # in development, a page at an address of the network calls the API at the same address
    other = [(p, origin) for p, origin in other if not is_private(urlsplit(origin).hostname or "")]
    samesite = config["SESSION_COOKIE_SAMESITE"] or "Lax"
    cross_site = hints.cross_site_setting or "SESSION_COOKIE_SAMESITE='None'" * hints.production
    if samesite != "None":
        for policy, origin in other:
            fix = f"use one host name, or {cross_site}" if cross_site else "use one host name"
            if get_site(origin).partition(":")[2] == get_site(api).partition(":")[2]:
                fix = "use https for both, or http for both"
            text = f"{policy.place}: {origin} and {api} are two sites, and the cookie is SameSite={samesite}"
            yield f"{text}: a sign-in from there gets 200, but the next request gets 401; {fix}."
    elif not other:
        yield f"{cross_site}, but every front end is on the site of {api}; remove it, because Lax is safer."
