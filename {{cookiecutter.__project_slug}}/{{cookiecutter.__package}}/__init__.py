"""A JSON API in which every blueprint says who may call it from another origin."""

from collections.abc import Mapping

from flask import Flask

from . import commands, config, errors, logs, security, sessions
from .auth import auth
from .closed import closed
from .cors import init_cors
from .docs import docs
from .extensions import OrjsonProvider, api, db, limiter
from .health import health
from .notes import notes
from .pages import pages
from .public import public


@errors.told_while_reloading
def create_app(settings: Mapping[str, str] | None = None) -> Flask:
    """Create the application.

    Args:
        settings: names and values as in the environment; None reads the environment and `.env`.

    Raises:
        SettingsError, PolicyError: the settings or the CORS policies are unsafe or do not fit
            together; the message has a sentence and a cure for each problem.
    """
    app = Flask(__name__, static_folder=None)
    app.config.update(config.load(settings, debug=app.debug))
    app.json = OrjsonProvider(app)
    app.url_map.strict_slashes = False  # a redirect to add a slash would fail a preflight

    # around every request
    logs.init_app(app)
    security.init_app(app)
    errors.init_app(app)

    # extensions
    db.init_app(app)
    limiter.init_app(app)
    api.init_app(app)
    sessions.init_app(app)
    commands.init_app(app)

    # blueprints
    api.register_blueprint(public)
    api.register_blueprint(closed)
    api.register_blueprint(auth)
    api.register_blueprint(notes)
    app.register_blueprint(health)
    if app.config["DOCS"]:
        app.register_blueprint(docs)
    if app.config["APP_ENV"] == "development":
        from .development import development  # here, so that production need not load it

        app.register_blueprint(development)  # not with `api`: it is no part of the documentation
    if app.config["FRONTEND_ORIGINS"] == "none":  # page and API are one origin
        app.register_blueprint(pages)

    init_cors(app)  # last: it reads the methods of each policy from the routes
    return app
