"""Which policies are refused, and what to write instead."""

import difflib
import inspect
import re
from collections.abc import Iterator, Mapping
from typing import Any

from flask import Flask

from .declare import Declaration, cors, get_policies
from .doctor.browser import TOKEN, is_forbidden_header, is_forbidden_method
from .origins import origin_problem
from .overlaps import spans_segments
from .policy import FromConfig

RESPONSE_HEADERS = re.compile(
    "accept-ranges|access-control-(allow|expose|max)-.*|age|allow|etag|location|retry-after|server|vary"
    "|www-authenticate"
)
LONGEST_MAX_AGE = 86400  # Firefox's cap; Chromium's is 7200, Safari's 600


def resolve_origins(declared: Any, config: Mapping[str, Any]) -> tuple[list[Any], str]:
    """Return the origins of a declaration, and the name under which messages speak of them."""
    name = "origins"
    if isinstance(declared, FromConfig):
        name, declared = declared.name, config.get(declared.name) or ()
        if isinstance(declared, str):
            declared = [part for part in re.split(r"[\s,]+", declared) if part]
    return list(declared) if isinstance(declared, list | tuple | set) else [declared], name


def problems_of(declaration: Declaration, app: Flask, *, production: bool = True) -> Iterator[str]:
    """Yield a sentence, with its fix, for each thing that is wrong with a declaration."""
    options = declaration.options
    known = list(inspect.signature(cors).parameters)[1:-1]
    for name in sorted(options.keys() - set(known)):
        near = difflib.get_close_matches(name, known, 1)
        yield f"unknown option {name!r}; " + (f"did you mean {near[0]!r}?" if near else f"there are {known}.")
    prefix = declaration.prefix or ""
    if not prefix.strip("/"):
        yield "the blueprint has no url_prefix, so its 404 could not be told from others; give it one."
    elif spans_segments(app, prefix):
        yield f"the prefix {prefix!r} has a variable whose end cannot be known; use <string:…>."
    credentials = options["credentials"]
    if not isinstance(credentials, bool):
        yield f"credentials={credentials!r} is neither True nor False; write one of them."
    origins = options["origins"]
    if isinstance(origins, FromConfig) and origins.name not in app.config:
        code = get_policies(app).hints.settings_code
        yield f"{origins.name} is not in app.config, whatever the environment has; pass it on in {code}."
    else:
        yield from _origins(*resolve_origins(origins, app.config), bool(credentials), production)
    for name in ("methods", "request_headers", "expose_headers"):
        yield from _each(name, options[name], bool(credentials))
    max_age = options["max_age"]
    if max_age is not None and (type(max_age) is not int or not 0 <= max_age <= LONGEST_MAX_AGE):
        yield f"max_age={max_age!r} is not a whole number from 0 to {LONGEST_MAX_AGE}; write for example 600."


def _origins(origins: list[Any], name: str, credentials: bool, production: bool) -> Iterator[str]:
    if not origins:
        yield f"{name} is unset or empty, which never means everybody; list the origins, or write none."
    if origins in (["none"], ["*"]) and not (origins == ["*"] and credentials):
        return
    for origin in origins:
        if origin == "none":
            yield f"{name} has 'none' beside origins; write 'none' alone or leave it out."
        elif origin == "*" and credentials:
            yield f"{name} has '*' with credentials: any site could act as your users; list the origins."
        elif origin == "*":
            yield f"{name} has '*' beside others, which are pointless then; write '*' alone or leave it out."
        elif problem := origin_problem(origin, credentials=credentials, production=production):
            yield f"{name} has {origin!r}, which {problem}."


def _each(option: str, values: Any, credentials: bool) -> Iterator[str]:
    if values is None and option == "methods":
        return
    if not isinstance(values, list | tuple | set):
        yield f"{option}={values!r} is no list; write {[] if values is None else [values]!r}."
        return
    for value in values:
        if not isinstance(value, str) or not TOKEN.match(value):
            yield f"{option} has {value!r}, no token (RFC 9110); write a name without spaces or commas."
        elif value == "*" and credentials and option != "methods":
            yield f"{option} has '*', a literal name with credentials, not a wildcard; list the headers."
        elif problem := _problem_of_item(option, value):
            yield f"{option} has {value!r}, {problem}."


def _problem_of_item(option: str, value: str) -> str | None:
    name = value.lower()
    match option:
        case "methods" if value == "*":
            return "which would open methods that you add later; list them"
        case "methods" if is_forbidden_method(value):
            return "which no page can send; leave it out"
        case "methods" if value != value.upper():
            return f"but methods are case-sensitive; write {value.upper()!r}"
        case "request_headers" if is_forbidden_header(name, "") or name.startswith("access-control-request-"):
            return "which only the browser itself sets; leave it out"
        case "request_headers" if RESPONSE_HEADERS.fullmatch(name):
            return "which is a header of responses; to let the page read it, write it in expose_headers"
        case "expose_headers" if name in ("set-cookie", "set-cookie2"):
            return "which no page can ever read; leave it out"
    return None
