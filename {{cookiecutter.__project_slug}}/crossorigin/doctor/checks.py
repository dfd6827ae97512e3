"""Find what is inconsistent between policies, routes, responses and settings."""

from collections.abc import Iterator

from flask import Flask
from werkzeug.routing import Rule

from ..declare import get_policies
from ..policy import Policy
from ..rules import SAFELISTED_METHODS
from ..setup import check_cookies
from .source import read_libraries, read_names

# added outside of the application: by the server, or by a proxy in front
ADDED_BY_SERVERS = {"*", "age", "content-encoding", "content-length", "date", "server", "via"}


def find_problems(app: Flask) -> list[str]:
    """Return a message, with its fix, for each inconsistency."""
    policies, problems = get_policies(app), list[str]()
    for policy in policies.built:
        rules = _get_rules(app, policy)
        problems += _check_methods(policy, {m for rule in rules for m in rule.methods or set()} - {"OPTIONS"})
    return [*problems, *check_cookies(app, policies.built)]


def find_notes(app: Flask) -> list[str]:
    """Return a message for each thing that may be intended, such as a header that nothing sends."""
    policies = get_policies(app)
    is_guarded = policies.hints.is_guarded
    notes = [
        f"{policy.place}: the view {rule.endpoint!r} requires a sign-in, but its policy has no credentials,"
        " so pages of other origins need a bearer token. To sign in with the cookie, write credentials=True."
        for policy in policies.built
        for rule in _get_rules(app, policy)
        if not policy.credentials and is_guarded and is_guarded(rule.endpoint)
    ]
    exposing = [policy for policy in policies.built if policy.expose_headers]
    names, libraries = (read_names(app), read_libraries()) if exposing else (set[str](), "")
    return notes + [note for policy in exposing for note in _check_exposed(policy, names, libraries)]


def _get_rules(app: Flask, policy: Policy) -> list[Rule]:
    find = get_policies(app).find_by_endpoint
    return [rule for rule in app.url_map.iter_rules() if find(rule.endpoint) is policy]


def _check_methods(policy: Policy, routed: set[str]) -> Iterator[str]:
    if not routed:
        yield f"{policy.place}: no route has the prefix {policy.prefix}; add one, or remove the policy."
        return
    otherwise = "or remove methods=… to allow the methods of the routes"
    for method in sorted(routed - SAFELISTED_METHODS - set(policy.methods)):
        text = f"a route under {policy.prefix} has {method}, which is not in methods; add it"
        yield f"{policy.place}: {text}, {otherwise}."
    for method in sorted(set(policy.methods) - routed - {"OPTIONS"}):  # Flask answers it everywhere
        text = f"methods has {method}, which no route under {policy.prefix} has; remove it"
        yield f"{policy.place}: {text}, {otherwise}."


def _check_exposed(policy: Policy, names: set[str], libraries: str) -> Iterator[str]:
    words = {name: name.lower().replace("-", "_") for name in policy.expose_headers}
    unseen = [name for name, word in words.items() if not any(word in text for text in names)]
    for name in unseen:
        if name.lower() not in ADDED_BY_SERVERS and f'"{name.lower()}"' not in libraries:
            text = f"expose_headers has {name!r}, but neither the application nor Flask or its extensions"
            yield f"{policy.place}: {text} send it; correct or remove it, unless something else adds it."
