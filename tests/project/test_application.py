"""The hostile tables of the application: `tests/application/` runs inside a generated project of each strategy.

A student's own tests are few and plain. What else has to hold of the application stands there: attacks, races, odd
input. The files import `my_lab_api` and run with the Python of the project.
"""

from collections.abc import Callable

import pytest

from tests.baking import CHECKOUT, BakedProject

HERE = CHECKOUT / "tests" / "application"


@pytest.mark.parametrize("combination", ["default", "interceptor", "proxy"])
def test_the_application_holds_under(installed: Callable[[str], BakedProject], combination: str) -> None:
    project = installed(combination)
    options = ["-q", f"--config-file={project.path / 'pyproject.toml'}", f"--rootdir={HERE}", f"--confcutdir={HERE}"]
    said = project.succeeds(project.python, "-m", "pytest", *options, "-p", "no:cacheprovider", str(HERE))
    assert " passed" in said
    assert "skipped" not in said
