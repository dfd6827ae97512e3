"""Errors: each answer is application/problem+json (RFC 9457), and says nothing internal."""

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
# away, full, overloaded, broken or read-only: the request is not at fault
NO_DATABASE = exceptions.ServiceUnavailable("The database does not answer. Try again later.")
# what exceptions are answered with that are not HTTP errors, or say too little
ANSWERS: dict[type[Exception], exceptions.HTTPException] = {
    **dict.fromkeys((OperationalError, InterfaceError, InternalError, TimeoutError), NO_DATABASE),
    PreconditionRequired: exceptions.PreconditionRequired("Send If-Match with the ETag that you have read."),
    StaleDataError: exceptions.Conflict("It was changed by another request. Reload it and try again."),
    # a number that no column holds, or a date that no calendar has (cpython #153407)
    OverflowError: exceptions.BadRequest("A number or a date is too large. Send a smaller one."),
}


class SettingsError(click.ClickException):
    """The settings cannot be used; `flask` prints the message, and no traceback."""


class ProblemSchema(ma.Schema):
    type = ma.fields.String(required=True, metadata={"format": "uri-reference"})
    title = ma.fields.String(required=True)
    status = ma.fields.Integer(required=True)
    detail = ma.fields.String(required=True)
    instance = ma.fields.String(required=True)
    errors = ma.fields.Dict(keys=ma.fields.String(), metadata={"description": "by place and field"})


def init_app(app: Flask) -> None:
    """Answer exceptions that are not HTTP errors; those go through `api.Api` to `problem_response`."""
    for kind, answer in ANSWERS.items():
        app.register_error_handler(kind, partial(handle_exception, answer))
    app.register_error_handler(exceptions.RequestEntityTooLarge, handle_large_body)


def problem_response(error: exceptions.HTTPException) -> Response:
    """Return the response to an HTTP error, with the headers that belong to its status (RFC 9110)."""
    if isinstance(error.response, Response):
        return error.response
    extra: dict[str, Any] = getattr(error, "data", None) or {}
    problem = {"type": "about:blank", "title": error.name, "status": error.code, "instance": request.path}
    problem["detail"] = extra.get("message") or error.description
    if error.code == 500:
        problem["detail"] = f"The server failed. Its log says why, under the id {g.get('request_id')}."
    if errors := extra.get("errors") or extra.get("messages"):
        problem |= {"detail": "The request has errors. See errors.", "errors": errors}
    headers = Headers(error.get_headers())
    headers.extend(extra.get("headers") or {})
    if error.code == 401:  # must name a scheme (section 11.6.1); one for cookies has no name
        headers.setdefault("WWW-Authenticate", "cookie")
    if error.code == 304 and len(request.if_none_match.as_set()) == 1:  # flask-smorest leaves it out (#319)
        headers["ETag"] = request.if_none_match.to_header()
    headers["Content-Type"] = PROBLEM
    return current_app.response_class(current_app.json.dumps(problem), error.code, headers)


def rate_limit_response(limit: RequestLimit) -> Response:
    """Return the 429 of a limit. The text has the time to wait too, because a page may not see headers."""
    wait = max(1, ceil(limit.reset_at - time.time()))
    detail = f"There were more than {limit.limit} requests. Wait {wait} seconds and try again."
    return problem_response(exceptions.TooManyRequests(detail, retry_after=wait))


def handle_large_body(_error: exceptions.RequestEntityTooLarge) -> Response:
    limit = request.max_content_length
    names = [name for name in ("MAX_JSON_LENGTH", "MAX_CONTENT_LENGTH") if current_app.config[name] == limit]
    name = (*names, "the limit of this view")[0]
    detail = f"The body is longer than {limit} bytes, or has too many parts. Send less, or raise {name}."
    return problem_response(exceptions.RequestEntityTooLarge(detail))


def handle_exception(answer: exceptions.HTTPException, error: Exception) -> Response:
    log = current_app.logger.exception if answer is NO_DATABASE else current_app.logger.info
    log("%s: %s, id %s", answer.name, error, g.get("request_id"))
    return problem_response(answer)
