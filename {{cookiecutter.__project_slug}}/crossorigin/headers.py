"""The CORS headers of responses, for applications without a writer of their own."""

from flask import Response, request

from .declare import find_policy


def write_cors_headers(response: Response) -> Response:
    """Write the CORS headers of the policy of a response, and remove all others."""
    for name in {n for n, _ in response.headers if n.lower().startswith("access-control-")}:
        del response.headers[name]  # set by a view or another after_request: not in any policy
    policy = find_policy()
    if policy is None:
        return response
    if not policy.any_origin:
        # also when refused: else a cache hands one origin's copy to another
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
