"""A project takes updates of its template with cruft."""

import io
import json
import re
import shlex
import shutil
import subprocess
import sysconfig
import tarfile
from pathlib import Path

import pytest

from tests.baking import CHECKOUT, BakedProject, commit_all, environment, template
from tests.serving import flask_user
from tests.template.reading import get_blocks
from tests.template.test_following_readme import follow, shell

CRUFT = str(Path(sysconfig.get_path("scripts")) / "cruft")
# the last commit of the first edition
FIRST_EDITION = "c5921278c407ace297a18537f7a810a4d98a7082"
PASSWORD = "correct horse battery"
SAMPLE = """

class Sample(Model):
    __tablename__ = "sample"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
"""
OWN_LINES = {
    "my_lab_api/__init__.py": {
        "from .public import public\n": "from .public import public\nfrom .samples import samples\n",
        "register_blueprint(notes)\n": "register_blueprint(notes)\n    api.register_blueprint(samples)\n",
    },
    "my_lab_api/notes.py": {"max_age=600,": "max_age=60,"},
}
SIGN_IN = """
from my_lab_api import create_app
client = create_app().test_client()
ours = {{"Sec-Fetch-Site": "same-origin"}}
login = client.post("/api/auth/login", json={{"username": "{}", "password": "correct horse battery"}}, headers=ours)
assert login.status_code == 200, login.text
"""
ADD_DATA = """
for path, body in {"/api/samples": {"name": "Ice core 7"}, "/api/notes": {"title": "A note"}}.items():
    assert client.post(path, json=body, headers=ours).status_code == 201
"""
DATA_IS_THERE = """
assert login.json["username"] == "Ada", login.json
assert [sample["name"] for sample in client.get("/api/samples").json] == ["Ice core 7"]
assert [note["title"] for note in client.get("/api/notes").json] == ["A note"]
"""


@pytest.fixture
def template_repository(tmp_path: Path) -> BakedProject:
    """Return an empty git repository for the template."""
    repository = BakedProject(tmp_path / "template", (), ())
    repository.path.mkdir()
    repository.check_output("git", "init", "--quiet")
    return repository


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, str]:
    """Return the environment that keeps the files of cookiecutter in the test folder."""
    config = tmp_path / "config.yaml"
    config.write_text(f"cookiecutters_dir: '{tmp_path}'\nreplay_dir: '{tmp_path}'\n", "utf-8")
    return {"COOKIECUTTER_CONFIG": str(config)}


def release_this(repository: BakedProject) -> None:
    """Replace the contents of the repository with the current template and commit it."""
    for path in repository.path.iterdir():
        if path.name != ".git":
            (shutil.rmtree if path.is_dir() else Path.unlink)(path)
    shutil.copytree(template(), repository.path, ignore=shutil.ignore_patterns(".git"), dirs_exist_ok=True)
    commit_all(repository)


def release_the_first_edition(repository: BakedProject) -> None:
    """Commit the template of `FIRST_EDITION`."""
    before = run_git("archive", "--format=tar", FIRST_EDITION)
    if not before:  # not a missing program, so it is not a failure in CI
        pytest.skip("the git history is missing. Run: git fetch --unshallow")
    with tarfile.open(fileobj=io.BytesIO(before)) as archive:
        archive.extractall(repository.path, filter="data")
    commit_all(repository)


def run_git(*arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], cwd=CHECKOUT, env=environment(), capture_output=True, check=False).stdout


def create(template: BakedProject, folder: Path, settings: dict[str, str], *options: str) -> BakedProject:
    """Generate a project with cruft and commit it."""
    into = ["--no-input", "--output-dir", str(folder), *options]
    template.check_output(CRUFT, "create", str(template.path), *into, env=settings)
    project = BakedProject(folder / "my-lab-api", (), ())
    commit_all(project)
    return project


def list_files(project: BakedProject) -> set[str]:
    """Return the names of all files, including those that git ignores."""
    inside = (path.relative_to(project.path) for path in project.path.rglob("*") if path.is_file())
    return {path.as_posix() for path in inside if path.parts[0] != ".git"}


def test_an_update_changes_only_what_the_template_changed(
    tmp_path: Path, template_repository: BakedProject, settings: dict[str, str]
) -> None:
    release_this(template_repository)
    project = create(template_repository, tmp_path, settings)
    project.check_output(CRUFT, "check", env=settings)
    secret = project.read(".env")

    [views] = template_repository.path.glob("*/*/public.py")
    views.write_text(views.read_text("utf-8").replace("Hello, World!", "Hello, Lab!"), "utf-8")
    commit_all(template_repository)
    assert project.run(CRUFT, "check", env=settings).returncode == 1
    project.check_output(CRUFT, "update", "--skip-apply-ask", env=settings)

    changed = project.check_output("git", "status", "--porcelain").splitlines()
    assert sorted(line[3:] for line in changed) == [".cruft.json", "my_lab_api/public.py"]
    assert "Hello, Lab!" in project.read("my_lab_api/public.py")
    assert project.read(".env") == secret
    project.check_output(CRUFT, "check", env=settings)
    assert json.loads(project.read(".cruft.json"))["context"]["cookiecutter"]["project_slug"] == "my-lab-api"


def test_the_steps_of_the_changelog_update_a_project_of_the_first_edition(
    tmp_path: Path, template_repository: BakedProject, settings: dict[str, str]
) -> None:
    release_the_first_edition(template_repository)
    project = create(template_repository, tmp_path / "theirs", settings)
    project.check_output("uv", "sync", "--quiet")
    own = work_as_an_owner(project)
    secret = project.read(".env")
    commit_all(project)

    release_this(template_repository)
    new = create(
        template_repository, tmp_path / "new", settings, "--extra-context", '{"deploy": "Docker and Kubernetes"}'
    )
    update, install, migrate = get_upgrade_steps()
    [command] = update
    program, *options = shlex.split(command.removeprefix("uvx "))
    assert program == "cruft"
    project.check_output(CRUFT, *options, "--skip-apply-ask", env=settings)

    conflicts = {
        line[3:] for line in project.check_output("git", "status", "--porcelain").splitlines() if line[:2] == "UU"
    }
    rejected = {name for name in list_files(project) if name.endswith(".rej")}
    assert conflicts <= {"my_lab_api/__init__.py", "my_lab_api/models.py", "my_lab_api/notes.py"}
    assert rejected == set()
    for name in conflicts:
        project.check_output("git", "checkout", "--theirs", "--", name)
        change(project, name)
    untouched = list_files(new) - own - {".cruft.json", ".env"}
    assert [n for n in sorted(untouched) if (project.path / n).read_bytes() != (new.path / n).read_bytes()] == []
    assert [name for name in list_files(project) - list_files(new) - own if not is_leftover(name)] == []
    project.check_output(CRUFT, "check", env=settings)

    left = project.path / "my_lab_api" / "cors"
    assert {path.name for path in left.iterdir()} == {"__pycache__"}
    shutil.rmtree(left)
    for name in own:
        replace_moved_names(project.path / name)
    for line in (*install, *migrate):
        shell(project, line, {})
    assert project.read(".env") == secret
    assert "api.register_blueprint(samples)" in project.read("my_lab_api/__init__.py")
    assert "max_age=60," in project.read("my_lab_api/notes.py")
    for check in ("pytest -q", "ruff check", "ruff format --check", "mypy", "flask cors check", "flask db check"):
        shell(project, f"uv run {check}", {})
    project.check_output(project.python, "-c", f"{SIGN_IN.format('ada')}\n{DATA_IS_THERE}")


def work_as_an_owner(project: BakedProject) -> set[str]:
    """Change the project as its owner does. Return the names of the changed files.

    The changes are a blueprint with its policy, table, revision and test, another max-age, a user and data.
    """
    project.check_output("uv", "run", "flask", "seed", "--migrate")
    for block in get_blocks(project.read("README.md")):
        if block.section == "Add a blueprint":
            follow(project, block, {})
    change(project, "my_lab_api/notes.py")
    flask_user(project, {}, "create", "Ada", PASSWORD)
    project.check_output(project.python, "-c", f"{SIGN_IN.format('Ada')}\n{ADD_DATA}")
    changed = project.check_output("git", "status", "--porcelain", "--untracked-files=all").splitlines()
    return {line[3:] for line in changed}


def change(project: BakedProject, name: str) -> None:
    """Make a change of the owner in a file of the template."""
    before = project.read(name)
    after = before + SAMPLE if name.endswith("models.py") else before
    for line, replacement in OWN_LINES.get(name, {}).items():
        assert line in after, f"{name} has changed. Update OWN_LINES"
        after = after.replace(line, replacement)
    (project.path / name).write_text(after, "utf-8")


def is_leftover(name: str) -> bool:
    """Return whether a file is local or was compiled by the old edition."""
    return name.startswith((".venv/", "instance/", ".pytest_cache/", "uv.lock")) or "__pycache__" in name


def read_upgrade_section() -> str:
    """Return the upgrade instructions of the changelog for existing projects."""
    unreleased = (template() / "CHANGELOG.md").read_text("utf-8").split("\n## ")[1]
    return unreleased.partition("### In your project\n")[2]


def get_upgrade_steps() -> list[list[str]]:
    """Return the commands of each step that has commands."""
    return [block.code.splitlines() for block in get_blocks(read_upgrade_section())]


def replace_moved_names(path: Path) -> None:
    """Replace the names in the table of the changelog."""
    rows = re.findall(r"(?m)^ *\| `(.+?)` \| (`.+`) \|$", read_upgrade_section())
    assert rows
    text = path.read_text("utf-8")
    for before, after in rows:
        text = text.replace(before, "\n".join(re.findall("`(.+?)`", after)))
    path.write_text(text, "utf-8")
