"""A project with its two servers, a foreign page, and browsers from wherever this machine has them."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, Playwright, expect

from tests.baking import BakedProject, require
from tests.browser.browsers import launch_options
from tests.browser.deployment import HOSTS
from tests.browser.empty_page import empty_page
from tests.running import RunningProject, running

NAMES_OF_THIS_MACHINE: dict[str, dict[str, Any]] = {
    "chromium": {"args": ["--host-resolver-rules=MAP *.test 127.0.0.1"]},
    "firefox": {"firefox_user_prefs": {"network.dns.localDomains": ",".join(HOSTS)}},
}


@pytest.fixture(scope="session")
def browser_type_launch_args(
    browser_type_launch_args: dict[str, Any], browser_name: str, playwright: Playwright
) -> dict[str, Any]:
    """Use the browsers that this machine has."""
    options = launch_options(playwright, browser_name)
    require(options is not None, f"{browser_name} is not installed: uv run playwright install {browser_name}")
    return {**browser_type_launch_args, **(options or {}), **NAMES_OF_THIS_MACHINE.get(browser_name, {})}


@pytest.fixture(scope="session")
def site(with_node: BakedProject) -> Iterator[RunningProject]:
    """Run the default project, with its usual settings but for the limit of logins."""
    unlimited = dict.fromkeys(("LOGIN_LIMIT", "LOGIN_ACCOUNT_LIMIT"), "100000 per minute")
    with running(with_node, unlimited) as started:
        started.until_ready()
        yield started


@pytest.fixture(scope="session")
def foreign_port() -> Iterator[int]:
    """Serve a page from another origin."""
    with empty_page() as port:
        yield port


@pytest.fixture
def foreign_page(page: Page, foreign_port: int) -> Page:
    """Return a page on another port of localhost."""
    page.goto(f"http://localhost:{foreign_port}/")
    return page


@pytest.fixture
def home(page: Page, site: RunningProject) -> Page:
    """Return the project's own page, loaded."""
    page.goto(site.page)
    expect(page.locator("#who")).to_have_text("Not signed in")
    return page


@pytest.fixture
def sign_in(home: Page) -> Callable[[], Page]:
    """Return a function that signs in by the form, as the demo user that it offers."""

    def act() -> Page:
        home.get_by_role("button", name="Sign in").click()
        expect(home.locator("#who")).to_have_text("Signed in as demo")
        return home

    return act


@pytest.fixture
def session_cookie(context: BrowserContext) -> Callable[[], Any]:
    """Return a function that returns the cookie of the login."""
    return lambda: next((c for c in context.cookies() if c["name"].endswith("session")), None)
