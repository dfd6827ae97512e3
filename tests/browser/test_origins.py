"""Real browsers allow the page of the project, and block other pages."""

from collections.abc import Callable
from typing import Any, TypeAlias

import pytest
import requests
from playwright.sync_api import Page, expect

from tests.browser.requests_of_a_page import REFUSED, count_preflights, fetch, with_json
from tests.running import RunningProject

DEMO = {"username": "demo", "password": "demo-password"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}

# name, path, options of fetch, status
Row: TypeAlias = tuple[str, str, dict[str, Any], int]
READABLE_BY_ANYONE: list[Row] = [
    ("simple get", "/api/public/hello", {}, 200),
    ("simple post of text", "/api/public/feedback", {"method": "POST", "body": "hello"}, 201),
    ("simple post of a form", "/api/public/feedback", {"method": "POST", "headers": FORM, "body": "message=x"}, 201),
    ("preflighted post", "/api/public/echo", with_json("POST", {"message": "x"}) | {"credentials": "omit"}, 200),
    ("not found", "/api/public/nothing", {}, 404),
    ("wrong method", "/api/public/hello", {"method": "POST"}, 405),
    ("wrong type of body", "/api/public/echo", {"method": "POST", "body": "hello"}, 415),
    ("wrong body", "/api/public/echo", with_json("POST", {}) | {"credentials": "omit"}, 422),
]
READABLE_BY_OUR_PAGE: list[Row] = [
    ("wrong password", "/api/auth/login", with_json("POST", DEMO | {"password": "wrong"}), 401),
    ("not signed in", "/api/auth/me", {"credentials": "include"}, 401),
    ("notes without login", "/api/notes", {"credentials": "include"}, 401),
    ("unknown note without login", "/api/notes/999999", {"credentials": "include"}, 401),
    ("unknown path", "/api/notes/1/2/3", {"credentials": "include"}, 404),
    ("login without credentials", "/api/auth/login", with_json("POST", {}), 422),
    ("login too large", "/api/auth/login", with_json("POST", DEMO | {"username": "x" * 2_000_000}), 413),
    ("wrong method", "/api/auth/login", {"credentials": "include"}, 405),
]


def build_params(table: list[Row]) -> list[Any]:
    return [pytest.param(*row, id=name) for name, *row in table]


@pytest.mark.parametrize(("path", "options", "status"), build_params(READABLE_BY_ANYONE))
def test_any_page_can_use_the_public_blueprint(
    foreign_page: Page, site: RunningProject, path: str, options: dict[str, object], status: int
) -> None:
    assert fetch(foreign_page, site.api + path, **options)["status"] == status


@pytest.mark.parametrize(("path", "options", "status"), build_params(READABLE_BY_OUR_PAGE))
def test_our_page_can_read_every_error(
    home: Page, site: RunningProject, path: str, options: dict[str, object], status: int
) -> None:
    assert fetch(home, site.api + path, **options)["status"] == status


@pytest.mark.parametrize(("path", "options", "_status"), build_params(READABLE_BY_OUR_PAGE))
def test_a_foreign_page_can_read_no_error(
    foreign_page: Page, site: RunningProject, path: str, options: dict[str, object], _status: int
) -> None:
    assert fetch(foreign_page, site.api + path, **options) == REFUSED


def test_a_foreign_page_cannot_act_for_the_signed_in_user(
    sign_in: Callable[[], Page], foreign_port: int, site: RunningProject
) -> None:
    page = sign_in()
    before = fetch(page, f"{site.api}/api/notes", credentials="include")
    page.goto(f"http://localhost:{foreign_port}/")  # same site, so the browser sends the cookie
    assert fetch(page, f"{site.api}/api/notes", credentials="include") == REFUSED
    assert fetch(page, f"{site.api}/api/notes", **with_json("POST", {"title": "foreign"})) == REFUSED
    simple = {"method": "POST", "body": '{"title": "foreign"}', "credentials": "include", "mode": "no-cors"}
    fetch(page, f"{site.api}/api/notes", **simple)  # a simple request: the API itself refuses it
    fetch(page, f"{site.api}/api/auth/logout", **{**simple, "body": ""})
    page.goto(site.page)
    expect(page.locator("#who")).to_have_text("Signed in as demo")
    after = fetch(page, f"{site.api}/api/notes", credentials="include")
    assert after["text"] == before["text"]


def test_no_page_can_read_a_path_without_a_policy(home: Page, site: RunningProject) -> None:
    for path in ("/health/live", "/health/ready", "/api/docs", "/api/openapi.json", "/"):
        assert fetch(home, site.api + path) == REFUSED


def test_our_page_can_read_the_exposed_headers_only(sign_in: Callable[[], Page], site: RunningProject) -> None:
    answer = fetch(sign_in(), f"{site.api}/api/notes", credentials="include")
    assert {"x-pagination", "content-type"} <= set(answer["headers"])
    assert "set-cookie" not in answer["headers"]
    assert "server" not in answer["headers"]


def test_within_max_age_there_is_one_preflight_for_each_url(sign_in: Callable[[], Page], site: RunningProject) -> None:
    page = sign_in()
    before = count_preflights(site, "/api/notes")
    for title in ("first", "second", "third"):
        assert fetch(page, f"{site.api}/api/notes", **with_json("POST", {"title": title}))["status"] == 201
    assert count_preflights(site, "/api/notes") == before + 1


def test_simple_requests_are_not_preflighted(foreign_page: Page, site: RunningProject) -> None:
    before = count_preflights(site, "/api/public/feedback"), count_preflights(site, "/api/public/hello")
    fetch(foreign_page, f"{site.api}/api/public/feedback", method="POST", body="hello")
    fetch(foreign_page, f"{site.api}/api/public/hello")
    assert (count_preflights(site, "/api/public/feedback"), count_preflights(site, "/api/public/hello")) == before


def test_a_json_request_is_preflighted(foreign_page: Page, site: RunningProject) -> None:
    before = count_preflights(site, "/api/public/echo")
    fetch(foreign_page, f"{site.api}/api/public/echo", **with_json("POST", {"message": "x"}) | {"credentials": "omit"})
    assert count_preflights(site, "/api/public/echo") == before + 1


def test_an_unlisted_request_header_blocks_the_request(home: Page, site: RunningProject) -> None:
    assert fetch(home, f"{site.api}/api/notes", headers={"X-Mine": "1"}, credentials="include") == REFUSED


def test_the_public_policy_does_not_allow_credentials(home: Page, site: RunningProject) -> None:
    assert fetch(home, f"{site.api}/api/public/hello", credentials="include") == REFUSED


def test_scripts_cannot_read_the_session_cookie(
    sign_in: Callable[[], Page], session_cookie: Callable[[], dict[str, object]]
) -> None:
    page = sign_in()
    cookie = session_cookie()
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["secure"], cookie["path"]) == (True, "Lax", False, "/")
    assert page.evaluate("document.cookie") == ""
    assert page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])") == "[{},{}]"


def test_after_the_sign_out_the_old_cookie_is_invalid(
    sign_in: Callable[[], Page], session_cookie: Callable[[], dict[str, str]], site: RunningProject
) -> None:
    page = sign_in()
    cookie = session_cookie()
    old = {cookie["name"]: cookie["value"]}
    assert requests.get(f"{site.api}/api/auth/me", cookies=old, timeout=30).status_code == 200
    page.get_by_role("button", name="Sign out").click()
    expect(page.locator("#who")).to_have_text("Not signed in")
    assert requests.get(f"{site.api}/api/auth/me", cookies=old, timeout=30).status_code == 401
