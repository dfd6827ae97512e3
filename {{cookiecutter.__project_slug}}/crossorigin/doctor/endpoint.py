"""Blueprint `explain_endpoint`, for development: explain to a page why the browser blocked its request."""

import time
from typing import Any
from urllib.parse import unquote, urlsplit

from flask import Blueprint, Flask, current_app, request
from flask.typing import ResponseReturnValue

from ..declare import Policies, cors, get_policies
from .answered import is_own_url
from .browser import Request, Step, get_origin, get_unsafe_names, normalize_method
from .trace import build_request, explain
from .transport import AppTransport

MAX_LENGTH = {"method": 32, "url": 4096, "origin": 326}  # characters
MAX_HEADERS, MAX_HEADER = 100, 10_000
UNKNOWN = "(unknown)"  # a header value that is never safelisted
MAX_AGE = 10  # seconds for which a refused preflight counts

explain_endpoint = Blueprint("explain_endpoint", __name__, url_prefix="/api/dev")
cors(explain_endpoint, origins=["*"], request_headers=["Content-Type"])


@explain_endpoint.post("/explain")
def explain_request() -> ResponseReturnValue:
    """Explain what a browser does with a request to this API. No view runs, and nothing is sent elsewhere."""
    try:
        body = _check_body(request.get_json())
        was_answered = body.pop("answered", False)  # then the last refusal belongs to another request
        asked = build_request(**body)
    except ValueError as error:
        problem = {"type": "about:blank", "title": "Unprocessable Content", "status": 422}
        return problem | {"detail": str(error)}, 422, {"Content-Type": "application/problem+json"}
    path = urlsplit(asked.url).path
    if request.script_root and path.startswith(f"{request.script_root}/"):  # a proxy serves it under a path
        asked = asked._replace(url=asked.url.replace(path, path.removeprefix(request.script_root), 1))
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    here = get_origin(request.host_url)
    address = get_origin(asked.url) if is_own_url(app, asked.url, here) else here
    transport = AppTransport(app, address, run_views=False)
    result, added = explain(asked, transport, app), _find_added_headers(get_policies(app), asked)
    if result.allowed and added and not was_answered:
        detail = f"The browser's preflight also had {', '.join(added)}. A library adds them, for example"
        detail += " Sentry (tracePropagationTargets) or OpenTelemetry."
        headers = (*asked.headers, *((name, UNKNOWN) for name in added))
        result = explain(asked._replace(headers=headers), transport, app)
        result.steps.insert(0, Step("The page does not know all headers", True, detail))
    return result.as_dict()


def _find_added_headers(policies: Policies, asked: Request) -> list[str]:
    """Return the headers in the last refused preflight of a request that its page does not know."""
    key = (unquote(urlsplit(asked.url).path), asked.origin, normalize_method(asked.method))
    same = (r for r in tuple(policies.refused) if (r.path, r.origin, r.method) == key)
    last = next(same, None)
    is_new = last and time.monotonic() - last.time < MAX_AGE
    return sorted(last.headers - set(get_unsafe_names(asked.headers))) if last and is_new else []


def _check_body(body: Any) -> dict[str, Any]:
    """Return the arguments of `build_request`, or raise ValueError for the first wrong field."""
    if not isinstance(body, dict):
        raise ValueError("The body is not a JSON object.")
    for name in body.keys() - MAX_LENGTH.keys() - {"headers", "credentials", "answered"}:
        raise ValueError(f"{name[:50]!r} is unknown; remove it.")
    for name, length in MAX_LENGTH.items():
        if not isinstance(body.get(name), str) or not 0 < len(body[name]) <= length:
            raise ValueError(f"{name} is not a string of 1 to {length} characters.")
    for name in ("credentials", "answered"):
        if not isinstance(body.get(name, False), bool):
            raise ValueError(f"{name} is not true or false.")
    headers = body.get("headers", [])
    pairs = list(headers.items()) if isinstance(headers, dict) else headers
    valid = isinstance(pairs, list) and len(pairs) <= MAX_HEADERS and all(map(_is_header, pairs))
    if not valid:
        what = f"an object or a list of pairs, with at most {MAX_HEADERS} headers of {MAX_HEADER} characters"
        raise ValueError(f"headers is not {what}.")
    return {**body, "headers": [(name, value) for name, value in pairs]}


def _is_header(pair: Any) -> bool:
    texts = isinstance(pair, list | tuple) and [type(part) for part in pair] == [str, str]
    return texts and len(pair[0]) + len(pair[1]) <= MAX_HEADER
