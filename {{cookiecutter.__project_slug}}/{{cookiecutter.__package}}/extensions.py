"""The extensions, made once and bound to each application by `create_app`."""

from crossorigin import is_dry_run
from flask import g
from flask.sansio.app import App
from flask_limiter import Limiter, RateLimitExceeded
from flask_limiter.util import get_remote_address
from flask_sqlalchemy_lite import SQLAlchemy
from sqlalchemy.exc import DBAPIError

from .api import Api
from .database import tune
from .errors import rate_limit_response


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
limiter = Limits(get_remote_address, in_memory_fallback_enabled=True, on_breach=rate_limit_response)
limiter.request_filter(is_dry_run)
api = Api()
