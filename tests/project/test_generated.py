"""Each generated project passes its own tests and checks without changes."""

import ast
import json
import re
import shutil
import tomllib
from collections.abc import Callable

import pytest

from tests.baking import CHECKOUT, COMBINATIONS, BakedProject, template

FRONT_END_CHECKS = {
    "types": ["node", "node_modules/typescript/bin/tsc", "--noEmit"],
    "style": ["node", "node_modules/@biomejs/biome/bin/biome", "ci"],
    "tests": ["node", "node_modules/vitest/vitest.mjs", "run"],
    "build": ["node", "node_modules/vite/bin/vite.js", "build"],
}


@pytest.fixture(scope="session", params=COMBINATIONS)
def project(request: pytest.FixtureRequest, get_installed: Callable[[str], BakedProject]) -> BakedProject:
    """Return each combination with its Python packages."""
    return get_installed(request.param)


@pytest.fixture(scope="session")
def mypy_cache(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Share the cache of mypy between all projects. It identifies files by their contents."""
    return {"MYPY_CACHE_DIR": str(tmp_path_factory.mktemp("mypy"))}


def test_ruff_finds_nothing(project: BakedProject) -> None:
    project.check_output("uv", "run", "ruff", "check")


def test_ruff_format_changes_nothing(project: BakedProject) -> None:
    project.check_output("uv", "run", "ruff", "format", "--check")


def test_mypy_finds_nothing(project: BakedProject, mypy_cache: dict[str, str]) -> None:
    project.check_output("uv", "run", "mypy", "--strict", project.package, "dev.py", env=mypy_cache)


def test_its_tests_pass_and_cover_it(project: BakedProject) -> None:
    report = project.path / "coverage.json"
    # coverage is slow, so it is measured once for each variant of the code
    measured = (project.path / "frontend").exists() and project.package == "my_lab_api"
    coverage = [f"--cov={project.package}", "--cov-branch", f"--cov-report=json:{report}"]
    said = project.check_output("uv", "run", "pytest", "-q", *(coverage if measured else []))
    passed = re.search(r"(\d+) passed(, \d+ \w+)* in ([\d.]+)s", said)
    assert passed is not None, said
    assert "skipped" not in passed[0]
    assert "failed" not in passed[0]
    assert 100 <= int(passed[1]) <= 190  # the budget for the tests of a project
    if measured:
        covered = json.loads(report.read_text("utf-8"))["totals"]["percent_covered"]
        report.unlink()
        assert covered >= 95, said


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("default", "without-front-end"),
        ("interceptor", "interceptor-without-front-end"),
        ("proxy", "proxy-without-front-end"),
        ("interceptor", "proxy"),
    ],
)
def test_both_combinations_have_the_same_python_code(
    get_baked: Callable[[str], BakedProject], one: str, other: str
) -> None:
    assert get_python_files(get_baked(one)) == get_python_files(get_baked(other))


def test_only_the_writer_of_cors_headers_depends_on_the_strategy(get_baked: Callable[[str], BakedProject]) -> None:
    one, other = (get_python_files(get_baked(combination)) for combination in ("default", "interceptor"))
    assert {name for name in one | other if one.get(name) != other.get(name)} == {"my_lab_api/cors_headers.py"}


def get_python_files(project: BakedProject) -> dict[str, str]:
    return {name: project.read(name) for name in project.files if name.endswith(".py")}


def test_after_the_tests_there_is_nothing_to_commit(project: BakedProject) -> None:
    project.check_output("uv", "run", "pytest", "-q", "tests/test_public.py")
    assert (project.path / "uv.lock").exists()
    assert project.check_output("git", "status", "--porcelain") == ""


def test_no_line_is_excluded_from_coverage(project: BakedProject) -> None:
    assert [n for n in project.files if n.endswith((".py", ".toml")) and "no cover" in project.read(n)] == []


@pytest.mark.parametrize("check", FRONT_END_CHECKS)
def test_the_front_end_passes_the_check(with_node: BakedProject, check: str) -> None:
    with_node.check_output(*FRONT_END_CHECKS[check], folder="frontend")


def test_the_front_end_explains_failed_requests(with_node: BakedProject) -> None:
    tests = with_node.path / "frontend" / "src" / "explain.test.ts"
    shutil.copy(CHECKOUT / "tests" / "project" / tests.name, tests)
    try:
        with_node.check_output(*FRONT_END_CHECKS["tests"], f"src/{tests.name}", folder="frontend")
    finally:
        tests.unlink()


def test_the_npm_lock_file_contains_no_url(with_node: BakedProject) -> None:
    lock = json.loads(with_node.read("frontend/package-lock.json"))
    assert [name for name, package in lock["packages"].items() if "resolved" in package] == []


def test_no_slug_can_shadow_a_dependency(get_installed: Callable[[str], BakedProject]) -> None:
    hook = ast.parse((template() / "hooks" / "pre_gen_project.py").read_text("utf-8"))
    refused = {word for node in ast.walk(hook) if isinstance(node, ast.Constant) for word in str(node.value).split()}
    project = get_installed("default")
    settings = tomllib.loads(project.read("pyproject.toml"))
    requirements = [*settings["project"]["dependencies"], *settings["dependency-groups"]["dev"]]
    names = {re.split("[^a-z0-9-]", requirement, maxsplit=1)[0] for requirement in requirements}
    listing = "import importlib.metadata as m, json; print(json.dumps(m.packages_distributions()))"
    for module, distributions in json.loads(project.check_output(project.python, "-c", listing)).items():
        if names & set(map(str.lower, distributions)) and "__" not in module[1:] and module[0] != "_":
            names.add(module.replace("_", "-"))
    assert sorted(names - refused) == []
