"""Take the screenshot in the README: `uv run python -m scripts.screenshot`."""

import re
import tempfile
from pathlib import Path

from playwright.sync_api import FloatRect, Page, expect, sync_playwright

from tests.baking import bake
from tests.browser.browsers import launch_options
from tests.running import running

DOCS = Path(__file__).parents[1] / "docs"


def main() -> None:
    """Generate a project, start it and take a screenshot of its page."""
    DOCS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        project = bake(Path(folder))
        options = launch_options(playwright, "chromium")
        if options is None:
            raise SystemExit("Chromium is not installed. Run: uv run playwright install chromium")
        with running(project, command=["uv", "run", "dev.py"]) as started:
            started.wait_until_ready()
            browser = playwright.chromium.launch(**options)
            page = browser.new_page(viewport={"width": 1120, "height": 900})
            page.goto(started.page)
            visit(page)
            page.screenshot(path=DOCS / "page.png", full_page=True, clip=find_part(page))
            browser.close()
    print(f"{DOCS / 'page.png'}: {(DOCS / 'page.png').stat().st_size // 1000} kB")


def visit(page: Page) -> None:
    """Sign in and send some requests for the screenshot."""
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#who")).to_have_text("Signed in as demo")
    for kind in ("credentialed", "no-cors"):
        card = page.locator(f'[data-request="{kind}"]')
        card.get_by_role("button", name="Send").click()
        expect(card.locator("[data-outcome]")).to_have_attribute("data-state", re.compile(".+"))
    page.locator("#presets").get_by_role("button", name="header that is not allowed").click()
    page.locator("#play-send").click()
    expect(page.locator("#play-why")).to_have_attribute("data-state", "blocked")
    page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")


def find_part(page: Page) -> FloatRect:
    """Return the part of the page from the heading of the playground to the fix, in pixels."""
    heading = page.locator("#playground-heading").bounding_box()
    fix = page.locator("#play-why").get_by_text("Fix:").first.bounding_box()
    assert heading is not None
    assert fix is not None
    top, bottom = heading["y"] - 16, fix["y"] + fix["height"] + 8
    return {"x": 0, "y": top, "width": 1120, "height": bottom - top}


if __name__ == "__main__":
    main()
