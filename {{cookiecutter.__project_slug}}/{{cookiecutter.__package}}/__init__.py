"""A JSON API in which each blueprint declares its own CORS policy."""

import inspect
from collections.abc import Mapping

from crossorigin import Hints, get_policies, init_cors
from flask import Flask

from . import commands, config, cors_headers, csrf, environment, errors, headers, logs, sessions
from .auth import auth
from .demo import demo_cors, demo_no_cors
from .docs import docs
from .extensions import api, db, limiter
from .frontend import frontend
from .health import health
from .notes import notes
from .public import public


def create_app(settings: Mapping[str, str] | None = None) -> Flask:
    """Create the application. Without settings, read them from the environment and `.env`."""
    app = Flask(__name__, static_folder=None, instance_path=str(environment.ROOT / "instance"))
    app.config.update(config.load(settings, debug=app.debug))
    app.url_map.strict_slashes = app.url_map.merge_slashes = False  # a preflight fails at each redirect
    app.json.sort_keys = False  # type: ignore[attr-defined]  # keeps the order of the schema

    # functions that run at every request
    cors_headers.init_app(app)  # first: Flask runs `after_request` in reverse order
    logs.init_app(app)
    headers.init_app(app)
    errors.init_app(app)
    app.before_request(csrf.check_cookie)

    # extensions
    db.init_app(app)
    limiter.init_app(app)
    api.init_app(app)
    app.session_interface = sessions.CookieInterface()

    # blueprints
    api.register_blueprint(public)
    api.register_blueprint(auth)
    api.register_blueprint(notes)
    api.register_blueprint(demo_cors)
    api.register_blueprint(demo_no_cors)
    app.register_blueprint(commands.commands)
    app.register_blueprint(health)
    if app.config["DOCS"]:
        app.register_blueprint(docs)
    if not app.config["PRODUCTION"]:
        from crossorigin.doctor.endpoint import explain_endpoint  # production does not need it

        app.register_blueprint(explain_endpoint)  # not through `api`: not in the documentation
    if app.config["FRONTEND_ORIGINS"] == "none":  # the front end and the API are one origin
        app.register_blueprint(frontend)

    init_cors(app, hints=build_hints(app))  # last: it reads the methods of each policy from the routes
    return app


def create_production_app() -> Flask:
    """Create the application for production. Check APP_ENV and all policies."""
    app = create_app()
    if not app.config["PRODUCTION"]:
        raise errors.SettingsError(
            "APP_ENV is 'development', which is not safe on a server. For development, run `uv run dev.py`."
            " For production, set APP_ENV=production and FRONTEND_ORIGINS=https://app.example.com (or none)."
        )
    get_policies(app).check()
    with app.app_context():
        app.logger.info("Settings: environment, %s. Database: %s", environment.ROOT / ".env", db.address)
    return app


def build_hints(app: Flask) -> Hints:
    """Return facts about this application, which `crossorigin` uses in messages and checks."""

    def is_guarded(endpoint: str) -> bool:
        guards = app.before_request_funcs.get(endpoint.rpartition(".")[0], [])
        code = getattr(inspect.unwrap(app.view_functions[endpoint]), "__code__", None)
        names = {guard.__name__ for guard in guards} | set(getattr(code, "co_names", ()))
        return not names.isdisjoint({"require_sign_in", "require_role", "check_role"})

    return Hints(
        settings_file=".env",
        settings_code=f"SettingsSchema of {config.PACKAGE}/config.py",
        start_command="uv run dev.py",
        frontend_url=app.config["FRONTEND_URL"],
        api_url=app.config["API_URL"] or None,
        port=app.config["PORT"],
        hosts=app.config["HOST_NAMES"],
        production=app.config["PRODUCTION"],
        one_origin=app.config["FRONTEND_ORIGINS"] == "none",
        api_url_setting="API_URL",
        cross_site_setting="CROSS_SITE_COOKIES=1" if app.config["PRODUCTION"] else None,
        frontend_api_url_setting="VITE_API_URL",
        mark_preflight=lambda environ: [("X-Request-ID", logs.choose_request_id(environ))],
        is_guarded=is_guarded,
        sign_in=commands.build_cookie,
        find_setting=environment.find_setting,
    )
