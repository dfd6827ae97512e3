"""What `crossorigin` needs to know about this application, for its messages and checks."""

import inspect

from crossorigin import Hints
from flask import Flask

from .logs import choose_request_id
from .sessions import require_sign_in


def build_hints(app: Flask) -> Hints:
    """Return the words and addresses of this application."""
    config = app.config

    def is_guarded(endpoint: str) -> bool:
        blueprint, view = endpoint.rpartition(".")[0], inspect.unwrap(app.view_functions[endpoint])
        names = getattr(getattr(view, "__code__", None), "co_names", ())
        return require_sign_in in app.before_request_funcs.get(blueprint, []) or "require_sign_in" in names

    return Hints(
        settings_file=".env",
        start_command="uv run dev.py",
        frontend_url="http://localhost:5173",
        api_url=config["API_URL"] or None,
        production=config["APP_ENV"] == "production",
        one_origin=config["FRONTEND_ORIGINS"] == "none",
        api_url_setting="API_URL",
        cross_site_setting="CROSS_SITE_COOKIES=1",
        frontend_api_url_setting="VITE_API_URL",
        mark_preflight=lambda environ: [("X-Request-ID", choose_request_id(environ))],
        is_guarded=is_guarded,
    )
