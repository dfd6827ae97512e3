"""Blueprint `frontend`: the built front end, if FRONTEND_ORIGINS=none. Vite serves it in development."""

from pathlib import Path

from flask import Blueprint, Response, abort, current_app, send_from_directory
from werkzeug.routing import PathConverter

# only files and requests of the same origin, icons from data: and previews from blob: URLs, no inline scripts
CSP = "default-src 'self'; img-src 'self' data: blob:; base-uri 'none'; frame-ancestors 'none'"


class FrontendPath(PathConverter):
    """Match paths outside the API. A missing path of the API stays a 404 in JSON."""

    regex = "(?!(?:api|health)(?:/|$))[^/].*?"


frontend = Blueprint("frontend", __name__)
frontend.record(lambda state: state.app.url_map.converters.update(frontend=FrontendPath))


@frontend.get("/assets/<path:name>")
def get_asset(name: str) -> Response:
    """Send a file with a content hash in its name. Browsers cache it for a year."""
    response = send_build_file(name, "assets", max_age=31536000)
    response.cache_control.immutable = True  # RFC 8246
    return response


@frontend.get("/")
@frontend.get("/<frontend:path>")
def get_file(path: str = "") -> Response:
    """Send a file of the build, or index.html for a path that the front end may know."""
    response = send_build_file(path if "." in path.rpartition("/")[2] else "index.html")
    if response.mimetype == "text/html":
        response.headers["Content-Security-Policy"] = CSP
    return response


def send_build_file(name: str, folder: str = "", max_age: int | None = None) -> Response:
    build = Path(current_app.config["FRONTEND_DIST"])
    if not (build / "index.html").is_file():
        abort(404, "The front end is not built. Run `npm run build` in frontend/.")
    return send_from_directory(build / folder, name, max_age=max_age)
