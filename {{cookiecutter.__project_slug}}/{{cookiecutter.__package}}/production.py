"""Production: the application that `wsgi.py` and `python -m {{ cookiecutter.__package }}` serve."""

from functools import cache

from crossorigin import get_policies
from flask import Flask, current_app, request

from . import create_app
from .errors import SettingsError


def create_production_app() -> Flask:
    """Create the application, and check all that has to be right before it serves.

    Raises:
        SettingsError, PolicyError: they are unsafe, or those of development. The message has the fix.
    """
    app = create_app()
    if app.config["APP_ENV"] != "production":
        raise SettingsError(
            f"APP_ENV is {app.config['APP_ENV']!r}, which has cookies without https and a user with a known"
            " password. Set two settings in .env or in the environment: APP_ENV=production, and"
            " FRONTEND_ORIGINS=https://app.example.com with the origin of your front end (none if the API"
            " serves it). To develop, run dev.py."
        )
    get_policies(app).check()
    app.before_request(_check_cookie_header)
    return app


def _check_cookie_header() -> None:
    if request.environ.get("HTTP_COOKIE") == "":
        _warn_of_empty_cookie_header()


@cache  # once in each process
def _warn_of_empty_cookie_header() -> None:
    # Granian hands over an empty header (https://github.com/emmett-framework/granian/issues/335)
    current_app.logger.warning(
        "A Cookie header arrived empty, so nobody is signed in with it: a cookie of this domain has a byte"
        " above 0x7F. Let the proxy in front remove such cookies, see docs/production.md."
    )
