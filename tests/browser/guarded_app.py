"""The generated project with a guarded blueprint without credentials. The Python of the project runs it.

`flask --app "guarded_app.py:create_app('my_lab_api')" run`
"""

import importlib
from typing import Any

from crossorigin import cors
from flask import Blueprint, g, request

changes: list[str] = []
guarded = Blueprint("guarded", __name__, url_prefix="/api/guarded")
cors(guarded, origins=["https://app.example.com"])


def change() -> list[str]:
    """Record the user of a change and return all recorded users."""
    if request.method == "POST":
        changes.append(g.user.username)
    return changes


guarded.add_url_rule("", view_func=change, methods=["GET", "POST"])


def create_app(package: str) -> Any:
    """Create the application of a package, with the blueprint."""
    project: Any = importlib.import_module(package)
    guarded.before_request(importlib.import_module(f"{package}.sessions").require_sign_in)
    init_cors = project.init_cors

    def register_and_init(app: Any, **options: Any) -> None:
        app.register_blueprint(guarded)
        init_cors(app, **options)

    project.init_cors = register_and_init
    return project.create_app()
