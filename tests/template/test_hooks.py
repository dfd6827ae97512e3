"""The hooks work without git, uv and Node.js, and change no existing file."""

import os
import shutil
import sys
from pathlib import Path

import pytest
from cookiecutter.exceptions import OutputDirExistsException

from tests.baking import BakedProject, bake

needs_symlinks = pytest.mark.skipif(sys.platform == "win32", reason="only administrators can create links on Windows")


@pytest.fixture
def empty_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Set PATH to an empty folder and return the folder."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


@pytest.fixture
def git_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the only configuration file of git."""
    file = tmp_path / "gitconfig"
    file.touch()
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(file))
    return file


def get_commits(project: BakedProject) -> str:
    return project.run("git", "log", "--format=%an <%ae>").stdout.strip()


@pytest.mark.usefixtures("empty_path")
def test_without_git_the_project_is_complete_without_a_repository(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    project = bake(tmp_path / "out")
    assert "The first commit was skipped, because git is not installed" in capfd.readouterr().out
    assert not (project.path / ".git").exists()
    assert "SECRET_KEY=" in project.read(".env")


@pytest.mark.usefixtures("empty_path")
def test_the_next_steps_say_how_to_install_uv_and_node(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    bake(tmp_path / "out")
    said = capfd.readouterr().out
    assert "pip install uv\n" in said
    assert "needs Node.js 20.19, or 22.12 and newer" in said


@pytest.mark.usefixtures("empty_path")
def test_without_a_front_end_the_output_does_not_mention_node(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    bake(tmp_path / "out", {"frontend": False})
    assert "Node" not in capfd.readouterr().out


def test_the_next_steps_name_the_folder_and_the_command(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    project = bake(tmp_path / "two words")
    said = capfd.readouterr().out
    assert f'cd "{project.path}"' in said
    assert "uv run dev.py" in said
    assert "skipped" not in said


def test_without_a_git_identity_the_author_commits(
    git_settings: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    git_settings.write_text("[user]\n\tuseConfigOnly = true\n", encoding="utf-8")
    monkeypatch.delenv("EMAIL", raising=False)
    project = bake(tmp_path / "out", {"author": "王小明"})
    assert get_commits(project) == "王小明 <my-lab-api@example.invalid>"
    assert "name" not in git_settings.read_text("utf-8")
    assert "name" not in project.read(".git/config")


def test_with_a_git_identity_that_user_commits(git_settings: Path, tmp_path: Path) -> None:
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
def test_an_impossible_commit_is_skipped_with_one_sentence(
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


def test_a_repository_around_the_project_is_not_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outer = bake(tmp_path / "outer")
    monkeypatch.setenv("GIT_DIR", str(outer.path / ".git"))  # as in a hook of that repository
    inner = bake(outer.path / "build", {"frontend": False})
    monkeypatch.delenv("GIT_DIR")
    assert (inner.path / ".git").is_dir()
    assert outer.check_output("git", "rev-list", "--count", "HEAD") == "1\n"
    assert outer.check_output("git", "diff", "--cached", "--name-only") == ""
    assert inner.check_output("git", "rev-list", "--count", "HEAD") == "1\n"


def test_an_existing_folder_is_not_changed(tmp_path: Path) -> None:
    existing = tmp_path / "out" / "my-lab-api"
    existing.mkdir(parents=True)
    (existing / "thesis.txt").write_text("three years of work", encoding="utf-8")
    with pytest.raises(OutputDirExistsException, match='my-lab-api" directory already exists'):
        bake(tmp_path / "out")
    assert [path.name for path in existing.iterdir()] == ["thesis.txt"]


# files of the owner in folders that the template can write, but that are not chosen here
OWNER_FILES = """frontend/app.jsx frontend/package.json frontend/src/api.ts .github/CODEOWNERS
    .github/workflows/tests.yml deploy/Dockerfile deploy/ansible/site.yml deploy/kubernetes/base/api.yaml
    crossorigin/doctor/own.py""".split()
NO_OPTIONS: dict[str, object] = {"frontend": False, "ci": "none", "deploy": "none"}


@pytest.mark.parametrize(
    "answers", [NO_OPTIONS, NO_OPTIONS | {"deploy": "Docker"}, {}], ids=["nothing", "Docker", "all"]
)
def test_files_of_the_owner_in_an_existing_project_are_not_changed(tmp_path: Path, answers: dict[str, object]) -> None:
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
def test_overwriting_does_not_change_a_folder_that_is_not_chosen(tmp_path: Path, question: str, folder: str) -> None:
    theirs = [name for name in OWNER_FILES if name.startswith(folder)]
    for name in theirs:
        (tmp_path / "my-lab-api" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "my-lab-api" / name).write_text("of its owner", "utf-8")
    project = bake(tmp_path, {question: NO_OPTIONS[question]}, overwrite_if_exists=True)
    assert [name for name in project.files if name.startswith(f"{folder}/")] == sorted(theirs)
    assert {project.read(name) for name in theirs} == {"of its owner"}


@needs_symlinks
def test_a_failing_git_does_not_stop_the_generation(
    empty_path: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    false = shutil.which("false", path=os.defpath)
    assert false is not None
    (empty_path / "git").symlink_to(false)
    project = bake(tmp_path / "out")
    assert "git could not create a repository here" in capfd.readouterr().out
    assert "SECRET_KEY=" in project.read(".env")
