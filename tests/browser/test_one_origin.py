"""The strategy proxy in real browsers: one origin, no preflight and no CORS header."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Response, expect

from tests.baking import BakedProject
from tests.browser.conftest import Deploy
from tests.browser.deployment import PAGE_HOST, build_frontend
from tests.client import PASSWORD, USER
from tests.production import serving_api
from tests.running import RunningProject


def sign_in(page: Page, address: str, username: str, password: str) -> None:
    """Open a page that has the origin of its API, and sign in with the form."""
    page.goto(address)
    expect(page.locator("#relation")).to_have_text("same origin (proxy)")
    page.get_by_label("Name").fill(username)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#who")).to_have_text(f"Signed in as {username}")


def use_page(page: Page, origin: str, username: str, password: str) -> list[Response]:
    """Sign in, add and delete a note, reload and sign out. Return all responses."""
    answers: list[Response] = []
    page.on("response", lambda answer: answers.append(answer))
    sign_in(page, origin, username, password)
    page.get_by_label("Title", exact=True).fill("of one origin")
    page.get_by_role("button", name="Add note").click()
    note = page.get_by_role("listitem").filter(has_text="of one origin")
    note.get_by_role("button", name="Delete").click()
    expect(note).to_have_count(0)
    page.reload()
    expect(page.locator("#who")).to_have_text(f"Signed in as {username}")
    page.get_by_role("button", name="Sign out").click()
    expect(page.locator("#who")).to_have_text("Not signed in")
    return answers


def has_cors(answer: Response) -> bool:
    return any(header["name"].lower().startswith("access-control-") for header in answer.headers_array())


def test_through_vite_there_is_no_preflight_and_no_cors_header(page: Page, one_origin: RunningProject) -> None:
    answers = use_page(page, one_origin.page, "demo", "demo-password")
    assert {"POST", "DELETE", "GET"} <= {answer.request.method for answer in answers}
    assert [answer.url for answer in answers if has_cors(answer)] == []
    assert re.search(r"\bDELETE /api/notes/\d+ 204\b", one_origin.output)  # so requests of the API appear in its output
    assert "OPTIONS" not in one_origin.output


def test_through_caddy_page_and_api_work_over_https(page: Page, deploy: Deploy) -> None:
    home, _ = deploy((PAGE_HOST, PAGE_HOST), combination="proxy")
    answers = use_page(page, home, USER, PASSWORD)
    assert [answer.url for answer in answers if has_cors(answer)] == []
    (login,) = (answer for answer in answers if answer.url.endswith("/api/auth/login"))
    cookie = login.header_value("set-cookie") or ""
    assert cookie.startswith("__Host-my_lab_api_session=")
    assert cookie.endswith("; Secure; HttpOnly; Path=/; SameSite=Lax")
    check_deep_links(page, home)


@pytest.fixture(scope="session")
def flask_origin(
    get_complete: Callable[[str], BakedProject], database: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Run the API in production with the built page, without a reverse proxy."""
    project, folder = get_complete("proxy"), tmp_path_factory.mktemp("page")
    settings = {**database, "FRONTEND_ORIGINS": "none", "FRONTEND_DIST": str(build_frontend(project, folder, ""))}
    with serving_api(folder, project, settings) as server:
        yield f"http://localhost:{server.port}"


def test_flask_serves_a_working_page(page: Page, flask_origin: str) -> None:
    use_page(page, flask_origin, USER, PASSWORD)
    check_deep_links(page, flask_origin)


def check_deep_links(page: Page, home: str) -> None:
    """Open a client-side route. Assert that the page and all its assets load."""
    answers: list[Response] = []
    page.on("response", lambda answer: answers.append(answer))
    page.goto(f"{home}/samples/7", wait_until="networkidle")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.locator("#relation")).to_have_text("same origin (proxy)")
    assets = {Path(answer.url).suffix: answer.status for answer in answers if "/assets/" in answer.url}
    assert {".css", ".js"} <= set(assets)
    assert set(assets.values()) <= {200, 304}
