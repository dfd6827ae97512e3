"""A browser remembers the answer to a preflight for as long as the policy says; the server counts how often it asks."""

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
    """The lab application, and what it has counted."""

    def __init__(self, port: int) -> None:
        """Know where it is."""
        self.origin = f"http://localhost:{port}"

    def create_url(self, policy: str) -> str:
        """Return an address that nobody has asked about yet."""
        return f"{self.origin}/{policy}/{uuid.uuid4()}"

    def count_preflights(self, url: str) -> int:
        """Return how many preflights for an address have reached the server."""
        answer = requests.get(f"{self.origin}/asked", {"url": url.removeprefix(self.origin)}, timeout=30)
        return int(answer.json()["times"])


@pytest.fixture(scope="module")
def lab(get_installed: Callable[[str], BakedProject]) -> Iterator[Lab]:
    """Run the lab application with the cors package of the default project."""
    project, port = get_installed("default"), preferred_port(0)
    program = Path(__file__).with_name("max_age_lab.py")
    with serving([project.python, program, str(port)], port, project.path):
        yield Lab(port)


def send(page: Page, url: str, method: str = "PUT", **headers: str) -> dict[str, Any]:
    return fetch(page, url, method=method, headers=headers)


@pytest.fixture(scope="module")
def preflight_counts(browser: Browser, lab: Lab, foreign_port: int) -> dict[str, list[int]]:
    """Send two requests under each policy at once, after 3 and after 6 seconds; return the count at each of the times.

    One page sends them all, so that the seconds are waited for only once; each policy has an address of its own.
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


def test_without_max_age_the_browser_asks_again_after_its_five_seconds(preflight_counts: dict[str, list[int]]) -> None:
    assert (preflight_counts["none"][0], preflight_counts["none"][2]) == (1, 2)


def test_with_0_the_browser_asks_each_time(preflight_counts: dict[str, list[int]]) -> None:
    assert preflight_counts["zero"] == [2, 4, 6]


def test_with_2_the_browser_asks_again_when_they_are_over(preflight_counts: dict[str, list[int]]) -> None:
    assert preflight_counts["short"] == [1, 2, 3]


def test_with_600_the_browser_asks_once(preflight_counts: dict[str, list[int]]) -> None:
    assert preflight_counts["long"] == [1, 1, 1]


def test_each_url_is_asked_about_query_included(foreign_page: Page, lab: Lab) -> None:
    url = lab.create_url("long")
    for address in (url, f"{url}?page=1", f"{url}?page=2", url):
        assert send(foreign_page, address)["status"] == 200
    assert [lab.count_preflights(address) for address in (url, f"{url}?page=1", f"{url}?page=2")] == [1, 1, 1]


def test_one_answer_holds_for_all_methods_and_headers_that_it_lists(foreign_page: Page, lab: Lab) -> None:
    url = lab.create_url("long")
    for method, headers in [("PUT", {}), ("PUT", {"X-One": "1"}), ("DELETE", {"X-One": "1", "X-Two": "2"})]:
        assert send(foreign_page, url, method, **headers)["status"] == 200
    assert lab.count_preflights(url) == 1


def test_what_it_does_not_list_is_asked_about_and_refused(foreign_page: Page, lab: Lab) -> None:
    url = lab.create_url("long")
    assert send(foreign_page, url)["status"] == 200
    assert send(foreign_page, url, **{"X-Three": "3"}) == REFUSED
    assert lab.count_preflights(url) == 2
    assert send(foreign_page, url, "PATCH") == REFUSED
    assert lab.count_preflights(url) == 3
