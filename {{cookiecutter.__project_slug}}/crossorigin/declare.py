"""`cors(blueprint, …)`: the policy of a blueprint, written beside it."""

import sys
from collections import deque
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from flask import Blueprint, current_app, request
from flask.sansio.app import App
from flask.sansio.blueprints import BlueprintSetupState

from .hints import Hints
from .policy import FromConfig, Policy, PolicyError
from .prefixes import Prefixes

KEY = "crossorigin"  # in app.extensions


def cors(
    blueprint: Blueprint,
    *,
    origins: FromConfig | Sequence[str] = (),
    methods: Sequence[str] | None = None,
    request_headers: Sequence[str] = (),
    expose_headers: Sequence[str] = (),
    credentials: bool = False,
    max_age: int | None = None,
    **unknown: object,
) -> None:
    """Declare the CORS policy of a blueprint.

    Args:
        blueprint: the policy holds for its views, and for those of nested blueprints without a policy.
        origins: as browsers send them, for example "https://app.example.com". Patterns:
            "https://*.example.com" for all subdomains, "http://localhost:*" for all ports,
            "https://app-*-team.example.com" for a part of a label. ["*"] alone means every origin,
            ["none"] means none. FromConfig("FRONTEND_ORIGINS") reads them from the configuration.
        methods: what a page may send; None takes the methods of the blueprint's routes.
        request_headers: what a page may send beyond the safelisted headers.
        expose_headers: what a page may read beyond the safelisted response headers.
        credentials: whether cookies go along.
        max_age: seconds for which a browser remembers a preflight, 0 to 86400; None means its own 5.

    Raises:
        PolicyError: not here but from `init_cors`, with the problems of all policies at once.

    Source: https://fetch.spec.whatwg.org/#http-cors-protocol
    """
    options = dict(locals())  # the arguments: there are no other names yet
    del options["blueprint"], options["unknown"]
    options |= unknown
    place = find_caller()

    def declare(state: BlueprintSetupState) -> None:
        name = f"{state.name_prefix}.{state.name}".lstrip(".")
        policies: Policies = state.app.extensions.setdefault(KEY, Policies())
        if policies.in_use:
            text = f"{place}: blueprint {name!r} is registered after init_cors(app)"
            raise PolicyError(f"{text}; call init_cors(app) last in create_app.")
        if not policies.declarations:
            # an application that forgets init_cors answers nothing but an error
            state.app.before_request_funcs.setdefault(None, []).insert(0, policies.check)
        policies.declarations.append(Declaration(state.url_prefix, name, place, options))

    blueprint.record(declare)


def find_caller() -> str:
    """Return file:line of what has called the function that asks."""
    caller = sys._getframe(2)
    return f"{short(caller.f_code.co_filename)}:{caller.f_lineno}"


def short(file: str) -> str:
    """Return a file as people name it: from the folder where they are."""
    path = Path(file)
    return path.relative_to(Path.cwd()).as_posix() if path.is_relative_to(Path.cwd()) else file


@dataclass(frozen=True)
class Declaration:
    """What `cors` was called with, at one registration of its blueprint."""

    prefix: str | None
    blueprint: str  # the name of the registration, "parent.child" for a nested blueprint
    place: str
    options: dict[str, Any]


class RefusedPreflight(NamedTuple):
    """What a refused preflight asked for."""

    time: float  # of time.monotonic
    path: str
    origin: str
    method: str
    headers: frozenset[str]  # names, in lower case


@dataclass
class Policies:
    """The policies of one application: declared at registration, built by `init_cors`."""

    declarations: list[Declaration] = field(default_factory=list)
    built: list[Policy] = field(default_factory=list)
    hints: Hints = field(default_factory=Hints)
    in_use: bool = False
    prefixes: list[tuple[str, Policy]] = field(default_factory=list)
    # the policy of a path and that of a view, by its endpoint; None for none
    find: Callable[[str], Policy | None] = lambda _path: None
    find_by_endpoint: Callable[[str], Policy | None] = lambda _endpoint: None
    # what `init_cors` checks once more when nothing is registered any more: at the first request
    last_check: Callable[[], None] | None = None
    # the last refused preflights, the newest first, in development only: for the endpoint that explains
    refused: deque[RefusedPreflight] = field(default_factory=lambda: deque(maxlen=50))

    def use(self, built: list[Policy], closed: Sequence[tuple[str, Policy]] = ()) -> None:
        """Take policies into use: of blueprints, and of the rules of closed endpoints."""
        self.built, self.in_use = built, True
        self.prefixes = [*((policy.prefix, policy) for policy in built), *closed]
        tree: Prefixes[Policy] = Prefixes()
        for prefix, policy in self.prefixes:
            tree.add(prefix, policy)
        by_name = {policy.blueprint: policy for policy in built}
        by_endpoint = {policy.blueprint: policy for _, policy in closed}

        def find_by_endpoint(endpoint: str) -> Policy | None:
            return by_endpoint.get(endpoint) or by_name.get(nearest_blueprint(endpoint, by_name) or "")

        # pages ask for the same paths again, and each request looks its policy up a few times
        self.find = lru_cache(maxsize=256)(tree.find)
        self.find_by_endpoint = cache(find_by_endpoint)

    def check(self) -> None:
        if not self.in_use and self.declarations:
            text = f"{self.declarations[0].place}: a CORS policy is declared but never put to work"
            raise PolicyError(f"{text}; call init_cors(app) last in create_app.")
        if self.last_check:
            self.last_check()
            self.last_check = None


def nearest_blueprint(endpoint: str, names: Container[str]) -> str | None:
    """Return which of the names is of a view's own blueprint, or of the nearest one that it is nested in."""
    name = endpoint.rpartition(".")[0]
    while name and name not in names:
        name = name.rpartition(".")[0]
    return name or None


def get_policies(app: App) -> Policies:
    """Return the policies of an application, and change nothing in it."""
    found: Policies = app.extensions.get(KEY) or Policies()
    return found


def find_policy() -> Policy | None:
    """Return the policy of the response to the current request, None if it has none.

    Where a view was reached, its own blueprint decides, then the blueprints that this one is nested in.
    Where none was reached (404, 405, a redirect), the path decides.
    """
    policies, rule = get_policies(current_app), request.url_rule
    return policies.find(request.path) if rule is None else policies.find_by_endpoint(rule.endpoint)
