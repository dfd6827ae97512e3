"""What flask-smorest needs to answer problem+json, and to know its ETags behind a proxy."""

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
# for every text that goes to the database: PostgreSQL stores no NUL, and half a surrogate pair is not UTF-8
NO_NUL = ma.validate.Regexp(r"^[^\x00\ud800-\udfff]*$", error="NUL and half characters cannot be stored.")
# what a proxy makes of "tag" when it compresses: W/"tag" (nginx), "tag-zstd" (Caddy), "tag-br" (Apache)
COMPRESSED_TAG = re.compile(r'(?:W/)?("[^"]*?)(?:--?(?:gzip|br|zstd))?"')


class Parser(FlaskParser):
    """Reads arguments. A body must be declared as JSON, which makes browsers send a preflight."""

    def load_json(self, req: Request, schema: ma.Schema) -> Any:
        if req.mimetype != JSON:
            abort(415, f"The body is not JSON. Send Content-Type: {JSON}.")
        try:
            return json.loads(req.get_data(), parse_constant=int)  # int takes neither NaN nor Infinity
        except (ValueError, RecursionError) as error:
            abort(400, f"The body is not JSON: {error}. Correct it and send it again.")

    def handle_error(self, error: ma.ValidationError, *args: Any, **kwargs: Any) -> NoReturn:
        # ten for each place: to tell thousands would cost more than the request
        error.messages = {name: dict(list(found.items())[:10]) for name, found in error.messages_dict.items()}
        super().handle_error(error, *args, **kwargs)


class Blueprint(flask_smorest.Blueprint):
    """flask-smorest's blueprint with the parser above, and with If-None-Match for changes."""

    ARGUMENTS_PARSER = Parser()

    def response(self, *args: Any, content_type: str = JSON, **kwargs: Any) -> Any:
        return super().response(*args, content_type=content_type, **kwargs)

    def check_etag(self, etag_data: Any, etag_schema: Any = None) -> None:
        """Answer 412 unless If-Match names this version, or where If-None-Match does (RFC 9110, 13.1.2)."""
        super().check_etag(etag_data, etag_schema)
        unwanted = request.if_none_match
        if unwanted.star_tag or any(tag in unwanted for tag in request.if_match):
            abort(412)


class Api(flask_smorest.Api):
    """flask-smorest's Api with problems as its errors, also in the OpenAPI document."""

    ERROR_SCHEMA = ProblemSchema
    DEFAULT_RESPONSE_CONTENT_TYPE = PROBLEM  # of errors; `Blueprint.response` names that of the others

    def init_app(self, app: Flask, **kwargs: Any) -> None:
        super().init_app(app, **kwargs)
        app.before_request(restore_etags)
        app.before_request(check_body)

    def handle_http_exception(self, error: HTTPException) -> Response:
        return problem_response(error)


def restore_etags() -> None:
    """Read each ETag as the API gave it: it is of the row, so compression of a response does not count."""
    for name in ("HTTP_IF_MATCH", "HTTP_IF_NONE_MATCH"):
        if tags := request.environ.get(name):
            request.environ[name] = COMPRESSED_TAG.sub(r'\1"', tags)


def check_body() -> None:
    """Answer 415 to a compressed body. Limit JSON, which a `before_request` of a blueprint may raise."""
    if request.environ.get("HTTP_CONTENT_ENCODING", "identity").lower() != "identity":
        abort(415, "The body is compressed. Send it without Content-Encoding.")
    if request.mimetype == JSON:  # many small fields take much more memory than a file
        limit = current_app.config["MAX_JSON_LENGTH"]
        request.max_content_length = min(limit, request.max_content_length or limit)
