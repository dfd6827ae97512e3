"""flask-smorest with problem+json errors, JSON bodies, and ETags that a compressing proxy may change."""

import json
import re
from typing import Any, NoReturn

import flask_smorest
import marshmallow as ma
from flask import Flask, Request, Response, abort, current_app, request
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import HTTPException

from .errors import PROBLEM, ProblemSchema, problem_response

JSON = "application/json"
# for every text in the database: PostgreSQL cannot store NUL, and UTF-8 cannot encode a lone surrogate
NO_NUL = ma.validate.Regexp(r"^[^\x00\ud800-\udfff]*$", error="Remove NUL and lone surrogates from the text.")
# the ETag "tag" after compression by a proxy: W/"tag" (nginx), "tag-zstd" (Caddy), "tag-br" (Apache)
COMPRESSED_TAG = re.compile(r'(?:W/)?("[^"]*?)(?:--?(?:gzip|br|zstd))?"')


class Parser(FlaskParser):
    """Parse arguments. A body must be JSON, so that browsers send a preflight."""

    def load_json(self, req: Request, schema: ma.Schema) -> Any:
        if req.mimetype != JSON:
            abort(415, f"Content-Type is {req.mimetype!r}. Send JSON with Content-Type: {JSON}.")
        try:
            return json.loads(req.get_data(), parse_constant=int)  # int() refuses NaN and Infinity
        except (ValueError, RecursionError) as error:
            abort(400, f"The body is not valid JSON: {error}. Correct it and send it again.")

    def handle_error(self, error: ma.ValidationError, *args: Any, **kwargs: Any) -> NoReturn:
        # at most ten for each location: thousands would cost more than the request
        error.messages = {name: dict(list(texts.items())[:10]) for name, texts in error.messages_dict.items()}
        super().handle_error(error, *args, **kwargs)


class Blueprint(flask_smorest.Blueprint):
    """Add the parser above, and If-None-Match for changes."""

    ARGUMENTS_PARSER = Parser()

    def response(self, *args: Any, content_type: str = JSON, **kwargs: Any) -> Any:
        return super().response(*args, content_type=content_type, **kwargs)

    def check_etag(self, etag_data: Any, etag_schema: Any = None) -> None:
        """Answer 412 if If-Match lacks this version, or if If-None-Match has it (RFC 9110, 13.1.2)."""
        super().check_etag(etag_data, etag_schema)
        excluded = request.if_none_match
        if excluded.star_tag or any(tag in excluded for tag in request.if_match):
            abort(412)


class Api(flask_smorest.Api):
    """Answer errors as problem+json, also in the OpenAPI document."""

    ERROR_SCHEMA = ProblemSchema
    DEFAULT_RESPONSE_CONTENT_TYPE = PROBLEM  # for errors; `Blueprint.response` sets the others

    def init_app(self, app: Flask, **kwargs: Any) -> None:
        super().init_app(app, **kwargs)
        app.before_request(restore_etags)
        app.before_request(check_body)

    def handle_http_exception(self, error: HTTPException) -> Response:
        return problem_response(error)


def restore_etags() -> None:
    """Remove from the ETags of a request what a compressing proxy added to them."""
    for name in ("HTTP_IF_MATCH", "HTTP_IF_NONE_MATCH"):
        if tags := request.environ.get(name):
            request.environ[name] = COMPRESSED_TAG.sub(r'\1"', tags)


def check_body() -> None:
    """Answer 415 to a compressed body. Limit JSON. A blueprint can raise the limit in `before_request`."""
    if request.environ.get("HTTP_CONTENT_ENCODING", "identity").lower() != "identity":
        abort(415, "The body is compressed. Send it without Content-Encoding.")
    if request.mimetype == JSON:  # small JSON fields take more memory than a file
        limit = current_app.config["MAX_JSON_LENGTH"]
        request.max_content_length = min(limit, request.max_content_length or limit)
