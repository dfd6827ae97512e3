"""Write the CORS headers of responses, with the application's own function or the one in this file."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Response, current_app, request

from .declare import find_policy, get_policies
from .dry_run import add_remark, is_dry_run

MARK = "writes_cors_headers"
Writer = Callable[[Response], Response]


def cors_headers_writer(write: Writer) -> Writer:
    """Mark the `after_request` function of an application that writes the CORS headers.

    Before it runs, CORS headers that were set elsewhere are removed, because only the policy decides.
    """

    @wraps(write)
    def remove_and_write(response: Response) -> Response:
        by_hand = [line for line in response.headers if line[0].lower().startswith("access-control-")]
        for name, value in by_hand:
            response.headers.remove(name)
            what = f"{name}: {value!a} was set by hand and is removed; declare it with cors(blueprint, …)"
            add_remark(f"{what}.")
            if not get_policies(current_app).hints.production and not is_dry_run():
                current_app.logger.warning("%s %a: %s", request.method, request.path, what)
        return write(response)

    setattr(remove_and_write, MARK, True)
    return remove_and_write


def is_marked(function: Callable[..., Any]) -> bool:
    """Tell whether `cors_headers_writer` has marked a function."""
    return hasattr(function, MARK)


@cors_headers_writer
def write_cors_headers(response: Response) -> Response:
    """Write the CORS headers of the policy of a response."""
    policy = find_policy()
    if policy is None:
        return response
    if not policy.any_origin:
        # also when refused: otherwise a cache gives one origin the copy of another
        # (https://fetch.spec.whatwg.org/#cors-protocol-and-http-caches)
        names = ", ".join([*response.headers.getlist("Vary"), "Origin"]).split(",")
        response.headers["Vary"] = ", ".join({n.strip().lower(): n.strip() for n in names}.values())
    allowed = policy.allow_origin(request.headers.get("Origin", ""))
    if allowed is None:
        return response
    response.headers["Access-Control-Allow-Origin"] = allowed
    if policy.credentials:
        response.headers["Access-Control-Allow-Credentials"] = "true"
    if policy.expose_headers:
        response.headers["Access-Control-Expose-Headers"] = ", ".join(policy.expose_headers)
    return response
