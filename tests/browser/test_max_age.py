"""A browser caches a preflight for the max-age of the policy. The server counts the preflights."""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, Page

from tests.baking import BakedProject
from tests.browser.requests_of_a_page import REFUSED, fetch
from tests.running import preferred_port
from tests.serving import serving


class Lab:
    """The lab application and its count of preflights."""

    def __init__(self, port: int) -> None:
        """Store its origin."""
        self.origin = f"http://localhost:{port}"

    def create_url(self, policy: str) -> str:
        """Return a unique URL."""
        return f"{self.origin}/{policy}/{uuid.uuid4()}"

    def count_preflights(self, url: str) -> int:
        """Return how many preflights for a URL have reached the server."""
        answer = requests.get(f"{self.origin}/asked", {"url": url.removeprefix(self.origin)}, timeout=30)
        return int(answer.json()["times"])


@pytest.fixture(scope="module")
def lab(get_installed: Callable[[str], BakedProject]) -> Iterator[Lab]:
    """Run the lab application with crossorigin of the default project."""
    project, port = get_installed("default"), preferred_port(0)
    program = Path(__file__).with_name("max_age_lab.py")
    with serving([project.python, program, str(port)], port, project.path):
        yield Lab(port)


def send(page: Page, url: str, method: str = "PUT", **headers: str) -> dict[str, Any]:
    return fetch(page, url, method=method, headers=headers)


@pytest.fixture(scope="module")
def preflight_counts(browser: Browser, lab: Lab, foreign_port: int) -> dict[str, list[int]]:
    """Send two requests under each policy after 0, 3 and 6 seconds. Return the counts at these times.

    One page sends all requests, so the test waits only once. Each policy has its own URL.
    """
    page = browser.new_context().new_page()
    page.goto(f"http://localhost:{foreign_port}/")
    urls = {policy: lab.create_url(policy) for policy in ("none", "zero", "short", "long")}
    counts: dict[str, list[int]] = {policy: [] for policy in urls}
    for wait in (0, 3000, 3000):
        page.wait_for_timeout(wait)
        for policy, url in urls.items():
            for _ in range(2):
                assert send(page, url)["status"] == 200
            counts[policy].append(lab.count_preflights(url))
    page.context.close()
    return counts


def test_without_max_age_the_browser_caches_for_five_seconds(preflight_counts: dict[str, list[int]]) -> None:
    assert (preflight_counts["none"][0], preflight_counts["none"][2]) == (1, 2)


def test_with_max_age_0_each_request_is_preflighted(preflight_counts: dict[str, list[int]]) -> None:
    assert preflight_counts["zero"] == [2, 4, 6]


def test_with_max_age_2_there_is_a_new_preflight_after_two_seconds(preflight_counts: dict[str, list[int]]) -> None:
    assert preflight_counts["short"] == [1, 2, 3]


def test_with_max_age_600_there_is_one_preflight(preflight_counts: dict[str, list[int]]) -> None:
    assert preflight_counts["long"] == [1, 1, 1]


def test_each_url_with_its_query_is_preflighted_separately(foreign_page: Page, lab: Lab) -> None:
    url = lab.create_url("long")
    for address in (url, f"{url}?page=1", f"{url}?page=2", url):
        assert send(foreign_page, address)["status"] == 200
    assert [lab.count_preflights(address) for address in (url, f"{url}?page=1", f"{url}?page=2")] == [1, 1, 1]


def test_a_cached_preflight_applies_to_all_listed_methods_and_headers(foreign_page: Page, lab: Lab) -> None:
    url = lab.create_url("long")
    for method, headers in [("PUT", {}), ("PUT", {"X-One": "1"}), ("DELETE", {"X-One": "1", "X-Two": "2"})]:
        assert send(foreign_page, url, method, **headers)["status"] == 200
    assert lab.count_preflights(url) == 1


def test_an_unlisted_header_or_method_is_preflighted_and_refused(foreign_page: Page, lab: Lab) -> None:
    url = lab.create_url("long")
    assert send(foreign_page, url)["status"] == 200
    assert send(foreign_page, url, **{"X-Three": "3"}) == REFUSED
    assert lab.count_preflights(url) == 2
    assert send(foreign_page, url, "PATCH") == REFUSED
    assert lab.count_preflights(url) == 3
