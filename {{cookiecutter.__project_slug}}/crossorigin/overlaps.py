"""Find views that the prefix of another policy covers. `init_cors` refuses them.

A preflight has no view, so its policy is looked up by path. Each path of a view must therefore lead to the
policy of that view. Otherwise one blueprint's policy would open the views of another.
"""

import inspect
from collections.abc import Iterator
from contextlib import suppress

from flask import Flask
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule

from .declare import Policies, shorten_path
from .policy import Policy
from .prefixes import VARIABLE, compile_segment, split_rule

SAMPLES = ("1", "1.0", "x", "00000000-0000-4000-8000-000000000000")  # values that most converters accept
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}


def find_overlaps(app: Flask, policies: Policies) -> Iterator[str]:
    """Yield a message for each view that has a path with another policy."""
    for rule in app.url_map.iter_rules():
        own = policies.find_by_endpoint(rule.endpoint)
        for prefix, policy in policies.prefixes if not rule.build_only else ():
            path = _find_common_path(app, rule, prefix, own) if policy is not own else None
            if path is not None and policies.find(path) is policy:
                yield _build_message(app, rule, path, policy, own)
                break


def _find_common_path(app: Flask, rule: Rule, covering: str, own: Policy | None) -> str | None:
    """Return a path that leads to the view of a rule and begins with the prefix of another policy."""
    segments, prefix = split_rule(rule.rule), split_rule(covering)
    for number, segment in enumerate(segments[: len(prefix)], 1):
        if spans_segments(app, segment):
            if own is None and rule.methods and rule.methods <= SAFE_METHODS:
                return None  # files below /<path:…>: their responses have no CORS header
            rest = "/".join(prefix[number - 1 :])
            return _find_match(app, segments[:number], [*prefix[: number - 1], rest])
    path = _find_match(app, segments[: len(prefix)], prefix) if len(segments) >= len(prefix) else None
    if path is None or len(segments) > len(prefix):
        return path and "/".join([path, *(VARIABLE.sub("1", text) for text in segments[len(prefix) :])])
    return path if VARIABLE.search(covering) or _leads_to(app, rule, path) else None


def spans_segments(app: Flask, text: str) -> bool:
    """Tell whether a variable takes several segments of a path, as <path:name> does."""
    used = (app.url_map.converters.get(match["converter"]) for match in VARIABLE.finditer(text))
    return any(converter is not None and not converter.part_isolating for converter in used)


def _find_match(app: Flask, segments: list[str], prefix: list[str]) -> str | None:
    """Return a path that matches both, segment by segment."""
    possible = None
    for sample in SAMPLES:
        path = ""
        for segment, other in zip(segments, prefix, strict=True):
            first, second = (VARIABLE.sub(sample, text) for text in (segment, other))
            if spans_segments(app, segment) or compile_segment(segment).match(second):
                path += f"/{second}"
            elif compile_segment(other).match(first):
                path += f"/{first}"
            else:
                break
        else:
            rules = Map([Rule("/" + "/".join(segments))], converters=app.url_map.converters)
            if rules.bind("localhost").test(path):
                return path
            possible = path if VARIABLE.search("".join(prefix)) else None
    return possible  # two variables: no sample matches, but another value may


def _leads_to(app: Flask, rule: Rule, path: str) -> bool:
    adapter = app.url_map.bind(rule.host or "localhost", subdomain=None if rule.host else rule.subdomain)
    for method in rule.methods or {"GET"}:
        with suppress(HTTPException):
            if adapter.match(path + "/" * rule.rule.endswith("/"), method)[0] == rule.endpoint:
                return True
    return False


def _build_message(app: Flask, rule: Rule, path: str, policy: Policy, own: Policy | None) -> str:
    view = app.view_functions.get(rule.endpoint)
    code = getattr(inspect.unwrap(view) if view else None, "__code__", None)
    place = f"{shorten_path(code.co_filename)}:{code.co_firstlineno}" if code else "a class"
    has = f"has the policy of {own.prefix!r} ({own.place})" if own else "has no policy"
    blueprint = rule.endpoint.rpartition(".")[0].rpartition(".")[2]
    if own:
        fix = "give one of the two another prefix, or restrict the variable, for example <int:name>"
    elif blueprint:
        fix = f'write cors({blueprint}, origins=["none"]), or give it another prefix'
    else:
        fix = f'write init_cors(app, closed=["{rule.endpoint}"]), or give it another path'
    return (
        f"{policy.place}: the prefix {policy.prefix!r} covers {path!r}, a path of the view"
        f" {rule.endpoint!r} ({place}, {rule.rule!r}), but this view {has}; {fix}."
    )
