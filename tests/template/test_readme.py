"""The first commands of the template's README work."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median

import pytest
import requests
import yaml

from scripts import budgets, peers, terminal
from tests.baking import BakedProject, commit_all, environment, template
from tests.running import running
from tests.template.reading import get_blocks

# the tests fetch the template from a local folder instead of GitHub
ASK = "uvx cookiecutter gh:OWNER/REPO"
START = "pip install uv && uvx cookiecutter . --no-input -o build && cd build/my-lab-api && uv run dev.py"
TEST = "pip install uv && uv run pytest"


@pytest.fixture
def readme() -> str:
    """Return the English README. `test_following_readme.py` compares its blocks with the Chinese one."""
    return (template() / "README.md").read_text("utf-8")


def test_a_test_runs_each_block(readme: str, get_baked: Callable[[str], BakedProject]) -> None:
    first, without_and, ask, policy = (block.code for block in get_blocks(readme))
    assert [line for line in first.splitlines() if line] == [START, TEST]
    # Windows PowerShell 5.1 has no &&
    assert [line for line in without_and.splitlines() if line] == [c.replace(" &&", ";") for c in (START, TEST)]
    assert ask == f"{ASK}\n"
    assert policy in get_baked("default").read("my_lab_api/notes.py")


def test_the_readme_has_at_most_700_words(readme: str) -> None:
    assert len(readme.split()) <= 700


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_the_sizes_are_those_of_a_new_project(name: str, get_baked: Callable[[str], BakedProject]) -> None:
    readme = (template() / name).read_text("utf-8")
    project = get_baked("default")
    found = {budget.what: budget.found for budget in budgets.measure(project)}
    rows = [
        re.findall(r"\d[\d,]*\d|\d", line)[0] for line in readme.splitlines() if re.match(r"\|[^|]+\| [\d,]+", line)
    ]
    whats = ("lines of the application", "files, without crossorigin/", "questions")
    assert rows == [f"{found[what]:,}" for what in whats]
    assert f"{found['lines of the application']:,} + {found['lines of crossorigin/']:,}" in readme
    package = [name for name in project.files if name.startswith("crossorigin/")]
    assert f"{found['files, without crossorigin/']} + {len(package)}" in readme


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_the_seconds_are_those_of_the_last_measurement(name: str) -> None:
    readme = (template() / name).read_text("utf-8")
    seconds = json.loads((template() / "benchmarks" / "figures.json").read_text("utf-8"))["start"]["seconds"]
    [first] = (rounds for what, rounds in seconds.items() if "README" in what)
    assert re.search(rf"\b{round(median(first))} (seconds|秒)", readme)


def test_other_templates_are_counted_by_the_same_rules(tmp_path: Path) -> None:
    peer = BakedProject(tmp_path, (), ())
    files = {
        "cookiecutter.json": '{"name": "", "_extensions": []}',
        "{{cookiecutter.name}}/lab/app.py": "import flask\n\n\napp = flask.Flask(__name__)\n",
        "{{cookiecutter.name}}/lab/logo.png": "",
        "{{cookiecutter.name}}/README.md": "a\n",
        "docs/index.md": "b\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    peer.check_output("git", "init", "--quiet")
    commit_all(peer)
    counted = peers.Peer("lab", "", "{{cookiecutter.name}}/", "{{cookiecutter.name}}/lab/")
    assert peers.count(counted, tmp_path)[:3] == (2, 2, 1)


def test_the_picture_of_the_terminal_shows_the_real_output(get_installed: Callable[[str], BakedProject]) -> None:
    assert terminal.PICTURE.read_text("utf-8") == terminal.draw(terminal.run(get_installed("default")))


def test_ci_runs_the_test_command_of_the_readme() -> None:
    script = (template() / ".ci" / "run").read_text("utf-8")
    for command in TEST.split(" && "):
        assert re.search(rf"(?m)(^|\|\| ){re.escape(command)}\b", script), command


@pytest.fixture
def clone(tmp_path: Path) -> BakedProject:
    """Return the template in a git repository."""
    found = BakedProject(tmp_path / "OWNER" / "REPO", (), ())
    shutil.copytree(template(), found.path)
    found.check_output("git", "init", "--quiet")
    commit_all(found)
    return found


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, str]:
    """Return the environment that makes cookiecutter use the test folder, also as GitHub."""
    config = tmp_path / "cookiecutter.yaml"
    fetch = {"gh": f"git+{tmp_path.as_uri()}/{{0}}"}
    folders = {"cookiecutters_dir": str(tmp_path), "replay_dir": str(tmp_path)}
    config.write_text(yaml.safe_dump(folders | {"abbreviations": fetch}), "utf-8")
    return {"COOKIECUTTER_CONFIG": str(config)}


def test_without_no_input_each_prompt_is_shown(clone: BakedProject, settings: dict[str, str], tmp_path: Path) -> None:
    done = subprocess.run(
        ASK,
        shell=True,
        cwd=tmp_path,
        env=environment(settings),
        input="My Lab\n" + "\n" * 8,
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    context = json.loads((clone.path / "cookiecutter.json").read_text("utf-8"))
    for number, words in enumerate(context["__prompts__"].values(), start=1):
        prompt = words if isinstance(words, str) else words["__prompt__"]
        assert f"[{number}/9] {prompt}" in " ".join(done.stdout.split())
    assert (tmp_path / "my-lab" / "my_lab" / "__init__.py").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not have the signal that stops it")
def test_the_first_command_starts_a_project_in_a_clone(
    clone: BakedProject, settings: dict[str, str], newcomer_env: dict[str, str]
) -> None:
    with running(clone, settings | newcomer_env, ["sh", "-c", START]) as started:
        started.wait_until_ready()
        assert requests.get(f"{started.api}/api/public/hello", timeout=30).json() == {"message": "Hello, World!"}
        os.killpg(started.process.pid, signal.SIGTERM)
        started.wait()
        assert started.wait_until_gone()
