"""The example in the package's README is a whole application, and works as it stands."""

import shlex
from pathlib import Path

from tests.baking import CHECKOUT
from tests.crossorigin.test_any_application import CROSSORIGIN, project, run
from tests.template.reading import get_blocks

README = get_blocks((CROSSORIGIN / "README.md").read_text("utf-8"))


def test_the_example_starts_and_the_command_says_that_it_works(tmp_path: Path) -> None:
    [example] = [block.code for block in README if block.language == "python"]
    [command] = [block.code for block in README if block.language == "sh"]
    folder = project(tmp_path, "")
    (folder / "app.py").write_text(example, "utf-8")
    (folder / "lab-1.dist-info" / "entry_points.txt").unlink()  # the example adds the command itself
    code, said = run(folder, "-m", *shlex.split(command))
    assert (code, "ALLOWED" in said) == (0, True), said
    code, said = run(folder, "-m", *shlex.split(command.replace("5173", "5174")))
    assert (code, "BLOCKED" in said) == (1, True), said


def test_the_entry_point_is_the_one_of_a_project() -> None:
    [entry] = [block.code for block in README if block.language == "toml"]
    assert entry in (CHECKOUT / "{{cookiecutter.__project_slug}}" / "pyproject.toml").read_text("utf-8")
