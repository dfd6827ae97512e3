"""The strategies differ in one file of the application. `crossorigin` is the same in every project."""

import re
from collections.abc import Callable

import pytest

from scripts.budgets import measure_functions
from tests.baking import BakedProject, template

STRATEGIES = {"flask-cors": "default", "interceptor": "interceptor", "proxy": "proxy"}
LIBRARY = re.compile(r"(?<!cookiecutter-)flask[-_]cors")


def test_crossorigin_is_the_same_in_every_project(project: BakedProject) -> None:
    source = template() / "{{cookiecutter.__project_slug}}" / "crossorigin"
    names = [p.relative_to(source).as_posix() for p in source.rglob("*") if p.is_file()]
    assert len(names) > 10
    for name in names:
        assert (project.path / "crossorigin" / name).read_bytes() == (source / name).read_bytes(), name
    assert len(names) == sum(name.startswith("crossorigin/") for name in project.files)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_only_the_strategy_flask_cors_has_the_library(get_baked: Callable[[str], BakedProject], strategy: str) -> None:
    project = get_baked(STRATEGIES[strategy])
    for name in (f"{project.package}/cors_headers.py", "pyproject.toml"):
        assert bool(LIBRARY.search(project.read(name))) is (strategy == "flask-cors")
    python = [n for n in project.files if n.endswith(".py") and not n.startswith(("crossorigin/", "tests/"))]
    assert {n for n in python if LIBRARY.search(project.read(n))} <= {f"{project.package}/cors_headers.py"}


def test_the_strategy_proxy_has_the_same_file_as_interceptor(get_baked: Callable[[str], BakedProject]) -> None:
    one, other = (get_baked(STRATEGIES[strategy]) for strategy in ("interceptor", "proxy"))
    assert one.read(f"{one.package}/cors_headers.py") == other.read(f"{other.package}/cors_headers.py")


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_file_is_short(get_baked: Callable[[str], BakedProject], strategy: str) -> None:
    project = get_baked(STRATEGIES[strategy])
    source = project.read(f"{project.package}/cors_headers.py")
    assert source.count("\n") <= 60
    assert max(size for _, size in measure_functions(source)) <= 40


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_setting_changes_from_one_origin_to_two_and_back(
    get_installed: Callable[[str], BakedProject], strategy: str
) -> None:
    project = get_installed(STRATEGIES[strategy])
    arguments = ["GET", "/api/auth/me", "--origin", "http://localhost:3000", "--credentials"]
    command = [project.python, "-m", "flask", "--app", project.package, "cors", "explain", *arguments]
    for origins, allowed in (("http://localhost:3000", True), ("none", False)):
        run = project.run(*command, env={"FRONTEND_ORIGINS": origins})
        assert ("ALLOWED" in run.stdout, run.returncode == 0) == (allowed, allowed), run.stdout
