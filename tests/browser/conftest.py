"""A project with its two servers, a foreign page, and browsers from wherever this machine has them."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from typing import Any, Protocol

import pytest
from playwright.sync_api import BrowserContext, Page, Playwright, expect

from tests.baking import BakedProject, require
from tests.browser.browsers import launch_options
from tests.browser.deployment import HOSTS, deployment
from tests.browser.empty_page import empty_page
from tests.production import create_production_settings
from tests.running import RunningProject, running

expect.set_options(timeout=30_000)  # what a machine that does other things as well may need

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
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    """Take certificates that nobody has signed."""
    return {**browser_context_args, "ignore_https_errors": True}


@pytest.fixture(scope="session")
def site(with_node: BakedProject) -> Iterator[RunningProject]:
    """Run the default project, with its usual settings but for the limit of logins."""
    unlimited = dict.fromkeys(("LOGIN_LIMIT", "LOGIN_ACCOUNT_LIMIT"), "100000 per minute")
    with running(with_node, unlimited) as started:
        started.wait_until_ready()
        yield started


@pytest.fixture(scope="session")
def two_names(with_node: BakedProject, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningProject]:
    """Run the default project with a policy that lets in pages of 127.0.0.1 as well as of localhost."""
    database = f"sqlite:///{tmp_path_factory.mktemp('database') / 'development.sqlite'}"
    origins = "http://localhost:*, http://127.0.0.1:*"
    with running(with_node, {"FRONTEND_ORIGINS": origins, "DATABASE_URL": database}) as started:
        started.wait_until_ready()
        yield started


@pytest.fixture(scope="session")
def one_origin(get_complete: Callable[[str], BakedProject]) -> Iterator[RunningProject]:
    """Run the project that was made for a proxy."""
    with running(get_complete("proxy")) as started:
        started.wait_until_ready()
        yield started


class Deploy(Protocol):
    """The type of the function that deploys."""

    def __call__(
        self, hosts: tuple[str, str], cross_site_cookies: str = "0", combination: str = "default"
    ) -> tuple[str, str]:
        """Deploy at the first call with these arguments; return the origins of page and API."""


@pytest.fixture(scope="session")
def database(with_node: BakedProject, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the settings of every deployment: all share one database."""
    return create_production_settings(with_node, tmp_path_factory.mktemp("database"))


@pytest.fixture(scope="session")
def deploy(
    get_complete: Callable[[str], BakedProject], database: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deploy]:
    """Return the function that deploys."""
    with ExitStack() as stack:

        @cache
        def once(
            hosts: tuple[str, str], cross_site_cookies: str = "0", combination: str = "default"
        ) -> tuple[str, str]:
            folder = tmp_path_factory.mktemp("deployment")
            ours = {**database, "CROSS_SITE_COOKIES": cross_site_cookies}
            return stack.enter_context(deployment(get_complete(combination), folder, hosts, ours))

        yield once


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
