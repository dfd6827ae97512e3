"""The commands that a newcomer meets first are the ones that work."""

import os
import re
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import requests
from markdown_it import MarkdownIt

from tests.baking import BakedProject, template
from tests.running import running

START = "pip install uv && uvx cookiecutter . --no-input -o build && cd build/my-lab-api && uv run dev.py"
TEST = "pip install uv && uv run pytest"


@pytest.fixture(params=sorted(path.name for path in template().glob("README*.md")))
def readme(request: pytest.FixtureRequest) -> str:
    return (template() / str(request.param)).read_text("utf-8")


def first_block(text: str) -> list[str]:
    """Return the lines of the first block of code."""
    block = next(token for token in MarkdownIt().parse(text) if token.type in ("fence", "code_block"))
    return [line for line in block.content.splitlines() if line]


def test_the_first_block_of_code_is_the_two_commands(readme: str) -> None:
    assert first_block(readme) == [START, TEST]


def test_what_an_example_prints_is_what_is_printed(readme: str, installed: Callable[[str], BakedProject]) -> None:
    examples = [token.content for token in MarkdownIt().parse(readme) if token.content.startswith("$ ")]
    assert len(examples) == 2
    for command, *shown in map(str.splitlines, examples):
        said = installed("default").run("sh", "-c", command[2:]).stdout.splitlines()
        assert [line for line in shown if line not in [*said, "…"]] == []


def test_ci_runs_the_test_command_of_the_readme() -> None:
    script = (template() / ".ci" / "run").read_text("utf-8")
    for command in TEST.split(" && "):
        assert re.search(rf"(?m)(^|\|\| ){re.escape(command)}\b", script), command


@pytest.mark.skipif(sys.platform == "win32", reason="the signal that ends it is none of Windows")
def test_the_first_command_starts_a_project_in_a_clone(tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    shutil.copytree(template(), clone)
    settings = tmp_path / "cookiecutter.yaml"
    settings.write_text(f"cookiecutters_dir: '{tmp_path}'\nreplay_dir: '{tmp_path}'\n", encoding="utf-8")
    without_pip = START.removeprefix("pip install uv && ")  # whoever runs this has it
    started_by = ["sh", "-c", without_pip]
    with running(BakedProject(clone, (), ()), {"COOKIECUTTER_CONFIG": str(settings)}, started_by) as started:
        started.until_ready()
        assert requests.get(f"{started.api}/api/public/hello", timeout=30).json() == {"message": "Hello, World!"}
        os.killpg(started.process.pid, signal.SIGTERM)
        started.ends()
        assert started.leaves_nothing()
