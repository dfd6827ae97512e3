"""Whoever has no uv uses venv and pip: the README's steps, run one after the other."""

import re
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import requests

from tests.baking import PLAIN_PIP, BakedProject
from tests.running import running


def test_the_steps_without_uv_start_and_test_a_project(baked: Callable[[str], BakedProject], tmp_path: Path) -> None:
    project = BakedProject(tmp_path / "my-lab-api", (), ())
    baked("without-front-end").succeeds("git", "clone", "--quiet", ".", str(project.path))
    sentence = project.read("README.md").partition("Without uv: ")[2].partition("\n\n")[0]
    venv, upgrade, install, start = re.findall("`(python [^`]+)`", sentence)

    project.succeeds(sys.executable, *shlex.split(venv)[1:])
    for step in (upgrade, install):
        project.succeeds(project.python, *shlex.split(step)[1:], env=PLAIN_PIP)
    project.succeeds(project.python, "-m", "pytest", "-q", "tests/test_public.py", "tests/test_settings.py")
    project.succeeds(project.python, "-m", "ruff", "check")
    with running(project, command=[project.python, *shlex.split(start)[1:]]) as started:
        started.until_ready()
        assert requests.get(f"{started.api}/api/public/hello", timeout=30).json() == {"message": "Hello, World!"}
    assert project.succeeds("git", "status", "--porcelain") == ""
