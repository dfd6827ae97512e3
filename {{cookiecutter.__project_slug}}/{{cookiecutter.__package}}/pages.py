"""Blueprint `pages`: the built front end, served by the API itself, so that both are one origin.

Registered where FRONTEND_ORIGINS is none. In development Vite serves the page instead, and passes on to
the API what begins with /api or /health.
"""

from http import HTTPStatus
from pathlib import Path

from flask import Blueprint, Response, abort, current_app, send_from_directory
from flask.blueprints import BlueprintSetupState
from werkzeug.routing import PathConverter

# files and requests of its own origin only, icons written as data: URLs, and no script inside of the page
CONTENT = "default-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'"


class PagePath(PathConverter):
    """Any path that is not the API's: what is missing there stays a problem in JSON."""

    regex = "(?!(?:api|health)(?:/|$))[^/].*?"


def use_page_paths(state: BlueprintSetupState) -> None:
    state.app.url_map.converters["page"] = PagePath


pages = Blueprint("pages", __name__)
pages.record(use_page_paths)


@pages.get("/assets/<path:name>")
def hashed(name: str) -> Response:
    """Send a file whose name changes with its content, so that a browser never has to ask for it again"""
    response = _send(name, "assets", max_age=31536000)
    response.cache_control.immutable = True  # RFC 8246
    return response


@pages.get("/")
@pages.get("/<page:path>")
def page(path: str = "") -> Response:
    """Send a file of the build; for any other path the page itself, whose script may know what is there"""
    response = _send(path if "." in path.rpartition("/")[2] else "index.html")
    if response.mimetype == "text/html":
        response.headers["Content-Security-Policy"] = CONTENT
    return response


def _send(name: str, folder: str = "", max_age: int | None = None) -> Response:
    build = Path(current_app.config["FRONTEND_DIST"])
    if not (build / "index.html").is_file():
        abort(HTTPStatus.NOT_FOUND, "No front end is built yet: run `npm run build` in frontend/.")
    return send_from_directory(build / folder, name, max_age=max_age)
