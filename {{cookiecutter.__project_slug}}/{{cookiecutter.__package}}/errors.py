"""Every error answer is application/problem+json (RFC 9457), and nothing internal is in it."""

import os
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

import click
import marshmallow as ma
from flask import Flask, Response, current_app, g, request
from sqlalchemy.exc import InterfaceError, InternalError, OperationalError, SQLAlchemyError, TimeoutError
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.datastructures import Headers
from werkzeug.exceptions import Conflict, HTTPException, InternalServerError, ServiceUnavailable

PROBLEM = "application/problem+json"
# away, full, overloaded; broken; read-only; no connection free: nothing that the request could do better
DATABASE_FAILURES = (OperationalError, InterfaceError, InternalError, TimeoutError)


class StartupError(click.ClickException):
    """The application does not start; `flask` prints the message, and no traceback."""


def told_while_reloading(create_app: Callable[..., Flask]) -> Callable[..., Flask]:
    """Keep the development server up when a saved change is refused: it says why until the next change."""

    @wraps(create_app)
    def create(settings: Mapping[str, str] | None = None) -> Flask:
        try:
            return create_app(settings)
        except click.ClickException as error:
            if os.environ.get("WERKZEUG_RUN_MAIN") != "true":  # the first start, or no reloader: stop
                raise
            error.show()
            app = Flask(__name__, static_folder=None)
            reason = f"The API waits for its files to be mended: {error.format_message()}"
            app.before_request(lambda: problem_of(ServiceUnavailable(reason)))
            return app

    return create


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
    """Answer what is no HTTP error; those go through `extensions.Api` to `problem_of`."""
    app.register_error_handler(StaleDataError, _overtaken)
    for failure in DATABASE_FAILURES:
        app.register_error_handler(failure, _database_fails)


def problem_of(error: HTTPException) -> Response:
    """Return the problem that tells an HTTP error, with the headers that belong to its status.

    Source: RFC 9457, section 3; Allow, Retry-After and WWW-Authenticate: RFC 9110.
    """
    if isinstance(error.response, Response):
        return error.response
    extra: dict[str, Any] = getattr(error, "data", None) or {}
    status = error.code or 500
    headers = Headers(error.get_headers())
    headers.extend(extra.get("headers", {}))
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
        problem["detail"] = f"The server failed; its log says why, under the request id {request_id}."
    if errors := extra.get("errors") or extra.get("messages"):
        problem["detail"] = "The request has errors; see errors."
        problem["errors"] = errors
    return current_app.response_class(
        current_app.json.dumps(problem), status=status, headers=headers, mimetype=PROBLEM
    )


def _database_fails(error: SQLAlchemyError) -> Response:
    current_app.logger.exception("the database fails, request id %s", g.get("request_id"))
    return problem_of(ServiceUnavailable("The database does not answer; try again later."))


def _overtaken(error: StaleDataError) -> Response:
    return problem_of(Conflict("Somebody else changed it at the same moment; read it again, then repeat."))
