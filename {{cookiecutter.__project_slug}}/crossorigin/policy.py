"""A policy: what pages of other origins may do under one prefix. It is built once and never changes."""

import re
from dataclasses import dataclass, field

import click

# browsers send at most 326 bytes: a scheme, "://", a name of 253 bytes, ":" and a port
LENGTH_LIMIT = r"(?!.{327})"
SUBDOMAINS = r"(?:[a-z0-9_-]{1,63}\.)+"
IN_LABEL = r"[a-z0-9_-]{1,63}"
PORT = r"(?::(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?"


class PolicyError(click.ClickException):
    """The policies of an application cannot be used."""


@dataclass(frozen=True)
class FromConfig:
    """Read the origins from the application's configuration, which has a string with commas or a list."""

    name: str


@dataclass(frozen=True, eq=False)
class Policy:
    """One blueprint's policy, with everything that a request needs already joined and compiled."""

    prefix: str
    blueprint: str
    place: str  # file:line of the declaration
    origins: tuple[str, ...]
    methods: tuple[str, ...] = ()
    request_headers: tuple[str, ...] = ()
    expose_headers: tuple[str, ...] = ()
    credentials: bool = False
    max_age: int | None = None
    any_origin: bool = field(init=False)
    exact: frozenset[str] = field(init=False, repr=False)  # the origins that are not patterns
    pattern: re.Pattern[str] = field(init=False, repr=False)
    preflight_headers: tuple[tuple[str, str], ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "any_origin", "*" in self.origins)
        object.__setattr__(self, "exact", frozenset(o for o in self.origins if "*" not in o))
        object.__setattr__(self, "pattern", _compile_pattern(self.origins))
        object.__setattr__(self, "preflight_headers", tuple(_build_preflight_headers(self)))

    def allow_origin(self, origin: str) -> str | None:
        """Return the value of Access-Control-Allow-Origin for an origin, or None if it is refused.

        The comparison is byte for byte, as in the browser (Fetch, "CORS check").
        """
        if self.any_origin:
            return "*"
        return origin if origin in self.exact or self.pattern.match(origin) else None

    def refusal(self, origin: str) -> str | None:
        """Return why an origin is refused, or None if it is allowed."""
        if self.allow_origin(origin) is not None:
            return None
        return f"refused: {origin!a} is not in the origins {list(self.origins)} ({self.place})"


def _compile_pattern(origins: tuple[str, ...]) -> re.Pattern[str]:
    choices = [
        re.escape(o).replace(r"://\*\.", "://" + SUBDOMAINS).replace(r":\*", PORT).replace(r"\*", IN_LABEL)
        for o in origins
    ]
    return re.compile(LENGTH_LIMIT + "(?:" + ("|".join(choices) or "(?!)") + r")\Z")


def _build_preflight_headers(policy: Policy) -> list[tuple[str, str]]:
    headers = {
        "Access-Control-Allow-Credentials": "true" if policy.credentials else "",
        "Access-Control-Allow-Methods": ", ".join(policy.methods),
        "Access-Control-Allow-Headers": ", ".join(policy.request_headers),
        "Access-Control-Max-Age": "" if policy.max_age is None else str(policy.max_age),
        "Vary": "" if policy.any_origin else "Origin",
    }
    return [(name, value) for name, value in headers.items() if value]
