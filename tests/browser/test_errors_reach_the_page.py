"""A page can read status and body of every error, in each browser, strategy and debug mode."""

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
    """Run each variant with a policy for the page on `foreign_port`. Yield its origin."""
    combination, debug = VARIANTS[request.param]
    folder = tmp_path_factory.mktemp("database")
    with generated(get_installed(combination), f"http://localhost:{foreign_port}", folder, debug=debug) as origin:
        yield origin


def test_the_page_can_read_every_error(foreign_page: Page, api: str) -> None:
    assert get_readable_errors(foreign_page, api) == READ
