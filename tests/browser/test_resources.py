"""What a page can do with a file of another origin with CORS, and without CORS for comparison."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.running import RunningProject

USES = ["fetch", "xhr", "font", "canvas", "webgl", "shape"]
# a script of the page loads an image and returns the outcome
LOAD = """([url, crossOrigin]) => new Promise((done) => {
  const image = new Image();
  if (crossOrigin) image.crossOrigin = crossOrigin;
  image.onload = () => done("loaded");
  image.onerror = () => done("refused");
  image.src = url;
})"""


@pytest.fixture
def loaded_page(home: Page) -> Page:
    """Return the page after it has loaded every file with and without CORS."""
    home.get_by_role("button", name="Load all files").click()
    expect(home.locator('[data-from][data-state=""]')).to_have_count(0)
    return home


def get_states(page: Page, blueprint: str) -> dict[str | None, str | None]:
    halves = page.locator(f'[data-resource] > [data-from="{blueprint}"]').all()
    return {half.locator("..").get_attribute("data-resource"): half.get_attribute("data-state") for half in halves}


def test_each_use_succeeds_with_cors_and_is_refused_without(loaded_page: Page, browser_name: str) -> None:
    cors, no_cors = get_states(loaded_page, "cors"), get_states(loaded_page, "no-cors")
    if browser_name == "firefox" and cors["webgl"] == "unsupported":  # it needs a driver, which no test machine has
        assert (cors.pop("webgl"), no_cors.pop("webgl")) == ("unsupported", "unsupported")
    assert list(cors) == list(no_cors) == [use for use in USES if use in cors]
    assert set(cors.values()) == {"ok"}, cors
    assert set(no_cors.values()) == {"blocked"}, no_cors
    expect(loaded_page.locator('[data-resource="fetch"]')).to_contain_text("without CORS: blocked")


def test_the_reported_outcomes_are_visible(loaded_page: Page) -> None:
    family = "(element) => getComputedStyle(element).fontFamily"
    font = loaded_page.locator('[data-resource="font"] .lettering')
    assert "From the API" in font.nth(0).evaluate(family)
    assert "From the API" not in font.nth(1).evaluate(family)
    # the first line of text starts inside the image box if it flows around the shape
    inside = "(words) => words.getClientRects()[0].left < words.previousSibling.getBoundingClientRect().right"
    words = loaded_page.locator('[data-resource="shape"] .sample > span')
    assert [words.nth(0).evaluate(inside), words.nth(1).evaluate(inside)] == [True, False]
    # both canvases show the image, but the page cannot read the second one
    middle = "(canvas) => { try { return [...canvas.getContext('2d').getImageData(36, 36, 1, 1).data]; } catch { } }"
    canvas = loaded_page.locator('[data-resource="canvas"] canvas')
    assert canvas.nth(0).evaluate(middle)[3] == 255
    assert canvas.nth(1).evaluate(middle) is None
    assert canvas.nth(0).screenshot() == canvas.nth(1).screenshot()


@pytest.mark.parametrize(
    ("path", "mode", "outcome"),
    [
        ("/api/demo/cors/assets/cors.png", None, "loaded"),
        ("/api/demo/cors/assets/cors.png", "anonymous", "loaded"),
        ("/api/demo/cors/assets/cors.png", "use-credentials", "refused"),
        ("/api/demo/no-cors/assets/cors.png", None, "loaded"),
        ("/api/demo/no-cors/assets/cors.png", "anonymous", "refused"),
    ],
)
def test_an_image_without_cors_mode_is_shown(
    home: Page, site: RunningProject, path: str, mode: Any, outcome: str
) -> None:
    assert home.evaluate(LOAD, [site.api + path, mode]) == outcome


def test_a_same_origin_resource_policy_blocks_an_image_cross_site(page: Page, site: RunningProject) -> None:
    page.goto(site.page.replace("localhost", "127.0.0.1"))  # another site: Cross-Origin-Resource-Policy same-origin
    assert page.evaluate(LOAD, [f"{site.api}/api/docs/favicon-32x32.png", None]) == "refused"
    assert page.evaluate(LOAD, [f"{site.api}/api/demo/no-cors/assets/cors.png", None]) == "loaded"
