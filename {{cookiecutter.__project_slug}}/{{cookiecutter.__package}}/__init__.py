"""A JSON API in which each blueprint declares its own CORS policy."""

from collections.abc import Mapping

from crossorigin import init_cors
from flask import Flask

from . import commands, config, cors_headers, csrf, errors, headers, logs, sessions
from .auth import auth
from .demo import demo_cors, demo_no_cors
from .docs import docs
from .extensions import api, db, limiter
from .frontend import frontend
from .health import health
from .hints import build_hints
from .notes import notes
from .public import public


def create_app(settings: Mapping[str, str] | None = None) -> Flask:
    """Create the application.

    Args:
        settings: names and values as in the environment; None reads the environment and `.env`.

    Raises:
        SettingsError, PolicyError: the settings or the CORS policies are unsafe or inconsistent.
            The message has a sentence and a fix for each problem.
    """
    app = Flask(__name__, static_folder=None)
    app.config.update(config.load(settings, debug=app.debug))
    app.url_map.strict_slashes = False  # a redirect to add a slash would fail a preflight

    # around every request
    cors_headers.init_app(app)  # first registered, so that it has the last word on a response
    logs.init_app(app)
    headers.init_app(app)
    errors.init_app(app)

    # extensions
    db.init_app(app)
    limiter.init_app(app)
    api.init_app(app)
    sessions.init_app(app)
    csrf.init_app(app)
    commands.init_app(app)

    # blueprints
    api.register_blueprint(public)
    api.register_blueprint(auth)
    api.register_blueprint(notes)
    api.register_blueprint(demo_cors)
    api.register_blueprint(demo_no_cors)
    app.register_blueprint(health)
    if app.config["DOCS"]:
        app.register_blueprint(docs)
    if app.config["APP_ENV"] == "development":
        from crossorigin.doctor.endpoint import explain_endpoint  # here: production need not load it

        app.register_blueprint(explain_endpoint)  # not with `api`: it is not part of the documentation
    if app.config["FRONTEND_ORIGINS"] == "none":  # the front end and the API are one origin
        app.register_blueprint(frontend)

    init_cors(app, hints=build_hints(app))  # last: it reads the methods of each policy from the routes
    return app
