"""The session cookie with different host names of page and API: same site, cross-site and localhost."""

import pytest
from playwright.sync_api import Page, Response, expect

from tests.browser.conftest import Deploy
from tests.browser.deployment import OTHER_SITE_HOST, PAGE_HOST, SAME_SITE_HOST
from tests.browser.requests_of_a_page import fetch
from tests.client import PASSWORD, USER
from tests.running import RunningProject

# the host names of page and API, and CROSS_SITE_COOKIES
CASES = {
    "one site": ((PAGE_HOST, SAME_SITE_HOST), "0"),
    "two sites": ((PAGE_HOST, OTHER_SITE_HOST), "0"),
    "two sites, prepared": ((PAGE_HOST, OTHER_SITE_HOST), "1"),
}
COOKIES = {
    "one site": {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"},
    "two sites, prepared": {"Secure", "HttpOnly", "Path=/", "SameSite=None", "Partitioned"},
}
NO_COOKIE = "The API accepted the password, but the browser did not send the session cookie."


def sign_in(page: Page, home: str, username: str, password: str) -> tuple[Response, Response]:
    """Sign in with the form. Return the responses to the login and to the following request."""
    with page.expect_response("**/api/auth/me"):
        page.goto(home)
    page.get_by_label("Name").fill(username)
    page.get_by_label("Password").fill(password)
    with page.expect_response("**/api/auth/login") as login, page.expect_response("**/api/auth/me") as me:
        page.get_by_role("button", name="Sign in").click()
    return login.value, me.value


@pytest.mark.parametrize("case", COOKIES)
def test_the_session_lasts_until_the_sign_out(page: Page, deploy: Deploy, case: str) -> None:
    home, _ = deploy(*CASES[case])
    login, me = sign_in(page, home, USER, PASSWORD)
    assert (login.status, me.status) == (200, 200)
    who = page.locator("#who")
    expect(who).to_have_text(f"Signed in as {USER}")
    page.reload()
    expect(who).to_have_text(f"Signed in as {USER}")
    page.get_by_label("Title", exact=True).fill("over there")
    page.get_by_role("button", name="Add note").click()
    expect(page.get_by_role("listitem").filter(has_text="over there").first).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(who).to_have_text("Not signed in")
    with page.expect_response("**/api/auth/me") as after:
        page.reload()
    assert after.value.status == 401


@pytest.mark.parametrize("case", COOKIES)
def test_the_cookie_has_the_host_prefix_and_the_strictest_attributes(page: Page, deploy: Deploy, case: str) -> None:
    home, api = deploy(*CASES[case])
    login, _ = sign_in(page, home, USER, PASSWORD)
    cookie, *attributes = (login.header_value("set-cookie") or "").split("; ")
    assert cookie.startswith("__Host-my_lab_api_session=")
    assert {attribute for attribute in attributes if not attribute.startswith("Expires=")} == COOKIES[case]
    kept = [c for c in page.context.cookies() if c["name"].startswith("__Host-")]
    assert [(c["domain"], c["secure"], c["httpOnly"]) for c in kept] == [(api[8:].partition(":")[0], True, True)]
    assert page.evaluate("document.cookie") == ""


def test_a_partitioned_cookie_is_not_sent_by_pages_of_the_api(page: Page, deploy: Deploy) -> None:
    home, api = deploy(*CASES["two sites, prepared"])
    sign_in(page, home, USER, PASSWORD)
    assert fetch(page, f"{api}/api/auth/me", credentials="include")["status"] == 200
    with page.expect_response("**/api/auth/me") as at_the_top:
        page.evaluate("(url) => { location.href = url; }", f"{api}/api/auth/me")
    assert at_the_top.value.status == 401


def test_cross_site_a_lax_cookie_is_not_sent_and_the_page_explains_it(page: Page, deploy: Deploy) -> None:
    home, api = deploy(*CASES["two sites"])
    login, me = sign_in(page, home, USER, PASSWORD)
    assert (login.status, me.status) == (200, 401)
    outcome = page.locator("#session-outcome")
    expect(outcome).to_have_attribute("data-state", "error")
    expect(outcome).to_contain_text(f"{NO_COOKIE} {home} and {api} are two sites.")
    expect(outcome).to_contain_text("CROSS_SITE_COOKIES=1")
    expect(page.locator("#who")).to_have_text("Not signed in")


def test_127_0_0_1_and_localhost_are_cross_site_and_the_page_explains_it(page: Page, two_names: RunningProject) -> None:
    home = two_names.page.replace("localhost", "127.0.0.1")
    login, me = sign_in(page, home, "demo", "demo-password")
    assert (login.status, me.status) == (200, 401)
    outcome = page.locator("#session-outcome")
    expect(outcome).to_contain_text(f"{NO_COOKIE} The front end is on 127.0.0.1, the API on localhost")
    expect(outcome).to_contain_text("Use the name localhost for both.")


def test_a_page_on_127_0_0_1_gets_the_fix_if_only_localhost_is_allowed(page: Page, site: RunningProject) -> None:
    page.goto(site.page.replace("localhost", "127.0.0.1"))
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#session-outcome")).to_contain_text("Blocked: CORS")
    expect(page.locator("#session-outcome")).to_contain_text(f"Fix: open the page at {site.page} (")
