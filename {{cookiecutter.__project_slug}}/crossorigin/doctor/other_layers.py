"""Fixes for an application without policies: they speak of flask-cors, or of the code that is there."""

import ast
import re
from urllib.parse import urlsplit

from flask import Flask

from .browser import Request, Response, Step, get_header, get_unsafe_names, normalize_method
from .edits import Edit, Fix
from .source import Writer, find_view, find_writers

ORIGIN, CREDENTIALS = "Access-Control-Allow-Origin", "Access-Control-Allow-Credentials"
METHODS, HEADERS = "Access-Control-Allow-Methods", "Access-Control-Allow-Headers"
LACKING = {  # by the name of MDN's page: the header that is missing or wrong
    "CORSMissingAllowOrigin": ORIGIN,
    "CORSAllowOriginNotMatchingOrigin": ORIGIN,
    "CORSNotSupportingCredentials": ORIGIN,
    "CORSMissingAllowCredentials": CREDENTIALS,
    "CORSInvalidAllowMethod": METHODS,
    "CORSMethodNotFound": METHODS,
    "CORSInvalidAllowHeader": HEADERS,
    "CORSMissingAllowHeaderFromPreflight": HEADERS,
}
ARGUMENTS = {ORIGIN: "origins", METHODS: "methods", HEADERS: "allow_headers"}  # of flask-cors


def fix_other_layer(app: Flask, view: str | None, failed: Step, request: Request, response: Response) -> Fix:
    """Return what to write in an application without policies; `view` is the endpoint of the request."""
    is_preflight = "response" not in failed.step
    method = "OPTIONS" if is_preflight else normalize_method(request.method)
    what, lacking = f"{method} {urlsplit(request.url).path}", LACKING.get(failed.reason or "")
    if lacking is None:
        return Fix(f"let {what} through: a before_request or a decorator answers it with {response.status}")
    needed = list_needed(request, response, is_preflight)
    writers = find_writers(app)
    if call := _choose_call([writer for writer in writers if writer.call], app, view):
        return _fix_call(call, lacking, request, needed)
    if by_hand := [writer for writer in writers if writer.header]:
        names = (lacking.lower(), "access-control-allow-")
        writer = next((writer for writer in by_hand if writer.header in names), by_hand[0])
        line = f'response.headers["{lacking}"] = "{", ".join(needed[lacking])}"'
        return Fix(f"{writer.place}: {line}, on the response to {what}", (Edit(writer.place, line),))
    place = " (its view: {}:{})".format(*find_view(app, view)) if view else ""
    lines = "; ".join(f"{name}: {', '.join(values)}" for name, values in needed.items())
    return Fix(
        f"nothing in this application writes CORS headers. Add to the response to {what}"
        f"{place}: {lines}; or use flask-cors, or cors(…) of crossorigin"
    )


def _choose_call(calls: list[Writer], app: Flask, view: str | None) -> Writer | None:
    """Return the call of flask-cors for a view: of the view, else its blueprint, else the application."""
    file, first, body = find_view(app, view) if view else ("", 0, 0)
    targets: dict[str, Writer] = {}
    for call in calls:
        other, _, number = call.place.rpartition(":")
        if "cross_origin" not in call.call:
            targets.setdefault(re.split("[(,]", call.call)[1], call)
        elif other == file and first <= int(number) < body:
            return call._replace(call=f"@{call.call}")
    own = targets.get((view or "").rpartition(".")[0])
    if layer := own or next((call for name, call in targets.items() if name not in app.blueprints), None):
        return layer
    return Writer(f"{file}:{first}", "@cross_origin(", {}) if calls and view else None


def _fix_call(writer: Writer, lacking: str, request: Request, needed: dict[str, list[str]]) -> Fix:
    options: dict[str, str] = {}
    if name := ARGUMENTS.get(lacking):
        items = dict.fromkeys([*_list_items(writer.options.get(name)), *(f'"{x}"' for x in needed[lacking])])
        options[name] = f"[{', '.join(items)}]"
    if request.credentials and (lacking == CREDENTIALS or "supports_credentials" not in writer.options):
        options["supports_credentials"] = "True"
    if "resources" in writer.options and lacking == ORIGIN:
        inner = ", ".join(f'"{name}": {value}' for name, value in options.items())
        options = {"resources": f'{{"{urlsplit(request.url).path}": {{{inner}}}}}'}
    written = ", ".join(f"{name}={value}" for name, value in options.items())
    comma = "" if writer.call.endswith("(") else ", "
    line = f"{writer.call}{comma}{written})"
    return Fix(f"{writer.place}: {line}", (Edit(writer.place, line),))


def _list_items(given: ast.expr | None) -> list[str]:
    """Return the items of an argument that is a list, as source text."""
    if given is None or (isinstance(given, ast.Constant) and given.value == "*"):
        return []
    if isinstance(given, ast.List | ast.Tuple):
        return [item for element in given.elts for item in _list_items(element)]
    return [f'"{given.value!s}"' if isinstance(given, ast.Constant) else f"*{ast.unparse(given)}"]


def list_needed(request: Request, response: Response, is_preflight: bool) -> dict[str, list[str]]:
    """Return the headers, and their items, with which the browser would go on after a response."""
    needed = {ORIGIN: [request.origin]} | ({CREDENTIALS: ["true"]} if request.credentials else {})
    wanted = {METHODS: [normalize_method(request.method)], HEADERS: get_unsafe_names(request.headers)}
    for name, values in wanted.items() if is_preflight else ():
        if values:
            given = re.findall(r"[\w-]+", get_header(response, name) or "")
            needed[name] = list(dict.fromkeys([*given, *values]))
    return needed
