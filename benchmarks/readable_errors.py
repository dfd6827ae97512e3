"""Compare which errors of an API a page can read, in Chromium: `uv run python -m benchmarks.readable_errors`.

A generated project of each CORS strategy stands beside plain Flask apps with flask-cors (`plain_app`). Each gets the
same requests of the same page, from an origin that it allows.
"""

import datetime
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any, TypeAlias

from playwright.sync_api import Page, sync_playwright

from tests.baking import BakedProject, bake
from tests.browser.browsers import launch_options
from tests.browser.empty_page import empty_page
from tests.browser.errors_of_an_api import ERRORS, READ, UNREAD, flask, generated, read, what_a_page_reads

# a function that runs an API, with Flask's debug mode or without, and yields its origin
Runs: TypeAlias = Callable[..., AbstractContextManager[str]]
STRATEGIES = ("flask-cors", "interceptor")
DESIGNS = {"app": "CORS(app, resources=…)", "blueprint": "CORS(blueprint, …)"}
GUARDS = ("careful", "default limits", "before_request")
PACKAGES = ("flask", "werkzeug", "flask-cors", "flask-limiter")
# two more that are not counted: where one of the designs does better, or worse, than its 404 above tells
NOT_COUNTED = {"404 GET": "/api/notes/1/nothing", "404 /api/other": "/api/other"}


def main() -> None:
    """Run each application, send the requests, and print a table."""
    with (
        tempfile.TemporaryDirectory() as folder,
        sync_playwright() as playwright,
        empty_page() as port,
    ):
        options = launch_options(playwright, "chromium")
        if options is None:
            raise SystemExit("Chromium is not installed: uv run playwright install chromium")
        browser = playwright.chromium.launch(**options)
        projects = {strategy: installed(Path(folder), strategy) for strategy in STRATEGIES}
        origin = f"http://localhost:{port}"
        print(versions(projects["flask-cors"], browser.version), end="\n\n")
        heads = ["application", "debug", *map(str, ERRORS), "unread", *NOT_COUNTED]
        print(line(heads), line(["-" * len(head) for head in heads]), sep="\n")
        for (name, runs), debug in product(applications(projects, origin, Path(folder)), (False, True)):
            with runs(debug=debug) as api:
                page = browser.new_page()
                page.goto(origin)
                print(line([name, "on" if debug else "off", *outcomes(page, api)]), flush=True)
                page.context.close()
        browser.close()


def installed(folder: Path, strategy: str) -> BakedProject:
    """Generate a project with its Python packages."""
    project = bake(folder / strategy, {"cors_strategy": strategy, "frontend": False})
    project.succeeds("uv", "sync", "--quiet")
    return project


def applications(projects: dict[str, BakedProject], origin: str, folder: Path) -> Iterator[tuple[str, Runs]]:
    """Yield the name of each application, and what runs it."""
    for strategy, project in projects.items():
        yield f"generated, {strategy}", partial(generated, project, origin, folder / strategy)
    python = projects["flask-cors"].python
    program = Path(__file__).with_name("plain_app.py")
    for (design, name), guards in product(DESIGNS.items(), GUARDS):
        app = f"{program}:create_app({design!r}, {guards!r})"
        yield f"{name}, {guards}", partial(flask, python, app, folder, {"FRONTEND_ORIGINS": origin})


def outcomes(page: Page, api: str) -> Iterator[str]:
    """Yield a word for each error: whether the page could read it, then how many it could not."""
    found = what_a_page_reads(page, api)
    for status, what in found.items():
        yield word(what, READ[status])
    yield f"{sum(what != READ[status] for status, what in found.items())} of {len(found)}"
    for path in NOT_COUNTED.values():
        yield word(read(page, api + path, {"credentials": "include"}), READ[404])


def word(what: str, expected: str) -> str:
    """Return a word for a cell of the table; anything unexpected stays as it is."""
    return {expected: "read", UNREAD: "—"}.get(what, what)


def line(cells: list[Any]) -> str:
    """Return a line of a table in Markdown."""
    return f"| {' | '.join(cells)} |"


def versions(project: BakedProject, browser: str) -> str:
    """Return the date, and what was compared."""
    ask = "import importlib.metadata, sys; print(*map(importlib.metadata.version, sys.argv[1:]))"
    numbers = project.succeeds(project.python, "-c", ask, *PACKAGES).split()
    named = [f"{package} {number}" for package, number in zip(PACKAGES, numbers, strict=True)]
    return ", ".join([f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}", f"Chromium {browser}", *named])


if __name__ == "__main__":
    main()
