"""Page, API, documentation and `explain` work in a browser below a path of a reverse proxy."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.baking import BakedProject
from tests.browser.test_one_origin import sign_in
from tests.client import PASSWORD, USER
from tests.production import serving_api
from tests.proxies import nginx_command
from tests.running import preferred_port, running
from tests.serving import serving
from tests.template.reading import get_blocks

SECTION = "How do I serve it below a path, such as /lab/?"
ASK_WHY = """async (url) => {
    const { requestExplanation } = await import("/src/explain.ts");
    return await requestExplanation({ method: "PUT", url, origin: location.origin, headers: [], credentials: true });
}"""


@pytest.fixture(scope="module")
def project(get_complete: Callable[[str], BakedProject]) -> BakedProject:
    """Return the default project."""
    return get_complete("default")


def build_nginx_command(project: BakedProject, folder: Path, api: int, port: int) -> list[str]:
    """Return the command of nginx with the configuration of the two pages."""
    [nginx_block] = [b.code for b in get_blocks(project.read("docs/other-places.md")) if b.language == "nginx"]
    headers = re.findall(r" +(proxy_set_header (?!Cookie|X-Forwarded-Prefix).*)\n", project.read("docs/production.md"))
    location = nginx_block.replace(":8000", f":{api}").replace("{\n", "{\n" + "\n".join([*headers, ""]))
    return nginx_command(folder, f"server {{ listen 127.0.0.1:{port}; {location} }}")


@pytest.fixture(scope="module")
def lab(project: BakedProject, database: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Build and serve the page with the documented commands. Yield its URL below the path."""
    folder, port = tmp_path_factory.mktemp("below"), preferred_port(0)
    [build] = [
        b.code for b in get_blocks(project.read("docs/other-places.md")) if (b.section, b.language) == (SECTION, "sh")
    ]
    project.check_output("sh", "-ec", build.replace("--base", f"--outDir {folder / 'page'} --base"))
    settings = {"FRONTEND_ORIGINS": "none", "FRONTEND_DIST": str(folder / "page"), "TRUSTED_PROXIES": "1", "DOCS": "1"}
    with (
        serving_api(folder, project, {**database, **settings}) as server,
        serving(build_nginx_command(project, folder, server.port, port), port, folder),
    ):
        yield f"http://localhost:{port}/lab/"


def test_the_page_signs_in(page: Page, lab: str) -> None:
    sign_in(page, lab, USER, PASSWORD)
    page.reload()
    expect(page.locator("#who")).to_have_text(f"Signed in as {USER}")


def test_the_documentation_sends_requests(page: Page, lab: str) -> None:
    page.goto(f"{lab}api/docs")
    hello = page.locator("#operations-public-get_api_public_hello")
    hello.click()
    hello.get_by_role("button", name="Try it out").click()
    with page.expect_response(re.compile("/api/public/hello$")) as answer:
        hello.get_by_role("button", name="Execute").click()
    assert (answer.value.url, answer.value.status) == (f"{lab}api/public/hello", 200)


def test_in_development_an_explanation_includes_the_path(page: Page, project: BakedProject, tmp_path: Path) -> None:
    port = preferred_port(0)
    with running(project, {"TRUSTED_PROXIES": "1"}) as started:
        started.wait_until_ready()
        with serving(build_nginx_command(project, tmp_path, int(started.api.rpartition(":")[2]), port), port, tmp_path):
            page.goto(started.page)
            found = page.evaluate(ASK_WHY, f"http://localhost:{port}/lab/api/notes/1")
            assert (found["allowed"], found["preflighted"]) == (True, True)
