"""Flask applications with common CORS mistakes, each under its own path.

The Python of a generated project runs them with `flask --app broken_apps.py run`.
"""

from typing import Any

from flask import Blueprint, Flask, Response, abort, redirect, request
from flask_cors import CORS
from werkzeug.middleware.dispatcher import DispatcherMiddleware


def naive() -> Flask:
    """Allow every origin with credentials, with flask-cors."""
    app = add_views(Flask("naive"))
    CORS(app, supports_credentials=True)
    return app


def any_origin() -> Flask:
    """Allow every origin with flask-cors, and expose `*`."""
    app = add_views(Flask("any_origin"))
    CORS(app, send_wildcard=True, expose_headers="*")
    return app


def reflecting() -> Flask:
    """Reflect the origin by hand, but only on success and without Vary."""
    app = add_views(Flask("reflecting"))

    def reflect(response: Response) -> Response:
        if response.status_code < 400:
            response.headers["Access-Control-Allow-Origin"] = request.headers.get("Origin", "")
            response.headers["Access-Control-Allow-Credentials"] = "true"
            response.headers["Access-Control-Allow-Methods"] = "GET, POST, PUT, DELETE"
            response.headers["Access-Control-Allow-Headers"] = "content-type"
        return response

    app.after_request(reflect)
    return app


def asterisk() -> Flask:
    """Send wildcards together with credentials."""
    app = add_views(Flask("asterisk"))

    def add(response: Response) -> Response:
        for name in ("Origin", "Methods", "Headers"):
            response.headers[f"Access-Control-Allow-{name}"] = "*"
        response.headers["Access-Control-Allow-Credentials"] = "true"
        return response

    app.after_request(add)
    return app


def one_blueprint() -> Flask:
    """Use flask-cors on a blueprint. Its 404, its 405 and preflights of unknown paths get no headers."""
    app, blueprint = Flask("one_blueprint"), Blueprint("lab", __name__, url_prefix="/lab")
    CORS(blueprint)
    add_views(blueprint)
    app.register_blueprint(blueprint)
    return app


def guarded() -> Flask:
    """Require a login for all requests, including preflights. flask-cors adds its headers to the 401."""
    app = naive()
    app.before_request(lambda: None if request.authorization else abort(401))
    return app


def closed() -> Flask:
    """Require a login for all requests, and write no CORS header on the 401."""
    app = add_views(Flask("closed"))
    app.before_request(lambda: None if request.authorization else abort(401))
    CORS(app, resources={"/elsewhere": {}})
    return app


def to_https() -> Flask:
    """Redirect all requests to https, including preflights."""
    app = naive()
    app.before_request(lambda: redirect(request.url.replace("http:", "https:", 1), 308))
    return app


def add_views(target: Any) -> Any:
    """Add the same views to an application or a blueprint."""
    methods = ["GET", "POST", "PUT", "DELETE"]
    target.add_url_rule("/notes", "notes", lambda: ([], {"X-Total": "0", "ETag": "x"}), methods=methods)
    target.add_url_rule("/slash/", "slash", list, methods=methods)
    target.add_url_rule("/error", "error", lambda: abort(500))
    return target


def create_app() -> Flask:
    """Return an application that dispatches by the first segment of the path."""
    makers = [naive, any_origin, reflecting, asterisk, one_blueprint, guarded, closed, to_https]
    app = Flask("none")
    app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {f"/{make.__name__}": make() for make in makers})
    return app
