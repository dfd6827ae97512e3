"""A small API with the crossorigin of the generated project. Run it with `python max_age_lab.py PORT`.

It counts the preflights that arrive, because no browser and no tool shows all of them.
"""

import sys
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, request
from werkzeug.serving import run_simple

MAX_AGES = {"none": None, "zero": 0, "short": 2, "long": 600}


def create_app() -> Flask:
    """Create an application with a blueprint for each max-age and a route that returns the count."""
    from crossorigin import cors, init_cors  # from the folder of the project, which is in sys.path now

    app = Flask(__name__)
    for name, max_age in MAX_AGES.items():
        blueprint = Blueprint(name, __name__, url_prefix=f"/{name}")
        cors(blueprint, origins=["http://localhost:*"], request_headers=["X-One", "X-Two"], max_age=max_age)
        for method in ("PUT", "DELETE"):
            blueprint.add_url_rule("/<item>", method, lambda item: item, methods=[method])
        app.register_blueprint(blueprint)
    counts: Counter[str] = Counter()
    app.add_url_rule("/asked", "asked", lambda: {"times": counts[request.args["url"]]})
    init_cors(app)
    app.wsgi_app = count_preflights(app.wsgi_app, counts)
    return app


def count_preflights(inner: Callable[..., Iterable[bytes]], counts: Counter[str]) -> Callable[..., Iterable[bytes]]:
    """Return a WSGI middleware that counts preflights by path and query."""

    def middleware(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in environ:
            counts[environ["REQUEST_URI"]] += 1
        return inner(environ, start_response)

    return middleware


if __name__ == "__main__":
    sys.path.insert(0, str(Path.cwd()))  # the project's folder
    run_simple("127.0.0.1", int(sys.argv[1]), create_app(), threaded=True)
