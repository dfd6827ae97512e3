"""The page of the project with mouse and keyboard, wide and narrow, light and dark."""

import re
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.browser.requests_of_a_page import fetch, with_json
from tests.running import RunningProject

SCREENSHOTS = Path(__file__).parents[2] / "test-output" / "screenshots"
WIDE, NARROW = ViewportSize(width=1280, height=900), ViewportSize(width=400, height=800)


def send_request(page: Page, kind: str) -> tuple[str | None, str]:
    """Send a request of the page. Return the state and the text of its outcome."""
    place = page.locator(f'[data-request="{kind}"] [data-outcome]')
    page.locator(f'[data-request="{kind}"]').get_by_role("button", name="Send").click()
    expect(place).to_have_attribute("data-state", re.compile(".+"))
    return place.get_attribute("data-state"), place.inner_text()


def test_each_kind_of_request_gets_its_response(home: Page) -> None:
    for kind, text in [("simple-get", "Hello, World!"), ("preflighted", '"message"')]:
        state, said = send_request(home, kind)
        assert (state, text in said) == ("ok", True), said
    for content_type in ("application/x-www-form-urlencoded", "multipart/form-data", "text/plain"):
        home.locator("#content-type").select_option(content_type)
        state, said = send_request(home, "simple-post")
        assert (state, '"message"' in said) == ("ok", True), said


def test_a_credentialed_request_depends_on_the_sign_in(sign_in: Callable[[], Page], home: Page) -> None:
    state, said = send_request(home, "credentialed")
    assert (state, "401" in said) == ("error", True), said
    state, said = send_request(sign_in(), "credentialed")
    assert (state, '"demo"' in said) == ("ok", True), said


def test_notes_can_be_added_changed_and_deleted(sign_in: Callable[[], Page]) -> None:
    page = sign_in()
    title = f"Note {uuid.uuid4()}"
    page.get_by_label("Title", exact=True).fill(title)
    page.get_by_label("Text").fill("first version")
    page.get_by_role("button", name="Add note").click()
    note = page.get_by_role("listitem").filter(has_text=title)
    expect(note).to_contain_text("first version")

    note.get_by_role("button", name="Edit").click()
    page.locator("#notes").get_by_label("Text").fill("second version")
    page.get_by_role("button", name="Save").click()
    expect(note).to_contain_text("second version")

    note.get_by_role("button", name="Delete").click()
    expect(page.locator("#notes-outcome")).to_contain_text("Deleted")
    expect(note).to_have_count(0)


def test_optimistic_locking_keeps_the_change_of_another_request(
    sign_in: Callable[[], Page], site: RunningProject
) -> None:
    page = sign_in()
    title = f"Note {uuid.uuid4()}"
    page.get_by_label("Title", exact=True).fill(title)
    page.get_by_role("button", name="Add note").click()
    note = page.get_by_role("listitem").filter(has_text=title)
    note.get_by_role("button", name="Edit").click()

    elsewhere = page.context.new_page()
    elsewhere.goto(site.page)
    listed = elsewhere.evaluate(
        "async (url) => (await fetch(url, { credentials: 'include' })).json()", f"{site.api}/api/notes"
    )
    address = f"{site.api}/api/notes/{next(row['id'] for row in listed if row['title'] == title)}"
    etag = fetch(elsewhere, address, credentials="include")["headers"]["etag"]
    change = with_json("PATCH", {"body": "theirs"}, **{"If-Match": etag})
    assert fetch(elsewhere, address, **change)["status"] == 200

    page.locator("#notes").get_by_label("Text").fill("mine")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#notes")).to_contain_text("It was changed by another request. Reload it and try again.")
    assert "theirs" in fetch(page, address, credentials="include")["text"]
    page.get_by_role("button", name="Reload this note").click()
    expect(note).to_contain_text("theirs")
    note.get_by_role("button", name="Edit").click()
    page.locator("#notes").get_by_label("Text").fill("mine")
    page.get_by_role("button", name="Save").click()
    expect(note).to_contain_text("mine")


def test_a_reload_keeps_the_session_and_a_sign_out_ends_it(sign_in: Callable[[], Page]) -> None:
    page = sign_in()
    page.reload()
    expect(page.locator("#who")).to_have_text("Signed in as demo")
    page.get_by_role("button", name="Sign out").click()
    expect(page.locator("#who")).to_have_text("Not signed in")
    page.reload()
    expect(page.locator("#who")).to_have_text("Not signed in")
    expect(page.get_by_role("button", name="Add note")).to_be_hidden()


def test_a_wrong_password_shows_an_error(home: Page) -> None:
    home.get_by_label("Password").fill("wrong")
    home.get_by_role("button", name="Sign in").click()
    expect(home.locator("#session-outcome")).to_have_attribute("data-state", "error")
    expect(home.locator("#session-outcome")).to_contain_text("401")


def test_the_keyboard_alone_signs_in_and_out(home: Page) -> None:
    home.locator("#username").focus()
    home.keyboard.press("ControlOrMeta+a")
    home.keyboard.type("demo")
    home.keyboard.press("Tab")
    home.keyboard.press("ControlOrMeta+a")
    home.keyboard.type("demo-password")
    home.keyboard.press("Enter")
    expect(home.locator("#who")).to_have_text("Signed in as demo")
    expect(home.get_by_role("button", name="Sign out")).to_be_focused()
    home.keyboard.press("Enter")
    expect(home.locator("#who")).to_have_text("Not signed in")


def test_the_keyboard_reaches_the_form_from_the_top_of_the_page(home: Page) -> None:
    for _ in range(40):
        home.keyboard.press("Tab")
        if home.evaluate("document.activeElement.id") == "username":
            return
    pytest.fail("the Tab key does not reach the sign-in form")


def test_a_page_on_127_0_0_1_links_to_localhost(page: Page, site: RunningProject) -> None:
    page.goto(site.page.replace("localhost", "127.0.0.1"))
    warning = page.get_by_role("alert")
    expect(warning).to_contain_text(re.compile(r"front end is on 127\.0\.0\.1, the API on localhost"))
    warning.get_by_role("link").click()
    expect(page).to_have_url(re.compile(rf"^{site.page}/?$"))
    expect(page.get_by_role("alert")).to_be_hidden()


@pytest.fixture(scope="module", params=["light", "dark"])
def scheme(request: pytest.FixtureRequest) -> str:
    """Return each colour scheme."""
    return str(request.param)


@pytest.fixture(scope="module")
def browser_in_scheme(launch_browser: Callable[..., Browser], browser_name: str, scheme: str) -> Iterator[Browser]:
    """Run a browser with one colour scheme."""
    # Firefox cannot emulate the scheme of a page. The preference is 0 for dark and 1 for light
    prefs = {"layout.css.prefers-color-scheme.content-override": int(scheme == "light")}
    browser = launch_browser(**({"firefox_user_prefs": prefs} if browser_name == "firefox" else {}))
    yield browser
    browser.close()


@pytest.mark.parametrize("signed_in", [False, True], ids=["signed out", "signed in"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_the_page_is_accessible(
    browser_in_scheme: Browser,
    browser_name: str,
    site: RunningProject,
    scheme: Literal["light", "dark"],
    size: ViewportSize,
    signed_in: bool,
) -> None:
    page = browser_in_scheme.new_context(color_scheme=scheme, viewport=size).new_page()
    page.goto(site.page)
    assert page.evaluate(f"matchMedia('(prefers-color-scheme: {scheme})').matches")
    page.get_by_role("button", name="Load all files").click()
    expect(page.locator("#who")).to_have_text("Not signed in")
    if signed_in:
        page.get_by_role("button", name="Sign in").click()
        expect(page.locator("#who")).to_have_text("Signed in as demo")
        expect(page.locator("#notes li").first).to_be_visible()
    send_request(page, "simple-get")
    send_request(page, "no-cors")
    page.get_by_text("Step by step", exact=True).click()
    page.locator("#presets").get_by_role("button", name="patch in lower case").click()
    page.locator("#play-send").click()
    expect(page.locator("#play-why")).to_have_attribute("data-state", "blocked")
    name = f"{browser_name}-{scheme}-{size['width']}-{'in' if signed_in else 'out'}.png"
    page.screenshot(path=SCREENSHOTS / name, full_page=True)
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], "the page scrolls sideways"
    page.context.close()
