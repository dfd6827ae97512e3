"""Check the style of `crossorigin/` here, because a project's ruff and mypy leave it out."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.baking import template, tool

SETTINGS = """
[tool.ruff]
line-length = 110

[tool.ruff.lint]
select = ["B", "C4", "E", "F", "I", "N", "PT", "RUF", "S", "SIM", "UP", "W"]
ignore = ["RUF001", "RUF002", "RUF003"]

[tool.mypy]
strict = true
warn_unreachable = true
enable_error_code = ["ignore-without-code", "redundant-expr", "truthy-bool"]

[[tool.mypy.overrides]]
module = ["publicsuffixlist.*"]
ignore_missing_imports = true
"""


@pytest.mark.parametrize(
    "command",
    [
        [tool("ruff"), "check", "."],
        [tool("ruff"), "format", "--check", "."],
        [sys.executable, "-m", "mypy", "crossorigin"],
    ],
    ids=["ruff check", "ruff format", "mypy"],
)
def test_the_package_passes(tmp_path: Path, command: list[str]) -> None:
    shutil.copytree(template() / "{{cookiecutter.__project_slug}}" / "crossorigin", tmp_path / "crossorigin")
    (tmp_path / "pyproject.toml").write_text(SETTINGS, "utf-8")
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
