"""Errors: each answer is application/problem+json (RFC 9457), and says nothing internal."""

import time
from math import ceil
from typing import Any

import click
import marshmallow as ma
from flask import Flask, Response, current_app, g, request
from flask_limiter import RequestLimit
from sqlalchemy.exc import InterfaceError, InternalError, OperationalError, SQLAlchemyError, TimeoutError
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.datastructures import Headers
from werkzeug.exceptions import (
    BadRequest,
    Conflict,
    HTTPException,
    InternalServerError,
    RequestEntityTooLarge,
    ServiceUnavailable,
    TooManyRequests,
)

PROBLEM = "application/problem+json"
# the database is away, full, overloaded, broken or read-only: the request is not at fault
DATABASE_FAILURES = (OperationalError, InterfaceError, InternalError, TimeoutError)


class SettingsError(click.ClickException):
    """The settings cannot be used; `flask` prints the message, and no traceback."""


class ProblemSchema(ma.Schema):
    type = ma.fields.String(required=True, metadata={"format": "uri-reference"})
    title = ma.fields.String(required=True)
    status = ma.fields.Integer(required=True)
    detail = ma.fields.String(required=True)
    instance = ma.fields.String(required=True)
    errors = ma.fields.Dict(
        keys=ma.fields.String(),
        metadata={"description": "by place (json, query, form) and field: a list of sentences"},
    )


def init_app(app: Flask) -> None:
    """Answer exceptions that are not HTTP errors; those go through `api.Api` to `problem_response`."""
    app.register_error_handler(RequestEntityTooLarge, handle_large_body)
    app.register_error_handler(StaleDataError, handle_lost_update)
    app.register_error_handler(OverflowError, handle_overflow)
    for failure in DATABASE_FAILURES:
        app.register_error_handler(failure, handle_database_failure)


def problem_response(error: HTTPException) -> Response:
    """Return the response to an HTTP error, with the headers that belong to its status.

    Source: RFC 9457, section 3; Allow, Retry-After and WWW-Authenticate: RFC 9110.
    """
    if isinstance(error.response, Response):
        return error.response
    extra: dict[str, Any] = getattr(error, "data", None) or {}
    status = error.code or 500
    headers = Headers(error.get_headers())
    headers.extend(extra.get("headers") or {})
    headers.pop("Content-Type")
    if status < 400:
        return current_app.response_class(status=status, headers=headers)
    problem: dict[str, Any] = {
        "type": "about:blank",
        "title": error.name,
        "status": status,
        "detail": extra.get("message") or error.description,
        "instance": request.path,
    }
    if isinstance(error, InternalServerError):
        request_id = g.get("request_id")
        problem["detail"] = f"The server failed. Its log says why, under the request id {request_id}."
    if errors := extra.get("errors") or extra.get("messages"):
        problem["detail"] = "The request has errors. See errors."
        problem["errors"] = errors
    return current_app.response_class(
        current_app.json.dumps(problem), status=status, headers=headers, mimetype=PROBLEM
    )


def rate_limit_response(limit: RequestLimit) -> Response:
    """Return the 429 of a limit. The text has the time to wait too, because a page may not see headers."""
    wait = max(1, ceil(limit.reset_at - time.time()))
    detail = f"There were more than {limit.limit} requests. Wait {wait} seconds and try again."
    return problem_response(TooManyRequests(detail, retry_after=wait))


def handle_large_body(error: RequestEntityTooLarge) -> Response:
    limit = request.max_content_length
    names = [n for n in ("MAX_JSON_LENGTH", "MAX_CONTENT_LENGTH") if current_app.config[n] == limit]
    if (request.content_length or 0) <= (limit or 0):
        error.description = "The form has too many parts, or a long text. Send less, or send it as a file."
    else:
        error.description = f"The body is longer than {limit} bytes ({', '.join(names)}). Send a shorter one."
    return problem_response(error)


def handle_lost_update(_error: StaleDataError) -> Response:
    return problem_response(Conflict("It was changed by another request. Reload it and try again."))


def handle_overflow(error: OverflowError) -> Response:
    """Answer a number that no column holds, or a date that no calendar has (cpython #153407)."""
    current_app.logger.warning("overflow in a request: %s", error, exc_info=current_app.debug)
    return problem_response(BadRequest("A number or a date of the request is too large. Send a smaller one."))


def handle_database_failure(_error: SQLAlchemyError) -> Response:
    current_app.logger.exception("the database failed, request id %s", g.get("request_id"))
    return problem_response(ServiceUnavailable("The database does not answer. Try again later."))
