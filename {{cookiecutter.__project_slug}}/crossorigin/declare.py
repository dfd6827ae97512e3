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
        blueprint: the policy applies to its views, and to nested blueprints without a policy.
        origins: as browsers send them, for example "https://app.example.com". Patterns:
            "https://*.example.com" for all subdomains, "http://localhost:*" for all ports,
            "https://app-*-team.example.com" for a part of a label. ["*"] alone means every origin,
            ["none"] means none. FromConfig("FRONTEND_ORIGINS") reads them from the configuration.
        methods: what a page may send. None means the methods of the blueprint's routes.
        request_headers: what a page may send in addition to the safelisted headers.
        expose_headers: what a page may read in addition to the safelisted response headers.
        credentials: whether the browser sends cookies.
        max_age: seconds for which a browser caches a preflight, 0 to 86400. None means its default, 5.

    Raises:
        PolicyError: later, by `init_cors`, with the problems of all policies at once.

    Source: https://fetch.spec.whatwg.org/#http-cors-protocol
    """
    options = dict(locals())  # the arguments, because there are no other names yet
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
            # without init_cors, every request fails with an error
            state.app.before_request_funcs.setdefault(None, []).insert(0, policies.check)
        policies.declarations.append(Declaration(state.url_prefix, name, place, options))

    blueprint.record(declare)


def find_caller() -> str:
    """Return file:line of the call of the current function."""
    caller = sys._getframe(2)
    return f"{shorten_path(caller.f_code.co_filename)}:{caller.f_lineno}"


def shorten_path(file: str) -> str:
    """Return a path relative to the current folder, if it is inside."""
    path = Path(file)
    return path.relative_to(Path.cwd()).as_posix() if path.is_relative_to(Path.cwd()) else file


@dataclass(frozen=True)
class Declaration:
    """The arguments of `cors`, at one registration of its blueprint."""

    prefix: str | None
    blueprint: str  # the name of the registration, "parent.child" for a nested blueprint
    place: str
    options: dict[str, Any]


class RefusedPreflight(NamedTuple):
    """A preflight that was refused."""

    time: float  # of time.monotonic
    path: str
    origin: str
    method: str
    headers: frozenset[str]  # names, in lower case


@dataclass
class Policies:
    """The policies of one application, declared at registration and built by `init_cors`."""

    declarations: list[Declaration] = field(default_factory=list)
    built: list[Policy] = field(default_factory=list)
    hints: Hints = field(default_factory=Hints)
    in_use: bool = False
    prefixes: list[tuple[str, Policy]] = field(default_factory=list)
    # find the policy of a path, or of a view by its endpoint
    find: Callable[[str], Policy | None] = lambda _path: None
    find_by_endpoint: Callable[[str], Policy | None] = lambda _endpoint: None
    # checked again at the first request, when everything is registered
    last_check: Callable[[], None] | None = None
    # the last refused preflights, newest first: for the explain endpoint, in development only
    refused: deque[RefusedPreflight] = field(default_factory=lambda: deque(maxlen=50))

    def use(self, built: list[Policy], closed: Sequence[tuple[str, Policy]] = ()) -> None:
        """Activate the policies of blueprints, and of the rules of closed endpoints."""
        self.built, self.in_use = built, True
        self.prefixes = [*((policy.prefix, policy) for policy in built), *closed]
        tree: Prefixes[Policy] = Prefixes()
        for prefix, policy in self.prefixes:
            tree.add(prefix, policy)
        by_name = {policy.blueprint: policy for policy in built}
        by_endpoint = {policy.blueprint: policy for _, policy in closed}

        def find_by_endpoint(endpoint: str) -> Policy | None:
            return by_endpoint.get(endpoint) or by_name.get(find_nearest_blueprint(endpoint, by_name) or "")

        # pages request the same paths again, and each request looks up its policy several times
        self.find = lru_cache(maxsize=256)(tree.find)
        self.find_by_endpoint = cache(find_by_endpoint)

    def check(self) -> None:
        if not self.in_use and self.declarations:
            text = f"{self.declarations[0].place}: a CORS policy is declared, but init_cors is not called"
            raise PolicyError(f"{text}; call init_cors(app) last in create_app.")
        if self.last_check:
            self.last_check()
            self.last_check = None


def find_nearest_blueprint(endpoint: str, names: Container[str]) -> str | None:
    """Return the name of a view's own blueprint, or of its nearest parent, if it is among the names."""
    name = endpoint.rpartition(".")[0]
    while name and name not in names:
        name = name.rpartition(".")[0]
    return name or None


def get_policies(app: App) -> Policies:
    """Return the policies of an application, without a change in it."""
    found: Policies = app.extensions.get(KEY) or Policies()
    return found


def find_policy() -> Policy | None:
    """Return the policy of the response to the current request, or None.

    If a view was reached, its own blueprint decides, then the parents of this blueprint.
    If no view was reached (404, 405, a redirect), the path decides.
    """
    policies, rule = get_policies(current_app), request.url_rule
    return policies.find(request.path) if rule is None else policies.find_by_endpoint(rule.endpoint)
