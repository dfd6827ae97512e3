"""A project follows its template with cruft: a later release arrives as a change of the files it changes."""

import io
import json
import shutil
import subprocess
import sysconfig
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.baking import CHECKOUT, BakedProject, environment, template

CRUFT = str(Path(sysconfig.get_path("scripts")) / "cruft")
SOURCES = ["cookiecutter.json", "hooks", "{{cookiecutter.__project_slug}}"]
CHINESE = '{"chinese": true}'  # an answer of today, which the project of the version before may not know
OWN_BLUEPRINT = '''"""Blueprint `samples`: the owner's own."""

from flask.views import MethodView
from flask_smorest import Blueprint

samples = Blueprint("samples", __name__, url_prefix="/api/samples", description="Samples")


@samples.route("")
class Samples(MethodView):
    def get(self) -> list[str]:
        """List all samples"""
        return []
'''


@pytest.fixture
def released(tmp_path: Path) -> BakedProject:
    """Return the folder of a repository that will be the template."""
    repository = BakedProject(tmp_path / "template", (), ())
    repository.path.mkdir()
    repository.succeeds("git", "init", "--quiet")
    return repository


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, str]:
    """Return what makes cookiecutter keep its files here."""
    config = tmp_path / "config.yaml"
    config.write_text(f"cookiecutters_dir: '{tmp_path}'\nreplay_dir: '{tmp_path}'\n", "utf-8")
    return {"COOKIECUTTER_CONFIG": str(config)}


def release_this(repository: BakedProject) -> None:
    """Commit the template as it is now, and nothing that it was before."""
    for path in repository.path.iterdir():
        if path.name != ".git":
            (shutil.rmtree if path.is_dir() else Path.unlink)(path)
    shutil.copytree(template(), repository.path, ignore=shutil.ignore_patterns(".git"), dirs_exist_ok=True)
    commit(repository)


def release_the_one_before(repository: BakedProject) -> None:
    """Commit the template as it was before the last commit that changed what it writes."""
    last = git_of_this_checkout("log", "-1", "--format=%H", "--", *SOURCES).decode().strip()
    before = git_of_this_checkout("archive", "--format=tar", f"{last}~1")
    if not before:  # of no program, so that it is no failure where CI is set either
        pytest.skip("the history of the template is not here: git fetch --unshallow, or clone it whole")
    with tarfile.open(fileobj=io.BytesIO(before)) as archive:
        archive.extractall(repository.path, filter="data")
    commit(repository)


def git_of_this_checkout(*arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], cwd=CHECKOUT, env=environment(), capture_output=True, check=False).stdout


def commit(repository: BakedProject) -> None:
    identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.invalid"]
    repository.succeeds("git", "add", "--all")
    repository.succeeds("git", *identity, "commit", "--quiet", "--message", "a commit")


def create(template: BakedProject, folder: Path, settings: dict[str, str], *options: str) -> BakedProject:
    """Generate a project with cruft, and commit it."""
    into = ["--no-input", "--output-dir", str(folder), *options]
    template.succeeds(CRUFT, "create", str(template.path), *into, env=settings)
    project = BakedProject(folder / "my-lab-api", (), ())
    commit(project)
    return project


def files(project: BakedProject) -> set[str]:
    """Return the names of all files, those that only this machine has as well."""
    inside = (path.relative_to(project.path) for path in project.path.rglob("*") if path.is_file())
    return {path.as_posix() for path in inside if path.parts[0] != ".git"}


def test_an_update_brings_what_the_template_changed_and_nothing_else(
    tmp_path: Path, released: BakedProject, settings: dict[str, str]
) -> None:
    release_this(released)
    project = create(released, tmp_path, settings)
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


def test_a_changed_project_of_the_version_before_takes_this_one(
    tmp_path: Path, released: BakedProject, settings: dict[str, str]
) -> None:
    release_the_one_before(released)
    project = create(released, tmp_path / "theirs", settings)
    secret = project.read(".env")
    own = add_a_blueprint_and_change_a_policy(project)
    commit(project)

    release_this(released)
    update = ["update", "--skip-apply-ask", "--refresh-private-variables", "--variables-to-update", CHINESE]
    project.succeeds(CRUFT, *update, env=settings)  # as CHANGELOG.md says

    new = create(released, tmp_path / "new", settings, "--extra-context", CHINESE)
    assert files(project) == files(new) | {"my_lab_api/samples.py"}
    untouched = files(new) - own - {".cruft.json", ".env"}
    assert [n for n in sorted(untouched) if (project.path / n).read_bytes() != (new.path / n).read_bytes()] == []
    assert project.read(".env") == secret
    assert "README.zh-CN.md" in files(project)
    assert project.read("my_lab_api/samples.py") == OWN_BLUEPRINT
    assert "api.register_blueprint(samples)" in project.read("my_lab_api/__init__.py")
    assert "max_age=60," in project.read("my_lab_api/notes.py")
    project.succeeds(CRUFT, "check", env=settings)


def add_a_blueprint_and_change_a_policy(project: BakedProject) -> set[str]:
    """Do to a project what its owner does first, and return the files that were touched."""
    (project.path / "my_lab_api" / "samples.py").write_text(OWN_BLUEPRINT, "utf-8")
    changes: dict[str, Callable[[str], str]] = {
        "my_lab_api/__init__.py": lambda text: text.replace(
            "    api.register_blueprint(notes)\n",
            "    api.register_blueprint(notes)\n    api.register_blueprint(samples)\n",
        ).replace("from .public import public\n", "from .public import public\nfrom .samples import samples\n"),
        "my_lab_api/notes.py": lambda text: text.replace("max_age=600,", "max_age=60,"),
    }
    for name, change in changes.items():
        before = project.read(name)
        after = change(before)
        assert after != before, f"{name} has changed: mend this test"
        (project.path / name).write_text(after, "utf-8")
    return {"my_lab_api/samples.py", *changes}
