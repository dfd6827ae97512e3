"""After a deletion, the remaining project starts and passes its tests and its checks."""

import re
import shutil
from collections.abc import Callable

import pytest
import requests

from tests.baking import BakedProject
from tests.project.test_generated import FRONT_END_CHECKS
from tests.running import running

# the paths to delete, and for each file the word whose lines are deleted
Deletion = tuple[list[str], dict[str, str]]

PACKAGE = "my_lab_api"
FACTORY = f"{PACKAGE}/__init__.py"
DELETIONS: dict[str, Deletion] = {
    "public": ([f"{PACKAGE}/public.py", "tests/test_public.py"], {FACTORY: "public"}),
    "notes": ([f"{PACKAGE}/notes.py", "tests/test_notes.py"], {FACTORY: "notes"}),
    "frontend": (["frontend"], {}),
    "deploy": (["deploy"], {}),
}
CHECKS = {
    "tests": ["pytest", "-q", "-p", "no:cacheprovider"],
    "style": ["ruff", "check", "--no-cache"],
    "format": ["ruff", "format", "--check", "--no-cache"],
    "types": ["mypy"],
}


def read_deletion(readme: str) -> Deletion:
    """Return what the README says to delete for the demo."""
    section = re.search(r"^## Delete the demo\n\n(.+?)\n\n", readme, re.DOTALL | re.MULTILINE)
    assert section is not None
    paths, lines = [], {}
    for sentence in section[1].replace("\n", " ").split(". "):
        delete, _, rest = sentence.partition("and the lines with")
        paths += re.findall("`([^`]+)`", delete)
        word, file = re.findall("`([^`]+)`", rest)
        lines[file] = word
    return paths, lines


@pytest.fixture(scope="module", params=["demo", *DELETIONS])
def reduced_project(
    request: pytest.FixtureRequest,
    with_node: BakedProject,
    tmp_path_factory: pytest.TempPathFactory,
) -> BakedProject:
    """Return a copy of the default project after one deletion, without its own packages."""
    paths, lines = DELETIONS.get(request.param) or read_deletion(with_node.read("README.md"))
    copy = BakedProject(tmp_path_factory.mktemp(request.param) / with_node.path.name, (), ())
    shutil.copytree(with_node.path, copy.path, ignore=shutil.ignore_patterns(".venv", "node_modules", "instance"))
    for path in paths:
        found = copy.path / path
        shutil.rmtree(found) if found.is_dir() else found.unlink()
    for name, word in lines.items():
        kept = [line for line in copy.read(name).splitlines(keepends=True) if word not in line]
        assert 1 <= copy.read(name).count("\n") - len(kept) <= 3, f"{name} has other lines with {word}"
        (copy.path / name).write_text("".join(kept), "utf-8")
    if (copy.path / "frontend").exists():
        (copy.path / "frontend" / "node_modules").symlink_to(with_node.path / "frontend" / "node_modules")
    return copy


@pytest.fixture(scope="session")
def mypy_cache(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Share the cache of mypy between all deletions."""
    return {"MYPY_CACHE_DIR": str(tmp_path_factory.mktemp("mypy"))}


@pytest.mark.parametrize("check", CHECKS)
def test_the_remaining_project_passes_the_check(
    reduced_project: BakedProject, get_installed: Callable[[str], BakedProject], mypy_cache: dict[str, str], check: str
) -> None:
    # the packages of the default project, with the code of the current folder
    reduced_project.check_output(get_installed("default").python, "-m", *CHECKS[check], env=mypy_cache)


def test_the_remaining_project_starts(
    reduced_project: BakedProject, get_installed: Callable[[str], BakedProject]
) -> None:
    with running(reduced_project, command=[get_installed("default").python, "dev.py"]) as started:
        started.wait_until_ready()
        assert requests.get(f"{started.api}/health/ready", timeout=30).json() == {"status": "ok"}
        if (reduced_project.path / "frontend").exists():
            assert requests.get(started.page, timeout=30).ok
        missing = {"public.py": "public/hello", "notes.py": "notes", "demo.py": "demo/cors/hello"}
        for file, path in missing.items():
            status = requests.get(f"{started.api}/api/{path}", timeout=30).status_code
            assert (status == 404) == (not (reduced_project.path / PACKAGE / file).exists()), path


@pytest.mark.parametrize("reduced_project", ["demo"], indirect=True)  # the other deletions do not change the front end
@pytest.mark.parametrize("check", FRONT_END_CHECKS)
def test_the_front_end_passes_the_check(reduced_project: BakedProject, check: str) -> None:
    reduced_project.check_output(*FRONT_END_CHECKS[check], folder="frontend")
