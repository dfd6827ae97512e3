"""Find fixes for an application without policies, in its calls of flask-cors or its own code."""

import ast
import re
from pathlib import Path
from urllib.parse import urlsplit

from flask import Flask

from .answered import Needed, show_headers
from .browser import Request, Response, Step, get_header, get_unsafe_names, normalize_method
from .edits import Edit, Fix, change_call, write
from .source import Writer, find_view, find_writers

ORIGIN, CREDENTIALS = "Access-Control-Allow-Origin", "Access-Control-Allow-Credentials"
METHODS, HEADERS = "Access-Control-Allow-Methods", "Access-Control-Allow-Headers"
HEADER_BY_REASON = {  # by the name of MDN's page: the header that is missing or wrong
    "CORSMissingAllowOrigin": ORIGIN,
    "CORSAllowOriginNotMatchingOrigin": ORIGIN,
    "CORSMultipleAllowOriginNotAllowed": ORIGIN,
    "CORSNotSupportingCredentials": ORIGIN,
    "CORSMissingAllowCredentials": CREDENTIALS,
    "CORSInvalidAllowMethod": METHODS,
    "CORSMethodNotFound": METHODS,
    "CORSInvalidAllowHeader": HEADERS,
    "CORSMissingAllowHeaderFromPreflight": HEADERS,
}
ARGUMENTS = {ORIGIN: "origins", METHODS: "methods", HEADERS: "allow_headers"}  # of flask-cors


def fix_other_layer(app: Flask, view: str | None, failed: Step, request: Request, response: Response) -> Fix:
    """Return what to write in an application without policies. `view` is the endpoint of the request."""
    is_preflight = "response" not in failed.step
    method = "OPTIONS" if is_preflight else normalize_method(request.method)
    path, upper = urlsplit(request.url).path, request.method.upper()
    what, missing = f"{method} {path}", HEADER_BY_REASON.get(failed.reason or "")
    has_upper = upper in re.findall(r"[\w-]+", get_header(response, METHODS) or "")
    if missing == METHODS and has_upper and normalize_method(request.method) != upper:
        return change_call(f'method: "{upper}"; methods are case-sensitive', method=upper)
    if missing is None:
        return Fix(f"skip {what} in the before_request or decorator that answers it with {response.status}")
    needed = list_needed(request, response, is_preflight)
    writers = find_writers(app)
    calls = [writer for writer in writers if writer.call]
    if call := _choose_call(calls, app, view):
        return _fix_call(call, missing, needed, request, response)
    if calls:
        text = "another path. CORS(…) of a blueprint covers its routes only, and no route has the path"
        return change_call(f"{text} {path}")
    if by_hand := [writer for writer in writers if writer.header]:
        return _fix_by_hand(by_hand, missing, needed, what, response)
    place = " (its view: {}:{})".format(*find_view(app, view)) if view else ""
    text = f"nothing in this application writes CORS headers. Add to the response to {what}{place}:"
    return Fix(f"{text} {show_headers(needed)}; or use flask-cors, or cors(…) of crossorigin")


def _choose_call(calls: list[Writer], app: Flask, view: str | None) -> Writer | None:
    """Return the call of flask-cors for a view, its blueprint, or the application, in this order."""
    file, first, function = find_view(app, view) if view else ("", 0, 0)
    targets: dict[str, Writer] = {}
    for call in calls:
        other, _, number = call.place.rpartition(":")
        if "cross_origin" not in call.call:
            targets.setdefault(re.split("[(,]", call.call)[1], call)
        elif other == file and first <= int(number) < function:
            return call._replace(call=f"@{call.call}")
    own = targets.get((view or "").rpartition(".")[0])
    if layer := own or next((call for name, call in targets.items() if name not in app.blueprints), None):
        return layer
    # next to the function, inside the route
    return Writer(f"{file}:{function}", "@cross_origin(", {}) if calls and view else None


def _fix_by_hand(writers: list[Writer], missing: str, needed: Needed, what: str, response: Response) -> Fix:
    places = {writer.header: writer.place for writer in writers}
    place = places.get(missing.lower()) or places.get("access-control-allow-") or writers[0].place
    if missing.lower() in places and get_header(response, missing) is None:
        text = f"{place} writes {missing}, but not on the response to {what}: change the condition before it,"
        return Fix(f"{text} so that it runs for every response, and for pages of {needed[ORIGIN][0]}")
    edits = []
    for name, values in needed.items():
        given = set(re.split("[, ]+", get_header(response, name) or ""))
        if name == missing or not given.issuperset(values):
            other = places.get(name.lower(), place)
            edits.append(Edit(other, f'{_find_target(other)}["{name}"] = "{", ".join(values)}"'))
    # the last line first, because a new line moves those below
    edits.sort(key=lambda edit: int(edit.place.rpartition(":")[2]), reverse=True)
    return Fix("; ".join(map(": ".join, edits)) + f", on the response to {what}", tuple(edits))


def _find_target(place: str) -> str:
    """Return what a line assigns headers to, for example "response.headers"."""
    file, _, number = place.rpartition(":")
    line = Path(file).read_text("utf-8").splitlines()[int(number) - 1]
    found = re.match(r"\s*([\w.]+)(\[|\.(add|set|setdefault)\()", line)
    return found[1] if found else "response.headers"


def _fix_call(writer: Writer, missing: str, needed: Needed, request: Request, response: Response) -> Fix:
    options: dict[str, str] = {}
    for name, argument in ARGUMENTS.items():
        items = _list_items(writer.options.get(argument))
        known = [item.strip('"').lower() for item in items]
        new = [f'"{value}"' for value in needed.get(name, []) if value.lower() not in known]
        if name == missing == ORIGIN and items and not new:
            text = f"{writer.place} allows it, but the response {response.status} does not pass through it"
            return Fix(f"{text}: fix the exception in the terminal of the API")
        if name == missing or (name != ORIGIN and items and new):
            options[argument] = f"[{', '.join([*items, *new])}]"
    if request.credentials and (missing == CREDENTIALS or "supports_credentials" not in writer.options):
        options["supports_credentials"] = "True"
    if "resources" in writer.options and missing == ORIGIN:
        inner = ", ".join(f'"{name}": {value}' for name, value in options.items())
        options = {"resources": f'{{"{urlsplit(request.url).path}": {{{inner}}}}}'}
    written = ", ".join(f"{name}={value}" for name, value in options.items())
    return write(writer.place, f"{writer.call}{', ' * (not writer.call.endswith('('))}{written})")


def _list_items(given: ast.expr | None) -> list[str]:
    """Return the items of an argument that is a list, as source text."""
    if given is None or (isinstance(given, ast.Constant) and given.value == "*"):
        return []
    if isinstance(given, ast.List | ast.Tuple):
        return [item for element in given.elts for item in _list_items(element)]
    return [f'"{given.value!s}"' if isinstance(given, ast.Constant) else f"*{ast.unparse(given)}"]


def list_needed(request: Request, response: Response, is_preflight: bool) -> Needed:
    """Return the headers, with their items, that the browser needs after a response."""
    needed = {ORIGIN: [request.origin]} | ({CREDENTIALS: ["true"]} if request.credentials else {})
    wanted = {METHODS: [normalize_method(request.method)], HEADERS: get_unsafe_names(request.headers)}
    for name, values in wanted.items() if is_preflight else ():
        if values:
            given = re.findall(r"[\w-]+", get_header(response, name) or "")
            needed[name] = list(dict.fromkeys([*given, *values]))
    return needed
