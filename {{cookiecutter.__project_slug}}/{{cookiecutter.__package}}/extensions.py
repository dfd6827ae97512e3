"""The extensions, made once and bound to each application by `create_app`."""

import time
from http import HTTPStatus
from math import ceil
from typing import Any

import flask_smorest
import marshmallow as ma
import orjson
from crossorigin import is_dry_run
from flask import Request, Response, abort, g, request
from flask.json.provider import DefaultJSONProvider, JSONProvider
from flask.sansio.app import App
from flask_limiter import Limiter, RateLimitExceeded
from flask_limiter.util import get_remote_address
from flask_smorest.exceptions import NotModified
from flask_sqlalchemy_lite import SQLAlchemy
from marshmallow.validate import Regexp
from sqlalchemy.exc import DBAPIError
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import HTTPException
from werkzeug.http import quote_etag

from .database import tune
from .errors import PROBLEM, ProblemSchema, problem_of


class Database(SQLAlchemy):
    """Flask-SQLAlchemy-Lite that closes its sessions by itself.

    Its own teardown lets a closing that fails cost the answer, and that of async sessions starts threads.
    """

    def init_app(self, app: App) -> None:
        super().init_app(app)
        others = [f for f in app.teardown_appcontext_funcs if f.__module__ != SQLAlchemy.__module__]
        app.teardown_appcontext_funcs[:] = [*others, _close_sessions]
        for engine in self._app_state[app].engines.values():
            tune(engine)


def _close_sessions(_error: BaseException | None) -> None:
    """Close what was used: a database that has gone away by now must not cost the answer that is ready."""
    for session in g.pop("_sqlalchemy_sessions", {}).values():
        try:
            session.close()
        except DBAPIError:
            session.invalidate()


class Limits(Limiter):
    """Flask-Limiter that counts in memory also for those who ask while another finds Redis away."""

    def _check_request_limit(self, callable_name: str | None = None, in_middleware: bool = True) -> None:
        limits = self.limit_manager
        of_many = limits.application_limits or limits.default_limits or limits._blueprint_limits
        if in_middleware and not of_many:
            return  # those of a view are checked as it is called; to look for others costs as much as CORS
        try:
            super()._check_request_limit(callable_name, in_middleware)
        except RateLimitExceeded:
            raise
        except Exception:
            if not self._storage_dead:
                raise
            super()._check_request_limit(callable_name, in_middleware)


# objects stay readable after a commit: no second query only to send back what was saved
db = Database(session_options={"expire_on_commit": False})
limiter = Limits(get_remote_address, in_memory_fallback_enabled=True)
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
