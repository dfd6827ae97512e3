"""Cause each error of an API from the script of a page, and check what the script can read.

A test of the generated project and a comparison in `benchmarks` use this module.
"""

import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import requests
from playwright.sync_api import Page

from tests.baking import BakedProject
from tests.browser.requests_of_a_page import REFUSED, fetch, with_json
from tests.running import preferred_port
from tests.serving import serving

LOGIN = "/api/auth/login"
WRONG = {"username": "unknown", "password": "wrong"}

# requests by the status of the response: with cookies and preflighted, except for 415
ERRORS: dict[int, tuple[str, dict[str, Any]]] = {
    401: ("/api/notes", with_json("POST", {"title": "not signed in"})),
    404: ("/api/notes/1/nothing", with_json("POST", {})),
    405: ("/api/notes", with_json("PUT", {})),
    413: (LOGIN, with_json("POST", {"username": "x" * 2_000_000})),
    415: (LOGIN, {"method": "POST", "body": "hello", "credentials": "include"}),
    422: (LOGIN, with_json("POST", {})),
    429: (LOGIN, with_json("POST", WRONG)),
    500: ("/api/auth/fails", with_json("POST", {})),
}
READ = {status: f"{status} as application/problem+json" for status in ERRORS}
UNREAD = "nothing"
FAILING_APP = Path(__file__).with_name("failing_app.py")


@contextlib.contextmanager
def generated(project: BakedProject, page_origin: str, folder: Path, *, debug: bool) -> Iterator[str]:
    """Run a generated project in development with a failing view. Yield its origin.

    Args:
        project: with its Python packages.
        page_origin: the origin of the page that may read the responses.
        folder: the folder of its database.
        debug: Flask's debug mode.
    """
    settings = {
        "APP_ENV": "development",
        "FRONTEND_ORIGINS": page_origin,
        "DATABASE_URL": f"sqlite:///{(folder / 'errors.sqlite').as_posix()}",
        "LOGIN_ACCOUNT_LIMIT": "3 per hour",
    }
    project.check_output(project.python, "-m", "flask", "seed", "--migrate", env=settings)
    app = f"{FAILING_APP}:create_app('{project.package}')"
    with flask(project.python, app, project.path, settings, debug=debug) as origin:
        yield origin


@contextlib.contextmanager
def flask(python: str, app: str, folder: Path, env: Mapping[str, str], *, debug: bool) -> Iterator[str]:
    """Run an application with `flask run`. Yield its origin.

    Args:
        python: the interpreter that has the packages of the application.
        app: what `flask --app` takes.
        folder: its working directory.
        env: its settings.
        debug: Flask's debug mode, with the options that dev.py of the generated project gives.
    """
    port = preferred_port(0)
    mode = ["--debug", "--no-debugger", "--no-reload"] if debug else ["--no-debug"]
    with serving([python, "-m", "flask", "--app", app, "run", "--port", str(port), *mode], port, folder, env):
        yield f"http://localhost:{port}"


def get_readable_errors(page: Page, api: str) -> dict[int, str]:
    """Return what a page can read of each error: a value of READ, UNREAD or an unexpected text."""
    found = {}
    for status, (path, options) in ERRORS.items():
        if status == 429:
            exhaust_limit(api)
        # browsers cache preflights by URL, and a unique query causes a new one
        found[status] = read(page, f"{api}{path}?cause={status}", options)
    return found


def read(page: Page, url: str, options: dict[str, Any]) -> str:
    """Send a request from a page and return what the page can read."""
    answer = fetch(page, url, **options)
    if answer == REFUSED:
        return UNREAD
    with contextlib.suppress(ValueError, TypeError, KeyError):  # a body of another kind
        if json.loads(answer["text"])["status"] == answer["status"]:
            return f"{answer['status']} as {answer['headers']['content-type']}"
    return f"{answer['status']} with {answer['text'][:100]!r}"


def exhaust_limit(api: str) -> None:
    """Try to sign in until the rate limit of the address is reached."""
    for _ in range(30):
        if requests.post(api + LOGIN, json=WRONG, timeout=30).status_code == 429:
            return
    raise AssertionError("the login has no rate limit")
