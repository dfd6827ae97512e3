"""Which policies are refused, and what to write instead. The lists are from the Fetch standard."""

import difflib
import inspect
import re
from collections.abc import Iterator, Mapping
from typing import Any

from flask import Flask

from .declare import Declaration, cors, get_policies
from .origins import origin_problem
from .overlaps import spans_segments
from .policy import FromConfig

TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")  # RFC 9110, section 5.6.2
SAFELISTED_METHODS = {"GET", "HEAD", "POST"}
FORBIDDEN_METHODS = {"CONNECT", "TRACE", "TRACK"}
FORBIDDEN_HEADERS = re.compile(
    "accept-(charset|encoding)|access-control-request-(headers|method)|connection|content-length|cookie2?"
    "|date|dnt|expect|host|keep-alive|origin|referer|set-cookie|te|trailer|transfer-encoding|upgrade|via"
    "|(proxy|sec)-.*"
)
RESPONSE_HEADERS = re.compile(
    "accept-ranges|access-control-(allow|expose|max)-.*|age|allow|etag|location|retry-after|server|vary"
    "|www-authenticate"
)
MAXIMUM_MAX_AGE = 86400  # Firefox's cap; Chromium's is 7200, Safari's 600


def resolve_origins(declared: Any, config: Mapping[str, Any]) -> tuple[list[Any], str]:
    """Return the origins of a declaration, and their name in messages."""
    name = "origins"
    if isinstance(declared, FromConfig):
        name, declared = declared.name, config.get(declared.name) or ()
        if isinstance(declared, str):
            declared = [part for part in re.split(r"[\s,]+", declared) if part]
    return list(declared) if isinstance(declared, list | tuple | set) else [declared], name


def check_declaration(declaration: Declaration, app: Flask, *, production: bool = True) -> Iterator[str]:
    """Yield a message, with its fix, for each problem of a declaration."""
    options = declaration.options
    known = list(inspect.signature(cors).parameters)[1:-1]
    for name in sorted(options.keys() - set(known)):
        near = difflib.get_close_matches(name, known, 1)
        yield f"unknown option {name!r}; " + (f"did you mean {near[0]!r}?" if near else f"use one of {known}")
    prefix = declaration.prefix or ""
    if not prefix.strip("/"):
        yield "the blueprint has no url_prefix, so the paths of its policy are unknown; set url_prefix."
    elif spans_segments(app, prefix):
        yield f"the prefix {prefix!r} has a variable that takes several segments; use <string:…>."
    credentials = options["credentials"]
    if not isinstance(credentials, bool):
        yield f"credentials={credentials!r} is not True or False; write one of them."
    origins = options["origins"]
    if isinstance(origins, FromConfig) and origins.name not in app.config:
        code = get_policies(app).hints.settings_code
        yield f"{origins.name} is not in app.config, even if the environment has it; add it in {code}."
    else:
        yield from _check_origins(*resolve_origins(origins, app.config), bool(credentials), production)
    for name in ("methods", "request_headers", "expose_headers"):
        yield from _check_items(name, options[name], bool(credentials))
    max_age = options["max_age"]
    if max_age is not None and (type(max_age) is not int or not 0 <= max_age <= MAXIMUM_MAX_AGE):
        yield f"max_age={max_age!r} is not a whole number from 0 to {MAXIMUM_MAX_AGE}; write for example 600."


def _check_origins(origins: list[Any], name: str, credentials: bool, production: bool) -> Iterator[str]:
    if not origins:
        yield f"{name} is unset or empty, which never means every origin; list the origins, or write none."
    if origins in (["none"], ["*"]) and not (origins == ["*"] and credentials):
        return
    for origin in origins:
        if origin == "none":
            yield f"{name} has 'none' beside other origins; write 'none' alone, or remove it."
        elif origin == "*" and credentials:
            yield f"{name} has '*' with credentials: any site could act as your users; list the origins."
        elif origin == "*":
            yield f"{name} has '*' beside other origins, which have no effect; write '*' alone."
        elif problem := origin_problem(origin, credentials=credentials, production=production):
            yield f"{name} has {origin!r}, which {problem}."


def _check_items(option: str, values: Any, credentials: bool) -> Iterator[str]:
    if values is None and option == "methods":
        return
    if not isinstance(values, list | tuple | set):
        yield f"{option}={values!r} is not a list; write {[] if values is None else [values]!r}."
        return
    for value in values:
        if not isinstance(value, str) or not TOKEN.match(value):
            yield f"{option} has {value!r}, which is not a token (RFC 9110); write one name, without spaces."
        elif value == "*" and credentials and option != "methods":
            yield f"{option} has '*', which is a literal name with credentials; list the headers."
        elif problem := _check_item(option, value):
            yield f"{option} has {value!r}, {problem}."


def _check_item(option: str, value: str) -> str | None:
    name = value.lower()
    is_forbidden = FORBIDDEN_HEADERS.fullmatch(name) or name.startswith("access-control-request-")
    match option:
        case "methods" if value == "*":
            return "which would allow methods that you add later; list them"
        case "methods" if value.upper() in FORBIDDEN_METHODS:
            return "which no page can send; remove it"
        case "methods" if value != value.upper():
            return f"but methods are case-sensitive; write {value.upper()!r}"
        case "request_headers" if is_forbidden:
            return "which only the browser sets; remove it"
        case "request_headers" if RESPONSE_HEADERS.fullmatch(name):
            return "which is a response header; to let the page read it, write it in expose_headers"
        case "expose_headers" if name in ("set-cookie", "set-cookie2"):
            return "which no page can read; remove it"
    return None
