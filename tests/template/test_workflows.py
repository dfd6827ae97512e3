"""The CI workflows are valid and secure, cover every system and version, and run the commands of the README.

All tools work offline. jactionlint has the checks of actionlint, whose own wheel downloads a program.
"""

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.baking import COMBINATIONS, BakedProject, template, tool
from tests.template.reading import get_blocks

SYSTEMS = ["ubuntu-latest", "macos-latest", "windows-latest"]
PYTHONS = ["3.11", "3.12", "3.13", "3.14"]
NODES = ["20", "22", "24"]
SCHEMAS = {
    "tests.yml": ["vendor.github-workflows"],
    "weekly.yml": ["vendor.github-workflows"],
    "dependabot.yml": ["vendor.dependabot"],
    ".gitlab-ci.yml": ["vendor.gitlab-ci", "--data-transform", "gitlab-ci"],
}
PINNED = r"(?m)^ +(?:- )?uses: (\S+?)@(.*)$"


LINTERS = {
    "zizmor": [tool("zizmor"), "--offline", "--pedantic", "--no-progress"],
    "jactionlint": [tool("jactionlint"), "--strict-exit", "--shellcheck=", "--pyflakes="],
}


@pytest.fixture(params=["the template", *COMBINATIONS])
def owner(request: pytest.FixtureRequest, get_baked: Callable[[str], BakedProject]) -> BakedProject:
    """Return the template, then each combination."""
    return BakedProject(template(), (), ()) if request.param == "the template" else get_baked(request.param)


def find_ci_files(project: BakedProject) -> list[Path]:
    return sorted([*project.path.glob(".github/**/*.yml"), *project.path.glob(".gitlab-ci.yml")])


@pytest.mark.parametrize("linter", LINTERS)
def test_the_workflow_linter_finds_no_problem(owner: BakedProject, linter: str) -> None:
    files = [str(path) for path in find_ci_files(owner) if ".github" in path.parts]
    if files:
        owner.check_output(*LINTERS[linter], *files)


def test_every_ci_file_is_valid_for_its_schema(owner: BakedProject) -> None:
    for path in find_ci_files(owner):
        owner.check_output(tool("check-jsonschema"), "--builtin-schema", *SCHEMAS[path.name], str(path))


# mistakes that each linter must find: correct text, wrong text, name of the finding
MISTAKES = [
    ("zizmor", r"@3d3c42e5\w+ # v\S+", "@v7", "unpinned-uses"),
    ("zizmor", "persist-credentials: false", "fetch-depth: 1", "artipacked"),
    ("zizmor", r"permissions:\n  contents: read", "permissions: write-all", "excessive-permissions"),
    ("jactionlint", r"matrix\.python", "matrix.pyhton", "undefined-property"),
    ("jactionlint", "runs-on:", "run-on:", "workflow-syntax"),
]


@pytest.mark.parametrize(("linter", "right", "wrong", "finding"), MISTAKES, ids=[row[-1] for row in MISTAKES])
def test_the_workflow_linter_finds(
    get_baked: Callable[[str], BakedProject], tmp_path: Path, linter: str, right: str, wrong: str, finding: str
) -> None:
    copy = BakedProject(tmp_path, (), ())
    shutil.copytree(get_baked("default").path / ".github", tmp_path / ".github")
    workflow = tmp_path / ".github" / "workflows" / "tests.yml"
    text, changes = re.subn(right, wrong, workflow.read_text("utf-8"))
    assert changes
    workflow.write_text(text, "utf-8")
    said = copy.run(*LINTERS[linter], str(workflow)).stdout
    assert re.search(finding, said), said


def test_each_action_is_pinned_to_one_commit_with_its_version() -> None:
    paths = [path for path in template().rglob("*.yml") if "github" in str(path)]
    pins: dict[str, set[str]] = {}
    for action, pin in re.findall(PINNED, "".join(path.read_text("utf-8") for path in paths)):
        pins.setdefault(action, set()).add(pin)
    assert set(pins) == {"actions/checkout", "actions/setup-node", "astral-sh/setup-uv"}
    for action, found in pins.items():
        assert len(found) == 1, f"{action} has several pins: {found}"
        assert re.fullmatch(r"[0-9a-f]{40} # v\d+\.\d+\.\d+", "".join(found)), action


def get_jobs(project: BakedProject, path: str = ".github/workflows/tests.yml") -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load(project.read(path))
    return dict(read.get("jobs", read))


def test_github_runs_every_system_and_version(get_baked: Callable[[str], BakedProject]) -> None:
    jobs = get_jobs(get_baked("default"))
    assert jobs["api"]["strategy"]["matrix"] == {"os": SYSTEMS, "python": PYTHONS}
    assert jobs["front-end"]["strategy"]["matrix"] == {"node": NODES}
    ours = get_jobs(BakedProject(template(), (), ()))["template"]["strategy"]["matrix"]
    assert (ours["os"], ours["python"]) == (SYSTEMS, PYTHONS)
    assert {pair["python"] for pair in ours["include"]} == set(PYTHONS)
    assert sorted({pair["node"] for pair in ours["include"]}) == NODES


def test_gitlab_runs_every_version(get_baked: Callable[[str], BakedProject]) -> None:
    jobs = get_jobs(get_baked("interceptor"), ".gitlab-ci.yml")
    assert jobs["api"]["parallel"]["matrix"] == [{"PYTHON": PYTHONS}]
    assert jobs["front-end"]["parallel"]["matrix"] == [{"NODE": NODES}]


def test_ci_tests_the_front_end_only_if_it_exists(get_baked: Callable[[str], BakedProject]) -> None:
    assert list(get_jobs(get_baked("without-front-end"))) == ["api"]
    assert "front-end" not in get_jobs(get_baked("interceptor-without-front-end"), ".gitlab-ci.yml")


@pytest.mark.parametrize("combination", ["default", "interceptor"])
def test_ci_runs_the_commands_of_the_readme(get_baked: Callable[[str], BakedProject], combination: str) -> None:
    project = get_baked(combination)
    [path] = [name for name in project.files if name.endswith(("tests.yml", ".gitlab-ci.yml"))]
    [checks] = [block.code for block in get_blocks(project.read("README.md")) if block.section == "Test and check"]
    commands = {*checks.splitlines(), *re.findall("`(npm (?:test|run (?!types)[a-z]+))`", project.read("README.md"))}
    assert len(commands) == 8
    ran = re.findall(r"(?m)^ +- (?:run: )?(\S.*)$", project.read(path))
    assert [command for command in commands if command not in ran] == []


def test_the_extra_commands_of_ci_work_in_a_clone(get_installed: Callable[[str], BakedProject], tmp_path: Path) -> None:
    project = get_installed("default")
    clone = BakedProject(tmp_path / "clone", (), ())
    project.check_output("git", "clone", "--quiet", ".", str(clone.path))
    runs = [step["run"] for step in get_jobs(project)["api"]["steps"] if "run" in step]
    assert runs[-2:] == ['uv run python -c "import dev; dev.write_env()"', "uv run flask cors check"]
    clone.check_output("uv", "run", "--quiet", "python", "-c", "import dev; dev.write_env()")
    clone.check_output("uv", "run", "--quiet", "flask", "cors", "check")
