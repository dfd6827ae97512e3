"""The steps of docs/another-front-end.md work: Vue and React can sign in, and Svelte compiles both files."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.baking import BakedProject, environment
from tests.running import RunningProject, running
from tests.template.reading import get_blocks

PAGE = "docs/another-front-end.md"
APPS = {"vue-ts": ("vue", "src/App.vue"), "react-ts": ("tsx", "src/App.tsx")}


@pytest.fixture(scope="module")
def project(with_node: BakedProject, tmp_path_factory: pytest.TempPathFactory) -> BakedProject:
    """Return a copy of the default project for other front ends."""
    path = tmp_path_factory.mktemp("another") / "lab"
    shutil.copytree(with_node.path, path, ignore=shutil.ignore_patterns(".venv", "node_modules", "instance"))
    return BakedProject(path, with_node.files, ())


def create(project: BakedProject, template: str) -> Path:
    """Run the commands of the page and return the folder of the front end."""
    [commands] = [block.code for block in get_blocks(project.read(PAGE)) if block.language == "sh"]
    shutil.rmtree(project.path / "web", ignore_errors=True)
    done = subprocess.run(
        ["sh", "-ec", commands.replace("vue-ts", template)],
        cwd=project.path,
        env=environment({"npm_config_yes": "true", "npm_config_audit": "false", "npm_config_prefer_offline": "true"}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return project.path / "web"


def test_svelte_compiles_both_files(project: BakedProject) -> None:
    create(project, "svelte-ts")
    assert "found 0 errors" in project.check_output("npm", "run", "check", folder="web")


@pytest.fixture(scope="module", params=APPS)
def application(request: pytest.FixtureRequest, project: BakedProject) -> BakedProject:
    """Return the project with another front end, written as the page says and built."""
    language, file = APPS[request.param]
    web, found = create(project, request.param), get_blocks(project.read(PAGE))
    codes = {block.language: block.code for block in found}
    config = (web / "vite.config.ts").read_text("utf-8")
    start = "export default defineConfig({\n"
    assert start in config
    (web / "vite.config.ts").write_text(config.replace(start, start + codes["ts"]), "utf-8")
    (web / file).write_text(codes[language], "utf-8")
    said = project.check_output("npm", "run", "build", folder="web")  # includes the type check
    assert re.search("✓ built", said)
    return project


@pytest.fixture(scope="module", params=["two origins", "one origin"])
def started(
    request: pytest.FixtureRequest, application: BakedProject, with_node: BakedProject
) -> Iterator[RunningProject]:
    """Run the project with its other front end."""
    one = {"FRONTEND_ORIGINS": "none", "VITE_API_URL": ""} if request.param == "one origin" else {}
    env = {"FRONTEND_DIR": "web", "PYTHONPATH": str(application.path), **one}
    with running(application, env, [with_node.python, "dev.py"]) as found:
        found.wait_until_ready()
        yield found


@pytest.mark.only_browser("chromium")  # test_page.py signs in with the same client in Firefox
def test_it_signs_in(page: Page, started: RunningProject) -> None:
    page.goto(started.page)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("p")).to_have_text("demo")


def test_outdated_api_types_are_found(with_node: BakedProject) -> None:
    checks = ["npm", "run", "types", "--", "--check"]
    with_node.check_output(*checks, folder="frontend")
    schemas = with_node.path / with_node.package / "auth.py"
    before = schemas.read_text("utf-8")
    try:
        schema = "class UserSchema(ma.Schema):\n"
        schemas.write_text(before.replace(schema, f"{schema}    room = ma.fields.String()\n"), "utf-8")
        assert with_node.run(*checks, folder="frontend").returncode != 0
    finally:
        schemas.write_text(before, "utf-8")
