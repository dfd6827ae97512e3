"""Fixtures: projects with running servers, a page of another origin, and browsers."""

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

expect.set_options(timeout=30_000)  # long enough for a busy machine

LOCAL_NAMES: dict[str, dict[str, Any]] = {
    "chromium": {"args": ["--host-resolver-rules=MAP *.test 127.0.0.1"]},
    "firefox": {"firefox_user_prefs": {"network.dns.localDomains": ",".join(HOSTS)}},
}


@pytest.fixture(scope="session")
def browser_type_launch_args(
    browser_type_launch_args: dict[str, Any], browser_name: str, playwright: Playwright
) -> dict[str, Any]:
    """Use the browsers of this machine."""
    options = launch_options(playwright, browser_name)
    require(options is not None, f"{browser_name} is not installed: uv run playwright install {browser_name}")
    return {**browser_type_launch_args, **(options or {}), **LOCAL_NAMES.get(browser_name, {})}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    """Accept untrusted certificates."""
    return {**browser_context_args, "ignore_https_errors": True}


@pytest.fixture(scope="session")
def site(with_node: BakedProject) -> Iterator[RunningProject]:
    """Run the default project with default settings, except for high login limits."""
    unlimited = dict.fromkeys(("LOGIN_LIMIT", "LOGIN_ACCOUNT_LIMIT"), "100000 per minute")
    with running(with_node, unlimited) as started:
        started.wait_until_ready()
        yield started


@pytest.fixture(scope="session")
def two_names(with_node: BakedProject, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningProject]:
    """Run the default project with a policy that allows localhost and 127.0.0.1."""
    database = f"sqlite:///{tmp_path_factory.mktemp('database') / 'development.sqlite'}"
    origins = "http://localhost:*, http://127.0.0.1:*"
    with running(with_node, {"FRONTEND_ORIGINS": origins, "DATABASE_URL": database}) as started:
        started.wait_until_ready()
        yield started


@pytest.fixture(scope="session")
def one_origin(get_complete: Callable[[str], BakedProject]) -> Iterator[RunningProject]:
    """Run the project with the strategy proxy."""
    with running(get_complete("proxy")) as started:
        started.wait_until_ready()
        yield started


class Deploy(Protocol):
    """The type of the fixture `deploy`."""

    def __call__(
        self, hosts: tuple[str, str], cross_site_cookies: str = "0", combination: str = "default"
    ) -> tuple[str, str]:
        """Deploy once for the same arguments. Return the origins of page and API."""


@pytest.fixture(scope="session")
def database(with_node: BakedProject, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the production settings. All deployments share one database."""
    return create_production_settings(with_node, tmp_path_factory.mktemp("database"))


@pytest.fixture(scope="session")
def deploy(
    get_complete: Callable[[str], BakedProject], database: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deploy]:
    """Return a function that deploys a project."""
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
    """Serve a page of another origin and yield its port."""
    with empty_page() as port:
        yield port


@pytest.fixture
def foreign_page(page: Page, foreign_port: int) -> Page:
    """Return a page on another port of localhost."""
    page.goto(f"http://localhost:{foreign_port}/")
    return page


@pytest.fixture
def home(page: Page, site: RunningProject) -> Page:
    """Return the loaded page of the project."""
    page.goto(site.page)
    expect(page.locator("#who")).to_have_text("Not signed in")
    return page


@pytest.fixture
def sign_in(home: Page) -> Callable[[], Page]:
    """Return a function that signs in as the demo user with the form."""

    def act() -> Page:
        home.get_by_role("button", name="Sign in").click()
        expect(home.locator("#who")).to_have_text("Signed in as demo")
        return home

    return act


@pytest.fixture
def session_cookie(context: BrowserContext) -> Callable[[], Any]:
    """Return a function that returns the session cookie."""
    return lambda: next((c for c in context.cookies() if c["name"].endswith("session")), None)
