"""`init_cors(app)`: check all declarations, build the policies, put them to work."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from flask import Flask

from .declare import Declaration, get_policies
from .headers import write_cors_headers
from .hints import Hints
from .origins import get_site
from .policy import Policy, PolicyError
from .prefixes import Prefixes
from .rules import problems_of, resolve_origins


def init_cors(app: Flask, *, closed: Sequence[str] = (), hints: Hints | None = None) -> None:
    """Put the declared policies to work; call it last in `create_app`.

    Raises:
        PolicyError: with the place, the problem and the cure of everything that is refused.
    """
    policies = get_policies(app)
    if policies.tree is not None:
        raise PolicyError("init_cors(app) is called twice; call it once, last in create_app.")
    problems = [
        f"{d.place} (blueprint {d.blueprint!r}): {problem}"
        for d in policies.declarations
        for problem in problems_of(d, app.config)
    ]
    declared: Prefixes[Declaration] = Prefixes()
    problems += _add_each(policies.declarations, declared)
    _refuse([*problems, *second_layers(app)])

    policies.use(_build(policies.declarations, declared, app))
    policies.last_check = lambda: _refuse(list(second_layers(app)))
    policies.hints = hints or Hints()
    writers = app.after_request_funcs.setdefault(None, [])
    if not any(hasattr(function, "writes_cors_headers") for function in writers):
        writers.insert(0, write_cors_headers)  # first registered runs last
    for misfit in misfits_of_cookies(app, policies.built):
        app.logger.warning(misfit)


def _refuse(problems: list[str]) -> None:
    if problems:
        lines = "\n".join(f"  - {problem}" for problem in problems)
        raise PolicyError(f"the CORS policies cannot be used:\n{lines}")


def _add_each(declarations: list[Declaration], tree: Prefixes[Declaration]) -> Iterator[str]:
    """Add declarations to a tree, and yield a sentence for each whose prefix another one has."""
    for declaration in declarations:
        first = tree.add(declaration.prefix or "", declaration)
        if first is not declaration:
            yield (
                f"{declaration.place} (blueprint {declaration.blueprint!r}): the prefix"
                f" {declaration.prefix!r} has a policy already, from {first.place}; change one of the two."
            )


def second_layers(app: Flask) -> Iterator[str]:
    """Yield a sentence for each foreign CORS layer: of two layers, the laxer one would win."""
    for key in sorted(key for key in app.config if key.startswith("CORS_")):
        yield f"the setting {key!r} is flask-cors' own; remove it, and declare with cors(blueprint, …)."
    for name, functions in app.after_request_funcs.items():
        if any(function.__module__.startswith("flask_cors") for function in functions):
            target = f"the blueprint {name!r}" if name else "the application"
            yield f"a CORS(…) of flask-cors is on {target}; remove it, and declare with cors(blueprint, …)."
    for endpoint, view in app.view_functions.items():
        if any(_from_flask_cors(function) for function in _layers_of(view)):
            yield f"the view {endpoint!r} has @cross_origin; remove it, and declare with cors(blueprint, …)."


def _layers_of(view: Any) -> Iterator[Callable[..., Any]]:
    methods = getattr(view, "methods", None) or ()
    views = [view, *(getattr(getattr(view, "view_class", None), m.lower(), None) for m in methods)]
    for layer in views:
        while layer is not None:
            yield layer
            layer = getattr(layer, "__wrapped__", None)


def _from_flask_cors(function: Callable[..., Any]) -> bool:
    return "flask_cors" in getattr(getattr(function, "__code__", None), "co_filename", "")


def _build(declarations: list[Declaration], tree: Prefixes[Declaration], app: Flask) -> list[Policy]:
    routed: dict[int, set[str]] = defaultdict(set)
    for rule in app.url_map.iter_rules():
        if (declaration_of := tree.find(rule.rule)) is not None:
            routed[id(declaration_of)] |= (rule.methods or set()) - {"OPTIONS"}
    return [
        Policy(
            prefix=d.prefix or "",
            blueprint=d.blueprint,
            place=d.place,
            origins=tuple(o for o in resolve_origins(d.options["origins"], app.config)[0] if o != "none"),
            methods=tuple(sorted(routed[id(d)]) if d.options["methods"] is None else d.options["methods"]),
            request_headers=tuple(d.options["request_headers"]),
            expose_headers=tuple(d.options["expose_headers"]),
            credentials=d.options["credentials"],
            max_age=d.options["max_age"],
        )
        for d in declarations
    ]


def misfits_of_cookies(app: Flask, policies: list[Policy]) -> Iterator[str]:
    """Yield a sentence for each origin from which the session cookie does not come, or need not."""
    api, config = app.config.get("API_URL"), app.config
    pages = [(policy, origin) for policy in policies if policy.credentials for origin in policy.origins]
    if not api or not pages:
        return
    if config["SESSION_COOKIE_SECURE"] and urlsplit(api).scheme == "http":
        yield f"API_URL={api} is http, and the cookie is Secure: no sign-in lasts; serve the API by https."
    other = [(policy, origin) for policy, origin in pages if get_site(origin) != get_site(api)]
    samesite = config["SESSION_COOKIE_SAMESITE"] or "Lax"
    if samesite != "None":
        for policy, origin in other:
            yield (
                f"{policy.place}: {origin} and {api} are two sites, and the cookie is SameSite={samesite}:"
                " a sign-in from there answers 200 and the next request 401; use one host name, or"
                " CROSS_SITE_COOKIES=1."
            )
    elif not other:
        yield (
            f"CROSS_SITE_COOKIES=1, but every page is on the site of {api}; remove it: Lax is safer, and"
            " works in every browser."
        )
