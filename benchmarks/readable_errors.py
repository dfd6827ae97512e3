"""Compare which errors of an API a page can read, in Chromium: `uv run python -m benchmarks.readable_errors`.

It compares a generated project of each CORS strategy with plain Flask apps and flask-cors (`apps/errors_flask.py`).
All get the same requests from the same page, whose origin they allow.
"""

import datetime
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from itertools import product
from pathlib import Path
from typing import TypeAlias

from playwright.sync_api import Page, sync_playwright

from benchmarks.report import NOTHING, format_table
from benchmarks.targets import build_projects
from tests.browser.browsers import launch_options
from tests.browser.empty_page import empty_page
from tests.browser.errors_of_an_api import ERRORS, READ, UNREAD, flask, generated, get_readable_errors, read

# a context manager that runs an API, with or without debug mode, and yields its origin
RunApi: TypeAlias = Callable[..., AbstractContextManager[str]]
DESIGNS = {"app": "CORS(app, resources=…)", "blueprint": "CORS(blueprint, …)"}
GUARDS = ("careful", "default limits", "before_request")
# two more requests that are not counted. They show differences between the designs
NOT_COUNTED = {"404 GET": "/api/notes/1/nothing", "404 /api/other": "/api/other"}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright, empty_page() as port:
        options = launch_options(playwright, "chromium")
        if options is None:
            raise SystemExit("Chromium is not installed. Run: uv run playwright install chromium")
        browser = playwright.chromium.launch(**options)
        origin, rows = f"http://localhost:{port}", []
        for (name, run_api), debug in product(get_applications(Path(folder), origin), (False, True)):
            with run_api(debug=debug) as api:
                page = browser.new_page()
                page.goto(origin)
                rows.append([name, "on" if debug else "off", *read_outcomes(page, api)])
                page.context.close()
        print(f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}, Chromium {browser.version}", end="\n\n")
        print(format_table(["application", "debug", *map(str, ERRORS), "unread", *NOT_COUNTED], rows))
        browser.close()


def get_applications(folder: Path, origin: str) -> Iterator[tuple[str, RunApi]]:
    """Yield the name of each application and the function that runs it."""
    for number, target in enumerate(made := build_projects(folder)):
        (folder / str(number)).mkdir()
        assert target.project
        yield target.name, partial(generated, target.project, origin, folder / str(number))
    program = Path(__file__).with_name("apps") / "errors_flask.py"
    for (design, name), guards in product(DESIGNS.items(), GUARDS):
        app = f"{program}:create_app({design!r}, {guards!r})"
        yield f"{name}, {guards}", partial(flask, made[0].python, app, folder, {"FRONTEND_ORIGINS": origin})


def read_outcomes(page: Page, api: str) -> Iterator[str]:
    """Yield a word for each error, then the number of unreadable errors."""
    found = get_readable_errors(page, api)
    for status, what in found.items():
        yield format_outcome(what, READ[status])
    yield f"{sum(what != READ[status] for status, what in found.items())} of {len(found)}"
    for path in NOT_COUNTED.values():
        yield format_outcome(read(page, api + path, {"credentials": "include"}), READ[404])


def format_outcome(what: str, expected: str) -> str:
    """Return a word for a table cell. Unexpected values are returned unchanged."""
    return {expected: "read", UNREAD: NOTHING}.get(what, what)


if __name__ == "__main__":
    main()
