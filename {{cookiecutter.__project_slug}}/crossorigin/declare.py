"""`cors(blueprint, …)`: the policy of a blueprint, written beside it."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from flask import Blueprint, current_app, request
from flask.sansio.app import App
from flask.sansio.blueprints import BlueprintSetupState

from .hints import Hints
from .policy import FromConfig, Policy, PolicyError
from .prefixes import Prefixes
from .preflight import PreflightLayer


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
    """Declare who may call a blueprint from another origin.

    Args:
        blueprint: the policy holds for every path under its prefix, at each registration.
        origins: as browsers send them, for example "https://app.example.com"; with
            "https://*.example.com" for all subdomains and "http://localhost:*" for all ports;
            ["*"] alone for every page; or FromConfig("FRONTEND_ORIGINS").
        methods: what a page may send; None takes the methods of the routes under the prefix.
        request_headers: what a page may send beyond the safelisted headers.
        expose_headers: what a page may read beyond the safelisted response headers.
        credentials: whether cookies go along.
        max_age: seconds for which a browser remembers the answer to a preflight, 0 to 86400;
            None leaves it at the browser's 5.

    Raises:
        PolicyError: not here but from `init_cors`, with the problems of all policies at once.

    Source: https://fetch.spec.whatwg.org/#http-cors-protocol
    """
    caller = sys._getframe(1)
    place = f"{short(caller.f_code.co_filename)}:{caller.f_lineno}"
    options: dict[str, Any] = {
        "origins": origins,
        "methods": methods,
        "request_headers": request_headers,
        "expose_headers": expose_headers,
        "credentials": credentials,
        "max_age": max_age,
        **unknown,
    }

    def declare(state: BlueprintSetupState) -> None:
        get_policies(state.app).declare(Declaration(state.url_prefix, blueprint.name, place, options))

    blueprint.record(declare)


def short(file: str) -> str:
    """Return a file as people name it: from the folder where they are."""
    path = Path(file)
    return path.relative_to(Path.cwd()).as_posix() if path.is_relative_to(Path.cwd()) else file


Writer = TypeVar("Writer", bound=Callable[..., Any])


@dataclass(frozen=True)
class Declaration:
    """What `cors` was called with, at one registration of its blueprint."""

    prefix: str | None
    blueprint: str
    place: str
    options: dict[str, Any]


@dataclass
class Policies:
    """The policies of one application: declared at registration, built by `init_cors`."""

    declarations: list[Declaration] = field(default_factory=list)
    built: list[Policy] = field(default_factory=list)
    tree: Prefixes[Policy] | None = None
    # the policy of a path, None if no policy covers it
    find: Callable[[str], Policy | None] = lambda _path: None
    # what `init_cors` checks once more when nothing is registered any more: at the first request
    last_check: Callable[[], None] | None = None
    hints: Hints = field(default_factory=Hints)

    def declare(self, declaration: Declaration) -> None:
        if self.tree is not None:
            raise PolicyError(
                f"{declaration.place}: blueprint {declaration.blueprint!r} is registered after"
                " init_cors(app); call init_cors(app) last in create_app."
            )
        self.declarations.append(declaration)

    def use(self, built: list[Policy]) -> None:
        self.built, self.tree = built, Prefixes()
        for policy in built:
            self.tree.add(policy.prefix, policy)
        # pages ask for the same paths again, and each request looks its policy up a few times
        self.find = lru_cache(maxsize=256)(self.tree.find)

    def check(self) -> None:
        if self.tree is None and self.declarations:
            raise PolicyError(
                f"{self.declarations[0].place}: a CORS policy is declared but never put to work;"
                " call init_cors(app) at the end of create_app."
            )
        if self.last_check:
            self.last_check()
            self.last_check = None


def get_policies(app: App) -> Policies:
    """Return the policies of an application; the first call puts the preflight layer in front of it."""
    if "cors" not in app.extensions:
        policies = app.extensions["cors"] = Policies()
        app.wsgi_app = PreflightLayer(app.wsgi_app, policies, app.logger)  # type: ignore[attr-defined]
    found: Policies = app.extensions["cors"]
    return found


def find_policy() -> Policy | None:
    """Return the policy of the response to the current request, None if no policy decides about it."""
    policies: Policies | None = current_app.extensions.get("cors")
    return policies.find(request.path) if policies else None


def cors_headers_writer(function: Writer) -> Writer:
    """Mark an application's own `after_request` function that writes the CORS headers."""
    function.writes_cors_headers = True  # type: ignore[attr-defined]
    return function
