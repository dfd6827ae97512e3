"""What in policies, routes, answers and settings does not fit together, although each is right by itself."""

import ast
from collections.abc import Iterator, Set
from functools import cache
from pathlib import Path

from flask import Flask
from werkzeug.routing import Rule
from werkzeug.test import EnvironBuilder

from ..declare import get_policies
from ..dry_run import dry_run
from ..policy import Policy
from ..prefixes import VARIABLE
from ..setup import misfits_of_cookies
from .browser import SAFELISTED_METHODS
from .transport import everything_but_the_view

CORS = Path(__file__).parent
# added outside of the application: by the server, or by a proxy in front
ADDED_BY_SERVERS = {"*", "age", "content-encoding", "content-length", "date", "server", "via"}


def misfits(app: Flask) -> Iterator[str]:
    """Yield a sentence, with its cure, for each thing that does not fit."""
    policies = get_policies(app)
    exposing = any(policy.expose_headers for policy in policies.built)
    names = names_in_source(Path(app.root_path)) if exposing else set()
    for policy in policies.built:
        rules = [rule for rule in app.url_map.iter_rules() if policies.find(rule.rule) is policy]
        yield from _of_methods(policy, {m for rule in rules for m in rule.methods or set()} - {"OPTIONS"})
        yield from _of_exposed_headers(app, policy, rules, names)
    yield from misfits_of_cookies(app, policies.built)


def _of_methods(policy: Policy, routed: set[str]) -> Iterator[str]:
    if not routed:
        yield f"{policy.place}: no route is under {policy.prefix}; add one, or remove the policy."
        return
    for method in sorted(routed - SAFELISTED_METHODS - set(policy.methods)):
        yield (
            f"{policy.place}: a route under {policy.prefix} has {method}, which methods does not allow;"
            " add it, or leave methods out to take those of the routes."
        )
    for method in sorted(set(policy.methods) - routed - {"OPTIONS"}):  # Flask answers it everywhere
        yield (
            f"{policy.place}: methods allows {method}, which no route under {policy.prefix} has; remove it,"
            " or leave methods out to take those of the routes."
        )


def _of_exposed_headers(app: Flask, policy: Policy, rules: list[Rule], names: Set[str]) -> Iterator[str]:
    unseen = [n for n in policy.expose_headers if n.lower() not in ADDED_BY_SERVERS and not _is_in(n, names)]
    if not unseen:
        return
    carried = {name for rule in rules for name in _carried(app, rule)}
    for name in unseen:
        if name.lower() not in carried:
            yield (
                f"{policy.place}: expose_headers has {name!r}, which nothing in the package's source names"
                " and no answer has been seen to carry; correct it, remove it, or send it."
            )


def _is_in(header: str, names: Set[str]) -> bool:
    word = header.lower().replace("-", "_")
    return any(word in name for name in names)


@cache  # the source is read as it was when the process began
def names_in_source(package: Path) -> Set[str]:
    """Return the texts and names in a package's source, with _ for -, but those in `expose_headers`.

    A header may be set by a text ("X-Pagination"), an attribute (`retry_after`) or a function (`set_etag`).
    """
    found: set[str] = set()
    for file in package.rglob("*.py"):
        if CORS in file.parents:
            continue  # here they are only spoken of
        tree = ast.parse(file.read_bytes())
        exposed = {
            child
            for node in ast.walk(tree)
            if isinstance(node, ast.keyword) and node.arg == "expose_headers"
            for child in ast.walk(node.value)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in exposed:
                found.add(node.value.lower().replace("-", "_"))
            elif isinstance(node, ast.Attribute):
                found.add(node.attr.lower())
            elif isinstance(node, ast.keyword):
                found.add((node.arg or "").lower())
    return found


def _carried(app: Flask, rule: Rule) -> set[str]:
    """Return the headers that a route's answer has although its view does not run."""
    path, method = VARIABLE.sub("1", rule.rule), min(rule.methods or {"GET"})
    with dry_run():
        answer, _ = everything_but_the_view(app, EnvironBuilder(path, method=method))
    return {name.lower() for name, _ in answer.headers}
