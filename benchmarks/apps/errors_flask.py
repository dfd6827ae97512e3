"""Some routes of the generated project in plain Flask with flask-cors and Flask-Limiter.

The code follows their documentation: a signed session cookie, `abort`, a handler that returns HTTP errors as JSON, a
maximum body size, and CORS with credentials for listed origins. `readable_errors` runs it in the environment of the
generated project: `flask --app "errors_flask.py:create_app('app', 'careful')" run`.
"""

import os
from typing import Any

from flask import Blueprint, Flask, abort, request, session
from flask_cors import CORS
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from werkzeug.exceptions import HTTPException

LIMIT = "20 per hour"


def create_app(cors: str, guards: str) -> Any:
    """Create the application.

    Args:
        cors: `app` is one `CORS` for all paths under /api/, `blueprint` is one for each blueprint.
        guards: `careful` has the login guard and the rate limit on the views that need them.
            `default limits` limits every route, as in the quick start of Flask-Limiter.
            `before_request` guards the whole blueprint with one function.
    """
    app = Flask(__name__)
    app.config["SECRET_KEY"] = "only for this comparison"
    app.config["MAX_CONTENT_LENGTH"] = 1024 * 1024
    app.register_error_handler(HTTPException, problem_response)
    everywhere = guards == "default limits"
    limiter = Limiter(
        get_remote_address, app=app, storage_uri="memory://", default_limits=[LIMIT] if everywhere else []
    )

    auth = Blueprint("auth", __name__, url_prefix="/api/auth")
    auth.add_url_rule("/login", view_func=login if everywhere else limiter.limit(LIMIT)(login), methods=["POST"])
    auth.add_url_rule("/fails", view_func=fails, methods=["POST"])

    notes = Blueprint("notes", __name__, url_prefix="/api/notes")
    notes.add_url_rule("", view_func=create_note, methods=["POST"])
    if guards == "before_request":
        notes.before_request(require_login)

    origins = os.environ["FRONTEND_ORIGINS"].split(",")
    if cors == "app":
        CORS(app, resources={r"/api/*": {"origins": origins}}, supports_credentials=True)
    else:
        CORS(auth, origins=origins, supports_credentials=True)
        CORS(notes, origins=origins, supports_credentials=True)
    app.register_blueprint(auth)
    app.register_blueprint(notes)
    return app


def problem_response(error: Any) -> Any:
    problem = {"type": "about:blank", "title": error.name, "status": error.code, "detail": error.description}
    return problem, error.code, {"Content-Type": "application/problem+json"}


def require_login() -> None:
    if "username" not in session:
        abort(401)


def login() -> None:
    sent = request.get_json()
    if not {"username", "password"} <= set(sent):
        abort(422, "Send username and password.")
    abort(401)


def fails() -> None:
    raise RuntimeError("a mistake in a view")


def create_note() -> Any:
    require_login()
    return request.get_json(), 201
