"""A project follows its template with cruft: a later release arrives as a change of the files it changes."""

import json
import shutil
import sysconfig
from pathlib import Path

import pytest

from tests.baking import BakedProject, template

CRUFT = str(Path(sysconfig.get_path("scripts")) / "cruft")


@pytest.fixture
def released(tmp_path: Path) -> BakedProject:
    """Return the template as a repository with one commit."""
    repository = BakedProject(tmp_path / "template", (), ())
    shutil.copytree(template(), repository.path, ignore=shutil.ignore_patterns(".git"))
    repository.succeeds("git", "init", "--quiet")
    commit(repository)
    return repository


def commit(repository: BakedProject) -> None:
    identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.invalid"]
    repository.succeeds("git", "add", "--all")
    repository.succeeds("git", *identity, "commit", "--quiet", "--message", "a commit")


def test_an_update_brings_what_the_template_changed_and_nothing_else(tmp_path: Path, released: BakedProject) -> None:
    settings = {"COOKIECUTTER_CONFIG": str(tmp_path / "config.yaml")}
    (tmp_path / "config.yaml").write_text(f"cookiecutters_dir: '{tmp_path}'\nreplay_dir: '{tmp_path}'\n", "utf-8")
    released.succeeds(CRUFT, "create", str(released.path), "--no-input", "--output-dir", str(tmp_path), env=settings)
    project = BakedProject(tmp_path / "my-lab-api", (), ())
    commit(project)
    project.succeeds(CRUFT, "check", env=settings)
    secret = project.read(".env")

    [views] = released.path.glob("*/*/public.py")
    views.write_text(views.read_text("utf-8").replace("Hello, World!", "Hello, Lab!"), "utf-8")
    commit(released)
    assert project.run(CRUFT, "check", env=settings).returncode == 1
    project.succeeds(CRUFT, "update", "--skip-apply-ask", env=settings)

    changed = project.succeeds("git", "status", "--porcelain").splitlines()
    assert sorted(line[3:] for line in changed) == [".cruft.json", "my_lab_api/public.py"]
    assert "Hello, Lab!" in project.read("my_lab_api/public.py")
    assert project.read(".env") == secret
    project.succeeds(CRUFT, "check", env=settings)
    assert json.loads(project.read(".cruft.json"))["context"]["cookiecutter"]["project_slug"] == "my-lab-api"
