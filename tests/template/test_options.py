"""A project contains the chosen licence, CI, deployment and language, and no other."""

import datetime
import re
import tomllib
from collections.abc import Callable

import pytest
from identify.identify import license_id

from tests.baking import COMBINATIONS, BakedProject

ProjectAndAnswers = tuple[BakedProject, dict[str, object]]
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
def project_and_answers(
    request: pytest.FixtureRequest, get_baked: Callable[[str], BakedProject]
) -> tuple[BakedProject, dict[str, object]]:
    """Return each combination with its answers."""
    return get_baked(request.param), DEFAULTS | COMBINATIONS[request.param]


def test_the_combinations_cover_each_choice() -> None:
    given = [DEFAULTS | answers for answers in COMBINATIONS.values()]
    assert {answers["license"] for answers in given} == {"MIT", "BSD-3-Clause", "Apache-2.0", "none"}
    assert {answers["ci"] for answers in given} == set(CI)
    assert {answers["deploy"] for answers in given} == {"Docker", "Docker and Kubernetes", "none"}
    assert {answers["chinese"] for answers in given} == {True, False}


def test_the_licence_is_the_chosen_one(project_and_answers: ProjectAndAnswers) -> None:
    project, answers = project_and_answers
    metadata = tomllib.loads(project.read("pyproject.toml"))["project"]
    if answers["license"] == "none":
        assert "LICENSE" not in project.files
        assert not {"license", "license-files"} & set(metadata)
        return
    assert license_id(str(project.path / "LICENSE")) == answers["license"]
    assert (metadata["license"], metadata["license-files"]) == (answers["license"], ["LICENSE"])


def test_the_licence_names_year_and_author(project_and_answers: ProjectAndAnswers) -> None:
    project, answers = project_and_answers
    if answers["license"] != "none":
        now = datetime.datetime.now(datetime.UTC)
        years = {
            (now - datetime.timedelta(hours=hours)).year for hours in (0, 1)
        }  # the year can change during the tests
        lines = {line.strip().replace("(c) ", "").replace(",", "", 1) for line in project.read("LICENSE").splitlines()}
        assert lines & {f"Copyright {year} {answers['author']}" for year in years}


def test_ci_is_the_chosen_one(project_and_answers: ProjectAndAnswers) -> None:
    project, answers = project_and_answers
    found = {name for name in project.files if name.startswith((".github/", ".gitlab"))}
    assert found == CI[str(answers["ci"])]
    assert (project.path / ".github").exists() is (answers["ci"] == "GitHub")


def test_deployment_is_the_chosen_one(project_and_answers: ProjectAndAnswers) -> None:
    project, answers = project_and_answers
    docker, kubernetes = answers["deploy"] != "none", answers["deploy"] == "Docker and Kubernetes"
    found = {name for name in project.files if name.startswith("deploy/")}
    assert ({".dockerignore", "deploy/Dockerfile", "deploy/compose.yaml"} <= set(project.files)) is docker
    assert bool(found) is docker
    assert any("kubernetes" in name for name in found) is kubernetes
    assert (project.path / "deploy").exists() is docker
    assert (project.path / "deploy" / "kubernetes").exists() is kubernetes


def test_no_file_mentions_a_deployment_that_is_not_chosen(project_and_answers: ProjectAndAnswers) -> None:
    project, answers = project_and_answers
    words = {"none": r"deploy/|docker|compose\.yaml|kube", "Docker": "kube"}
    if pattern := words.get(str(answers["deploy"])):
        pages = [name for name in project.files if name.endswith((".md", ".yml", ".yaml", ".toml", "file", "example"))]
        lines = {f"{name}: {line}" for name in pages for line in project.read(name).splitlines()}
        assert {line for line in lines if re.search(pattern, line, flags=re.IGNORECASE)} == set()


def test_the_chinese_readme_exists_and_is_linked_only_if_chosen(project_and_answers: ProjectAndAnswers) -> None:
    project, answers = project_and_answers
    for name in ("README.zh-CN.md", "docs/blocked-by-cors.zh-CN.md"):
        assert (name in project.files) is answers["chinese"]
    assert ("README.zh-CN.md" in project.read("README.md")) is answers["chinese"]
