"""What the questions about licence, CI, deployment and language leave in a project: what was asked for, no more."""

import datetime
import re
import tomllib
from collections.abc import Callable

import pytest
from identify.identify import license_id

from tests.baking import COMBINATIONS, BakedProject

Answered = tuple[BakedProject, dict[str, object]]
DEFAULTS: dict[str, object] = {
    "license": "MIT",
    "ci": "GitHub",
    "deploy": "Docker",
    "author": "Ada Lovelace",
    "chinese": False,
}
CI = {
    "GitHub": {".github/dependabot.yml", ".github/workflows/tests.yml"},
    "GitLab": {".gitlab-ci.yml"},
    "none": set(),
}


@pytest.fixture(params=COMBINATIONS)
def answered(
    request: pytest.FixtureRequest, get_baked: Callable[[str], BakedProject]
) -> tuple[BakedProject, dict[str, object]]:
    """Return each combination with what was answered."""
    return get_baked(request.param), DEFAULTS | COMBINATIONS[request.param]


def test_the_combinations_have_each_choice() -> None:
    given = [DEFAULTS | answers for answers in COMBINATIONS.values()]
    assert {answers["license"] for answers in given} == {"MIT", "BSD-3-Clause", "Apache-2.0", "none"}
    assert {answers["ci"] for answers in given} == set(CI)
    assert {answers["deploy"] for answers in given} == {"Docker", "Docker and Kubernetes", "none"}
    assert {answers["chinese"] for answers in given} == {True, False}


def test_the_licence_is_the_one_that_was_asked_for(answered: Answered) -> None:
    project, answers = answered
    metadata = tomllib.loads(project.read("pyproject.toml"))["project"]
    if answers["license"] == "none":
        assert "LICENSE" not in project.files
        assert not {"license", "license-files"} & set(metadata)
        return
    assert license_id(str(project.path / "LICENSE")) == answers["license"]
    assert (metadata["license"], metadata["license-files"]) == (answers["license"], ["LICENSE"])


def test_the_licence_names_year_and_author(answered: Answered) -> None:
    project, answers = answered
    if answers["license"] != "none":
        now = datetime.datetime.now(datetime.UTC)
        years = {(now - datetime.timedelta(hours=hours)).year for hours in (0, 1)}  # of the tests' first minute, too
        lines = {line.strip().replace("(c) ", "").replace(",", "", 1) for line in project.read("LICENSE").splitlines()}
        assert lines & {f"Copyright {year} {answers['author']}" for year in years}


def test_ci_is_the_one_that_was_asked_for(answered: Answered) -> None:
    project, answers = answered
    found = {name for name in project.files if name.startswith((".github/", ".gitlab"))}
    assert found == CI[str(answers["ci"])]
    assert (project.path / ".github").exists() is (answers["ci"] == "GitHub")


def test_deployment_is_the_one_that_was_asked_for(answered: Answered) -> None:
    project, answers = answered
    docker, kubernetes = answers["deploy"] != "none", answers["deploy"] == "Docker and Kubernetes"
    found = {name for name in project.files if name.startswith("deploy/")}
    assert ({".dockerignore", "deploy/Dockerfile", "deploy/compose.yaml"} <= set(project.files)) is docker
    assert bool(found) is docker
    assert any("kubernetes" in name for name in found) is kubernetes
    assert (project.path / "deploy").exists() is docker
    assert (project.path / "deploy" / "kubernetes").exists() is kubernetes


def test_nothing_speaks_of_a_deployment_that_was_not_asked_for(answered: Answered) -> None:
    project, answers = answered
    words = {"none": r"deploy/|docker|compose\.yaml|kube", "Docker": "kube"}
    if pattern := words.get(str(answers["deploy"])):
        pages = [name for name in project.files if name.endswith((".md", ".yml", ".yaml", ".toml", "file", "example"))]
        lines = {f"{name}: {line}" for name in pages for line in project.read(name).splitlines()}
        assert {line for line in lines if re.search(pattern, line, flags=re.IGNORECASE)} == set()


def test_a_readme_in_chinese_is_there_when_asked_for_and_nobody_links_to_it_otherwise(answered: Answered) -> None:
    project, answers = answered
    assert ("README.zh-CN.md" in project.files) is answers["chinese"]
    assert ("README.zh-CN.md" in project.read("README.md")) is answers["chinese"]
