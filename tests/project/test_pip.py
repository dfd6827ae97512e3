"""The steps of the README with venv and pip work without uv."""

import re
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import requests

from tests.baking import PLAIN_PIP, BakedProject
from tests.running import running


def test_the_steps_without_uv_start_and_test_a_project(
    get_baked: Callable[[str], BakedProject], tmp_path: Path
) -> None:
    project = BakedProject(tmp_path / "my-lab-api", (), ())
    get_baked("without-front-end").check_output("git", "clone", "--quiet", ".", str(project.path))
    sentence = project.read("README.md").partition("Without uv: ")[2].partition("\n\n")[0]
    venv, upgrade, install, start = re.findall("`(python [^`]+)`", sentence)

    project.check_output(sys.executable, *shlex.split(venv)[1:])
    for step in (upgrade, install):
        project.check_output(project.python, *shlex.split(step)[1:], env=PLAIN_PIP)
    project.check_output(project.python, "-m", "pytest", "-q", "tests/test_public.py", "tests/test_settings.py")
    project.check_output(project.python, "-m", "ruff", "check")
    with running(project, command=[project.python, *shlex.split(start)[1:]]) as started:
        started.wait_until_ready()
        assert requests.get(f"{started.api}/api/public/hello", timeout=30).json() == {"message": "Hello, World!"}
    assert project.check_output("git", "status", "--porcelain") == ""
