"""What flask-smorest needs to answer problem+json, to limit JSON, and to know its ETags behind a proxy."""

import json
import re
from http import HTTPStatus
from typing import Any, NoReturn

import flask_smorest
import marshmallow as ma
from flask import Flask, Request, Response, abort, current_app, request
from flask_smorest.exceptions import NotModified
from marshmallow.validate import Regexp
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import HTTPException
from werkzeug.http import quote_etag

from .errors import PROBLEM, ProblemSchema, problem_response

JSON = "application/json"
MAX_ERRORS = 10  # that one answer tells, at each level
# for every text that goes to the database, because PostgreSQL cannot store NUL
NO_NUL = Regexp(r"^[^\x00]*$", error="NUL characters cannot be stored.")
# what a proxy makes of "tag" when it compresses: W/"tag" (nginx), "tag-zstd" (Caddy), "tag-br" (Apache)
COMPRESSED_TAG = re.compile(r'(?:W/)?("[^"]*?)(?:--?(?:gzip|br|zstd))?"')


class Parser(FlaskParser):
    """Reads arguments. A body must be declared as JSON, which makes browsers send a preflight."""

    def load_json(self, req: Request, schema: ma.Schema) -> Any:
        if req.mimetype != JSON:
            abort(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"The body is not JSON. Send Content-Type: {JSON}.")
        try:
            body = req.get_data().decode()
            data = json.loads(body, parse_constant=_refuse_constant)
            if "\\u" in body:
                json.dumps(data, ensure_ascii=False).encode()  # fails for half of a surrogate pair
        except (ValueError, RecursionError) as error:
            abort(HTTPStatus.BAD_REQUEST, f"The body is not JSON: {error}. Correct it and send it again.")
        return data

    def handle_error(self, error: ma.ValidationError, *args: Any, **kwargs: Any) -> NoReturn:
        error.messages = _get_first(error.messages)
        super().handle_error(error, *args, **kwargs)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number in JSON")


def _get_first(messages: Any) -> Any:
    """Return the first errors: to tell thousands would cost more than the request."""
    if isinstance(messages, dict):
        return {name: _get_first(messages[name]) for name in list(messages)[:MAX_ERRORS]}
    return messages[:MAX_ERRORS] if isinstance(messages, list) else messages


class Blueprint(flask_smorest.Blueprint):
    """flask-smorest's blueprint with the parser above, and with If-None-Match as RFC 9110 defines it."""

    ARGUMENTS_PARSER = Parser()

    def response(self, *args: Any, content_type: str = JSON, **kwargs: Any) -> Any:
        return super().response(*args, content_type=content_type, **kwargs)

    def check_etag(self, etag_data: Any, etag_schema: Any = None) -> None:
        """Answer 412 unless If-Match names this version, or where If-None-Match does (section 13.1.2)."""
        super().check_etag(etag_data, etag_schema)
        # flask-smorest has no public name for it (#319)
        if self._generate_etag(etag_data) in request.if_none_match:
            abort(HTTPStatus.PRECONDITION_FAILED)

    def set_etag(self, etag_data: Any, etag_schema: Any = None) -> None:
        """Set the ETag, on a 304 too (section 15.4.5; flask-smorest #319)."""
        try:
            super().set_etag(etag_data, etag_schema)
        except NotModified as unchanged:
            unchanged.data = {"headers": {"ETag": quote_etag(self._generate_etag(etag_data))}}
            raise


class Api(flask_smorest.Api):
    """flask-smorest's Api with problems as its errors, also in the OpenAPI document."""

    ERROR_SCHEMA = ProblemSchema
    DEFAULT_RESPONSE_CONTENT_TYPE = PROBLEM  # of errors; `Blueprint.response` names that of the others

    def init_app(self, app: Flask, **kwargs: Any) -> None:
        super().init_app(app, **kwargs)
        app.before_request(_restore_etags)
        app.before_request(_check_body)

    def handle_http_exception(self, error: HTTPException) -> Response:
        return problem_response(error)


def _restore_etags() -> None:
    """Read each ETag as the API gave it: it is of the row, so compression of a response does not count."""
    for name in ("HTTP_IF_MATCH", "HTTP_IF_NONE_MATCH"):
        if tags := request.environ.get(name):
            request.environ[name] = COMPRESSED_TAG.sub(r'\1"', tags)
            if tags == "*" and request.method not in ("GET", "HEAD"):
                request.environ.setdefault("HTTP_IF_MATCH", "*")  # a condition too, so not 428 but 412


def _check_body() -> None:
    """Answer 415 to a compressed body. Limit JSON, which a `before_request` of a blueprint may change."""
    if request.environ.get("HTTP_CONTENT_ENCODING", "identity").lower() != "identity":
        abort(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "The body is compressed. Send it without Content-Encoding.")
    if request.mimetype == JSON:
        limit = current_app.config["MAX_JSON_LENGTH"]
        request.max_content_length = min(limit, request.max_content_length or limit)
