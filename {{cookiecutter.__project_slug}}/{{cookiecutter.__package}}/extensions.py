"""The extensions, made once and bound to each application by `create_app`."""

import re
import time
from http import HTTPStatus
from ipaddress import IPv4Address, IPv6Network, ip_address
from math import ceil
from typing import Any

import flask_smorest
import marshmallow as ma
import orjson
from crossorigin import is_dry_run
from flask import Request, Response, abort, request
from flask.json.provider import DefaultJSONProvider, JSONProvider
from flask_limiter import Limiter, RateLimitExceeded
from flask_smorest.exceptions import NotModified
from marshmallow.validate import Regexp
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import HTTPException
from werkzeug.http import quote_etag

from .database import Database
from .errors import PROBLEM, ProblemSchema, problem_of


def get_client_network() -> str:
    """Return the key of address limits: an IPv4 address, or the /64 network of an IPv6 address.

    One customer has a whole /64 network (RFC 6177). Some proxies add the port of the client.
    """
    address = request.remote_addr or ""
    if found := re.fullmatch(r"\[(.*)\](?::\d+)?|([^:]*):\d+", address):
        address = found[1] or found[2]
    try:
        ip = ip_address(address)
    except ValueError:
        return address or "unknown"
    if isinstance(ip, IPv4Address):
        return str(ip)
    return str(ip.ipv4_mapped or IPv6Network((int(ip), 64), strict=False))


db = Database()
# While Redis is away, each process counts in its memory. A request that meets the failure at the same
# moment as another is let through and logged.
limiter = Limiter(get_client_network, in_memory_fallback_enabled=True, swallow_errors=True)
limiter.request_filter(is_dry_run)
# for every text that goes to the database: PostgreSQL fails on it
NO_NUL = Regexp(r"^[^\x00]*$", error="NUL characters cannot be stored.")


class OrjsonProvider(JSONProvider):
    """Flask's JSON by orjson: faster, and strict about what is JSON."""

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        option = orjson.OPT_NON_STR_KEYS | (orjson.OPT_SORT_KEYS if kwargs.get("sort_keys") else 0)
        return orjson.dumps(obj, default=DefaultJSONProvider.default, option=option).decode()

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        return orjson.loads(s)

    def response(self, *args: Any, **kwargs: Any) -> Response:
        return Response(self.dumps(self._prepare_response_obj(args, kwargs)), mimetype="application/json")


class Parser(FlaskParser):
    """Reads arguments: a JSON body must say that it is one, which also forces a preflight."""

    def load_json(self, req: Request, schema: ma.Schema) -> Any:
        if req.mimetype != "application/json":
            abort(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Send the body as Content-Type: application/json.")
        try:
            return orjson.loads(req.get_data())
        except orjson.JSONDecodeError as error:
            abort(HTTPStatus.BAD_REQUEST, f"The body is not JSON: {error}.")


class Blueprint(flask_smorest.Blueprint):
    """flask-smorest's blueprint with the parser above, and with the ETag on a 304 (RFC 9110, 15.4.5)."""

    ARGUMENTS_PARSER = Parser()

    def _check_not_modified(self, etag: str) -> None:
        # weakly: a proxy that compresses weakens the tag (RFC 9110, 13.1.2)
        if request.method in self.METHODS_CHECKING_NOT_MODIFIED and request.if_none_match.contains_weak(etag):
            unchanged = NotModified()
            unchanged.data = {"headers": {"ETag": quote_etag(etag)}}
            raise unchanged


class Api(flask_smorest.Api):
    """flask-smorest's Api with RFC 9457 problems as errors, and described as such."""

    ERROR_SCHEMA = ProblemSchema

    def handle_http_exception(self, error: HTTPException) -> Response:
        if isinstance(error, RateLimitExceeded) and limiter.current_limit:
            wait = max(1, ceil(limiter.current_limit.reset_at - time.time()))
            error.retry_after = wait
            # in words as well: a page can read the header only where a policy exposes it
            error.description = f"More than {error.limit.limit}; try again in {wait} seconds."
        return problem_of(error)

    def _register_responses(self) -> None:
        # resolved once: it is the same for every status
        self.spec.components.schema("Problem", schema=ProblemSchema)
        problem = {"content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
        named = [(s.name, s.phrase, s >= HTTPStatus.BAD_REQUEST) for s in HTTPStatus]
        for name, phrase, has_body in [*named, ("DEFAULT_ERROR", "Problem", True)]:
            response = {"description": phrase} | (problem if has_body else {})
            self.spec.components.response(name, response, lazy=True)


api = Api()
