"""A version is released only if all files have that version."""

import re
import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts import release
from tests.baking import BakedProject, commit_all, template

VERSION = str(tomllib.loads((template() / "pyproject.toml").read_text("utf-8"))["project"]["version"])
SECTION = f"## [{VERSION}] - 2026-12-31\n\n### Added\n\n- All of it.\n\n### In your project\n\n- Nothing.\n"


@pytest.fixture
def release_repository(tmp_path: Path) -> BakedProject:
    """Return the template as a clean repository with a changelog section for its version."""
    repository = BakedProject(tmp_path / "template", (), ())
    shutil.copytree(template(), repository.path)
    changelog = repository.path / "CHANGELOG.md"
    text = re.sub(r"(?ms)^## .*", "", changelog.read_text("utf-8"))
    changelog.write_text(f"{text}{SECTION}", "utf-8")
    repository.check_output("git", "init", "--quiet")
    for name, value in {"user.name": "Ada", "user.email": "ada@example.invalid"}.items():
        repository.check_output("git", "config", name, value)
    commit_all(repository)
    return repository


def change(repository: BakedProject, file: str, pattern: str, text: str) -> None:
    """Change one file and commit it."""
    [path] = repository.path.glob(file)
    before = path.read_text("utf-8")
    after = re.sub(pattern, text, before)
    assert after != before
    path.write_text(after, "utf-8")
    commit_all(repository)


def test_a_version_that_is_ready_is_tagged(
    release_repository: BakedProject, capsys: pytest.CaptureFixture[str]
) -> None:
    assert release.main([VERSION], release_repository.path) is None
    assert release_repository.check_output("git", "tag") == f"v{VERSION}\n"
    assert f"git push origin main v{VERSION}" in capsys.readouterr().out
    assert str(release.main([VERSION], release_repository.path)).startswith(f"The tag v{VERSION} exists already")


MISTAKES: dict[str, tuple[Callable[[BakedProject], None], str]] = {
    "a changelog without the version": (
        lambda repository: change(repository, "CHANGELOG.md", rf"\[{VERSION}\]", "[9.9.9]"),
        "CHANGELOG.md has no section",
    ),
    "a version without a date": (
        lambda repository: change(repository, "CHANGELOG.md", r" - \d{4}-\d\d-\d\d", ""),
        "CHANGELOG.md has no section",
    ),
    "a version without instructions for projects": (
        lambda repository: change(repository, "CHANGELOG.md", "### In your project", "### Fixed"),
        "does not say what",
    ),
    "another version of the template": (
        lambda repository: change(repository, "pyproject.toml", '(?m)^version = ".*"', 'version = "9.9.9"'),
        "pyproject.toml has the version '9.9.9'",
    ),
    "another version in projects": (
        lambda repository: change(
            repository, "*/pyproject.toml", 'template-version = ".*"', 'template-version = "9.9.9"'
        ),
        "__project_slug}}/pyproject.toml has the version '9.9.9'",
    ),
    "a change without a commit": (
        lambda repository: (repository.path / "notes.txt").touch(),
        "There are changes without a commit",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_release_is_refused_for(release_repository: BakedProject, mistake: str) -> None:
    make, sentence = MISTAKES[mistake]
    make(release_repository)
    said = str(release.main([VERSION], release_repository.path))
    assert sentence in said
    assert said.count("\n") == 0
    assert release_repository.check_output("git", "tag") == ""


@pytest.mark.parametrize("arguments", [[], ["0.1"], ["v0.1.0"], ["0.1.0", "--force"], ["00.1.0"]])
def test_an_invalid_version_is_refused(arguments: list[str]) -> None:
    assert "0.1.0" in str(release.main(arguments))


def test_a_project_has_the_version_of_its_template(get_baked: Callable[[str], BakedProject]) -> None:
    settings = tomllib.loads(get_baked("default").read("pyproject.toml"))
    assert settings["tool"]["cookiecutter-flask-cors"]["template-version"] == VERSION


def test_each_section_of_the_changelog_has_instructions_for_projects() -> None:
    sections = (template() / "CHANGELOG.md").read_text("utf-8").split("\n## ")[1:]
    assert sections
    for section in sections:
        assert re.match(r"\[(Unreleased\]|\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d)\n", section)
        assert "\n### In your project\n" in section
