"""What a machine lacks is said, and stops nobody."""

import os
import shutil
import sys
from pathlib import Path

import pytest
from cookiecutter.exceptions import OutputDirExistsException

from tests.baking import BakedProject, bake

needs_symlinks = pytest.mark.skipif(sys.platform == "win32", reason="Windows lets administrators make links only")


@pytest.fixture
def empty_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder that is the whole PATH: empty, until a test puts a program there."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


@pytest.fixture
def git_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the file that is all of git's configuration."""
    file = tmp_path / "gitconfig"
    file.touch()
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(file))
    return file


def get_commits(project: BakedProject) -> str:
    return project.run("git", "log", "--format=%an <%ae>").stdout.strip()


@pytest.mark.usefixtures("empty_path")
def test_without_git_the_project_is_complete_but_has_no_repository(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    project = bake(tmp_path / "out")
    assert "The first commit was skipped, because git is not installed" in capfd.readouterr().out
    assert not (project.path / ".git").exists()
    assert "SECRET_KEY=" in project.read(".env")


@pytest.mark.usefixtures("empty_path")
def test_without_uv_and_node_the_next_steps_say_how_to_get_them(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    bake(tmp_path / "out")
    said = capfd.readouterr().out
    assert "pip install uv\n" in said
    assert "needs Node.js 20.19, or 22.12 and newer" in said


@pytest.mark.usefixtures("empty_path")
def test_without_front_end_nobody_is_told_about_node(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    bake(tmp_path / "out", {"frontend": False})
    assert "Node" not in capfd.readouterr().out


def test_the_next_steps_name_the_folder_and_the_command(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    project = bake(tmp_path / "two words")
    said = capfd.readouterr().out
    assert f'cd "{project.path}"' in said
    assert "uv run dev.py" in said
    assert "skipped" not in said


def test_without_an_identity_the_author_is_the_one_who_commits(
    git_settings: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    git_settings.write_text("[user]\n\tuseConfigOnly = true\n", encoding="utf-8")
    monkeypatch.delenv("EMAIL", raising=False)
    project = bake(tmp_path / "out", {"author": "王小明"})
    assert get_commits(project) == "王小明 <my-lab-api@example.invalid>"
    assert "name" not in git_settings.read_text("utf-8")
    assert "name" not in project.read(".git/config")


def test_with_an_identity_that_one_commits(git_settings: Path, tmp_path: Path) -> None:
    git_settings.write_text("[user]\n\tname = Grace\n\temail = grace@example.org\n", encoding="utf-8")
    assert get_commits(bake(tmp_path / "out")) == "Grace <grace@example.org>"


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ("[commit]\n\tgpgsign = true\n", "signs commits, which may ask for a password"),
        ("[core]\n\thooksPath = {hooks}\n", "git refused it"),
    ],
    ids=["signed commits", "a failing commit hook"],
)
def test_a_commit_that_cannot_be_made_is_skipped_in_one_sentence(
    git_settings: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], settings: str, reason: str
) -> None:
    hook = tmp_path / "hooks" / "pre-commit"
    hook.parent.mkdir()
    hook.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    hook.chmod(0o755)
    git_settings.write_text(settings.format(hooks=hook.parent.as_posix()), encoding="utf-8")
    project = bake(tmp_path / "out")
    said = capfd.readouterr()
    assert reason in said.out
    assert said.err == ""
    assert get_commits(project).startswith("fatal: ")
    assert "uv run dev.py" in said.out


def test_a_repository_around_the_project_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outer = bake(tmp_path / "outer")
    monkeypatch.setenv("GIT_DIR", str(outer.path / ".git"))  # as in a hook of that repository
    inner = bake(outer.path / "build", {"frontend": False})
    monkeypatch.delenv("GIT_DIR")
    assert (inner.path / ".git").is_dir()
    assert outer.check_output("git", "rev-list", "--count", "HEAD") == "1\n"
    assert outer.check_output("git", "diff", "--cached", "--name-only") == ""
    assert inner.check_output("git", "rev-list", "--count", "HEAD") == "1\n"


def test_an_existing_folder_is_left_as_it_is(tmp_path: Path) -> None:
    existing = tmp_path / "out" / "my-lab-api"
    existing.mkdir(parents=True)
    (existing / "thesis.txt").write_text("three years of work", encoding="utf-8")
    with pytest.raises(OutputDirExistsException, match='my-lab-api" directory already exists'):
        bake(tmp_path / "out")
    assert [path.name for path in existing.iterdir()] == ["thesis.txt"]


# what an owner has in folders that the template may write too, and did not ask for this time
OWNER_FILES = """frontend/app.jsx frontend/package.json frontend/src/api.ts .github/CODEOWNERS .github/workflows/tests.yml
    deploy/Dockerfile deploy/ansible/site.yml deploy/kubernetes/base/api.yaml crossorigin/doctor/own.py""".split()
NO_OPTIONS: dict[str, object] = {"frontend": False, "ci": "none", "deploy": "none"}


@pytest.mark.parametrize(
    "answers", [NO_OPTIONS, NO_OPTIONS | {"deploy": "Docker"}, {}], ids=["nothing", "Docker", "all"]
)
def test_in_an_existing_project_nothing_of_its_owner_is_removed_or_changed(
    tmp_path: Path, answers: dict[str, object]
) -> None:
    existing = tmp_path / "out" / "my-lab-api"
    for name in OWNER_FILES:
        (existing / name).parent.mkdir(parents=True, exist_ok=True)
        (existing / name).write_text(f"{name} of its owner", "utf-8")
    project = bake(tmp_path / "out", answers, overwrite_if_exists=True, skip_if_file_exists=True)
    assert {name: project.read(name) for name in OWNER_FILES} == {name: f"{name} of its owner" for name in OWNER_FILES}
    assert "not-asked-for" not in " ".join(project.files)
    assert "dev.py" in project.files
    assert project.empty_folders == ()


@pytest.mark.parametrize(("question", "folder"), [("frontend", "frontend"), ("ci", ".github"), ("deploy", "deploy")])
def test_overwriting_leaves_a_folder_alone_that_was_not_asked_for(tmp_path: Path, question: str, folder: str) -> None:
    theirs = [name for name in OWNER_FILES if name.startswith(folder)]
    for name in theirs:
        (tmp_path / "my-lab-api" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "my-lab-api" / name).write_text("of its owner", "utf-8")
    project = bake(tmp_path, {question: NO_OPTIONS[question]}, overwrite_if_exists=True)
    assert [name for name in project.files if name.startswith(f"{folder}/")] == sorted(theirs)
    assert {project.read(name) for name in theirs} == {"of its owner"}


@needs_symlinks
def test_git_that_always_fails_stops_nobody(
    empty_path: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    false = shutil.which("false", path=os.defpath)
    assert false is not None
    (empty_path / "git").symlink_to(false)
    project = bake(tmp_path / "out")
    assert "git could not make a repository here" in capfd.readouterr().out
    assert "SECRET_KEY=" in project.read(".env")
