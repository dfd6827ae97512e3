"""Blueprint `frontend`: the built front end, if FRONTEND_ORIGINS is none. In development Vite serves it."""

from pathlib import Path

from flask import Blueprint, Response, abort, current_app, send_from_directory
from werkzeug.routing import PathConverter

# files and requests of its own origin only, icons of data: and previews of blob: URLs, no script in the HTML
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; base-uri 'none'; frame-ancestors 'none'"
)


class FrontendPath(PathConverter):
    """Any path that is not the API's. What is missing in the API stays a 404 in JSON."""

    regex = "(?!(?:api|health)(?:/|$))[^/].*?"


frontend = Blueprint("frontend", __name__)
frontend.record(lambda state: state.app.url_map.converters.update(frontend=FrontendPath))


@frontend.get("/assets/<path:name>")
def asset(name: str) -> Response:
    """Send a file whose name changes with its content, so that a browser never has to ask for it again"""
    response = send(name, "assets", max_age=31536000)
    response.cache_control.immutable = True  # RFC 8246
    return response


@frontend.get("/")
@frontend.get("/<frontend:path>")
def file(path: str = "") -> Response:
    """Send a file of the build, or index.html for any other path, whose script may know the path"""
    response = send(path if "." in path.rpartition("/")[2] else "index.html")
    if response.mimetype == "text/html":
        response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    return response


def send(name: str, folder: str = "", max_age: int | None = None) -> Response:
    build = Path(current_app.config["FRONTEND_DIST"])
    if not (build / "index.html").is_file():
        abort(404, "The front end is not built. Run `npm run build` in frontend/.")
    return send_from_directory(build / folder, name, max_age=max_age)
