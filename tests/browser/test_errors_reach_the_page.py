"""A page reads every error of the API with status and body: in each browser and strategy, debug on and off."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page

from tests.baking import BakedProject
from tests.browser.errors_of_an_api import READ, generated, get_readable_errors

# a combination of answers, Flask's debug mode
VARIANTS = {
    "flask-cors": ("default", False),
    "flask-cors-debug": ("default", True),
    "interceptor": ("interceptor-without-front-end", False),
    "interceptor-debug": ("interceptor-without-front-end", True),
}


@pytest.fixture(scope="module", params=VARIANTS)
def api(
    request: pytest.FixtureRequest,
    get_installed: Callable[[str], BakedProject],
    foreign_port: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    """Run each variant in turn, open to the page on `foreign_port`; return its origin."""
    combination, debug = VARIANTS[request.param]
    folder = tmp_path_factory.mktemp("database")
    with generated(get_installed(combination), f"http://localhost:{foreign_port}", folder, debug=debug) as origin:
        yield origin


def test_every_error_reaches_the_page(foreign_page: Page, api: str) -> None:
    assert get_readable_errors(foreign_page, api) == READ
