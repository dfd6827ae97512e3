"""The CORS headers of responses: our policies decide, flask-cors writes.

flask-cors alone would choose its options by patterns over the path, which it decodes a second time;
so it is called here under the policy of the path. Preflights never come here (`preflight.py`).
"""

from collections.abc import Callable

from flask import Flask, Response, request
from flask_cors import cross_origin

from .declare import Policies
from .policy import Policy


def init_responses(app: Flask, policies: Policies) -> None:
    """Let every response, errors included, carry the CORS headers of its path and no others."""
    writers = {policy.prefix: _writer(policy) for policy in policies.built}

    def add_cors_headers(response: Response) -> Response:
        for name in {n for n, _ in response.headers if n.lower().startswith("access-control-")}:
            del response.headers[name]  # set by somebody's view or after_request: not in any policy
        policy = policies.find(request.path)
        if policy is None:
            return response
        response = writers[policy.prefix](response)
        response.headers.pop("Access-Control-Allow-Private-Network", None)  # a permission replaced it
        if not policy.any_origin:
            # also when refused: else a cache hands one origin's copy to another (Fetch, section 3.3.5)
            names = ", ".join([*response.headers.getlist("Vary"), "Origin"]).split(",")
            response.headers["Vary"] = ", ".join({n.strip().lower(): n.strip() for n in names}.values())
        return response

    # Flask runs these in reverse order: the first one has the last word
    app.after_request_funcs.setdefault(None, []).insert(0, add_cors_headers)


def _writer(policy: Policy) -> Callable[[Response], Response]:
    # every option is given: else flask-cors takes it from CORS_* settings or from lax defaults
    write = cross_origin(
        origins="*" if policy.any_origin else [policy.pattern],
        send_wildcard=policy.any_origin,  # `*` itself, never the request's origin back
        always_send=policy.any_origin,
        supports_credentials=policy.credentials,
        expose_headers=list(policy.expose_headers) or None,
        methods=[],  # this and the next two belong to preflights
        allow_headers=[],
        max_age=None,
        vary_header=False,
        allow_private_network=False,
        automatic_options=False,
    )
    return write(lambda response: response)
