"""Errors: each response is application/problem+json (RFC 9457), without internal details."""

import time
from functools import partial
from math import ceil
from typing import Any

import click
import marshmallow as ma
from flask import Flask, Response, current_app, g, request
from flask_limiter import RequestLimit
from flask_smorest.exceptions import PreconditionRequired
from sqlalchemy.exc import InterfaceError, InternalError, OperationalError, TimeoutError
from sqlalchemy.orm.exc import StaleDataError
from werkzeug import exceptions
from werkzeug.datastructures import Headers

PROBLEM = "application/problem+json"
# unreachable, full, overloaded, broken or read-only: not an error of the request
NO_DATABASE = exceptions.ServiceUnavailable("The database failed, or a table is missing. See the server log.")
# for exceptions that are not HTTP errors, or that have a short text
HTTP_ERRORS: dict[type[Exception], exceptions.HTTPException] = {
    **dict.fromkeys((OperationalError, InterfaceError, InternalError, TimeoutError), NO_DATABASE),
    PreconditionRequired: exceptions.PreconditionRequired("If-Match is missing. Set it to the last ETag."),
    StaleDataError: exceptions.Conflict("It was changed by another request. Reload it and try again."),
    # a number that is too large for its column, or a date out of range (cpython #153407)
    OverflowError: exceptions.BadRequest("A number or a date is too large. Send a smaller one."),
}


class SettingsError(click.ClickException):
    """Report unusable settings. `flask` prints the message without a traceback."""


class ProblemSchema(ma.Schema):
    type = ma.fields.String(required=True, metadata={"format": "uri-reference"})
    title = ma.fields.String(required=True)
    status = ma.fields.Integer(required=True)
    detail = ma.fields.String(required=True)
    instance = ma.fields.String(required=True)
    errors = ma.fields.Dict(keys=ma.fields.String(), metadata={"description": "by location and field"})


def init_app(app: Flask) -> None:
    """Register handlers of exceptions that are not HTTP errors. `api.Api` handles HTTP errors."""
    for exception, http_error in HTTP_ERRORS.items():
        app.register_error_handler(exception, partial(handle_exception, http_error))
    app.register_error_handler(exceptions.RequestEntityTooLarge, handle_large_body)


def problem_response(error: exceptions.HTTPException) -> Response:
    """Return the response to an HTTP error, with the headers that its status requires (RFC 9110)."""
    if isinstance(error.response, Response):
        return error.response
    extra: dict[str, Any] = getattr(error, "data", None) or {}
    problem = {"type": "about:blank", "title": error.name, "status": error.code, "instance": request.path}
    problem["detail"] = extra.get("message") or error.description
    if error.code == 500:
        problem["detail"] = f"The server failed. Search its log for the id {g.get('request_id')}."
    if errors := extra.get("errors") or extra.get("messages"):
        problem |= {"detail": "Some values are invalid. Correct those in errors.", "errors": errors}
    headers = Headers(error.get_headers())
    headers.extend(extra.get("headers") or {})
    if error.code == 401:  # requires a scheme (section 11.6.1), but none is registered for cookies
        headers.setdefault("WWW-Authenticate", "cookie")
    if error.code == 304 and len(request.if_none_match.as_set()) == 1:  # flask-smorest leaves it out (#319)
        headers["ETag"] = request.if_none_match.to_header()
    headers["Content-Type"] = PROBLEM
    return current_app.response_class(current_app.json.dumps(problem), error.code, headers)


def rate_limit_response(limit: RequestLimit) -> Response:
    """Return a 429. The text repeats the time to wait, because a page may not read Retry-After."""
    wait = max(1, ceil(limit.reset_at - time.time()))
    detail = f"The rate limit is {limit.limit}. Wait {wait} seconds and try again."
    return problem_response(exceptions.TooManyRequests(detail, retry_after=wait))


def handle_large_body(_error: exceptions.RequestEntityTooLarge) -> Response:
    limit = request.max_content_length
    limits = {current_app.config[name]: name for name in ("MAX_CONTENT_LENGTH", "MAX_JSON_LENGTH")}
    name = limits.get(limit, "the limit of this view")
    detail = f"The body is longer than {limit} bytes, or has too many parts. Send less, or increase {name}."
    return problem_response(exceptions.RequestEntityTooLarge(detail))


def handle_exception(http_error: exceptions.HTTPException, error: Exception) -> Response:
    log = current_app.logger.exception if http_error is NO_DATABASE else current_app.logger.info
    log("%s: %s, id %s", http_error.name, error, g.get("request_id"))
    return problem_response(http_error)
