"""CSRF protection: a form of another origin on the same site sends the session cookie, but cannot change data."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Page

from tests.baking import BakedProject
from tests.browser.empty_page import empty_page
from tests.browser.errors_of_an_api import flask
from tests.browser.requests_of_a_page import fetch, with_json

pytestmark = pytest.mark.only_browser("chromium")  # it resolves the host names to this machine
GUARDED_APP = Path(__file__).with_name("guarded_app.py")
USER = {"username": "demo", "password": "demo-password"}
FORM = """(address) => {
  const form = document.createElement("form");
  Object.assign(form, { method: "POST", action: address, enctype: "text/plain" });
  document.body.append(form);
  form.submit();
}"""


class Api(NamedTuple):
    """The ports of the API and of a page that is not the front end."""

    port: int
    other: int


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    """Allow scripts in documents of the API, whose CSP forbids them."""
    return {**browser_context_args, "bypass_csp": True}


@pytest.fixture(scope="module")
def api(get_installed: Callable[[str], BakedProject], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """Run the default project with a guarded blueprint whose policy has no credentials."""
    project = get_installed("default")
    database = tmp_path_factory.mktemp("database") / "csrf.sqlite"
    settings = {"APP_ENV": "development", "DATABASE_URL": f"sqlite:///{database.as_posix()}"}
    project.check_output(project.python, "-m", "flask", "seed", "--migrate", env=settings)
    app = f"{GUARDED_APP.as_posix()}:create_app('{project.package}')"
    with flask(project.python, app, project.path, settings, debug=False) as origin, empty_page() as other:
        yield Api(int(origin.rpartition(":")[2]), other)


# the host names of API and page. Without https, browsers send Sec-Fetch-Site to localhost only
SIBLINGS = {"another port of localhost": ("localhost", "localhost"), "a subdomain": ("api.lab.test", "evil.lab.test")}


@pytest.mark.parametrize("sibling", SIBLINGS)
def test_a_form_of_another_origin_on_the_same_site_changes_nothing(page: Page, api: Api, sibling: str) -> None:
    ours, other = SIBLINGS[sibling]
    address = f"http://{ours}:{api.port}/api/guarded"
    page.goto(f"http://{ours}:{api.port}/health/live")
    before = sign_in(page, address)
    page.goto(f"http://{other}:{api.other}/")
    with page.expect_response(address) as answer:
        page.evaluate(FORM, address)
    page.wait_for_url(address)
    sent = answer.value.request.all_headers()
    assert "session=" in sent["cookie"]  # SameSite=Lax does not prevent it within one site
    assert ("sec-fetch-site" in sent) is (ours == "localhost")
    assert answer.value.status == 403
    page.goto(address)
    assert page.evaluate("JSON.parse(document.body.innerText)") == before


@pytest.mark.parametrize("sibling", SIBLINGS)
def test_a_same_origin_page_can_change_data(page: Page, api: Api, sibling: str) -> None:
    ours, _ = SIBLINGS[sibling]
    address = f"http://{ours}:{api.port}/api/guarded"
    page.goto(f"http://{ours}:{api.port}/health/live")
    before = sign_in(page, address)
    assert fetch(page, address, method="POST", credentials="include")["status"] == 200
    page.goto(address)
    assert page.evaluate("JSON.parse(document.body.innerText)") == [*before, "demo"]


def sign_in(page: Page, address: str) -> list[str]:
    """Sign in from a page of the API origin. Return the users of the changes so far."""
    assert fetch(page, address.replace("guarded", "auth/login"), **with_json("POST", USER))["status"] == 200
    found: list[str] = json.loads(fetch(page, address, credentials="include")["text"])
    return found
