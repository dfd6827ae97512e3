"""Run `tests/application/` inside generated projects: attacks, race conditions and adversarial inputs.

The tests of a project are few and simple, so these tests are separate. The files import `my_lab_api` and run with the
Python of the project.
"""

from collections.abc import Callable, Mapping

import pytest

from tests.baking import CHECKOUT, BakedProject

HERE = CHECKOUT / "tests" / "application"


def run_application_tests(project: BakedProject, *files: str, env: Mapping[str, str] | None = None) -> str:
    """Run files of that folder, or all, inside a project. Return the output of pytest."""
    options = ["-q", f"--config-file={project.path / 'pyproject.toml'}", f"--rootdir={HERE}", f"--confcutdir={HERE}"]
    paths = [str(HERE / file) for file in files] or [str(HERE)]
    return project.check_output(project.python, "-m", "pytest", *options, "-p", "no:cacheprovider", *paths, env=env)


# `test_generated.py` proves that `interceptor` and `proxy` differ from `default` in the writer of CORS headers only
TESTS_OF_HEADERS = [f"test_{name}.py" for name in "cors csrf demo errors http_edges limits public serving".split()]


@pytest.mark.parametrize(("combination", "files"), [("default", []), ("interceptor", TESTS_OF_HEADERS)])
def test_the_application_tests_pass(
    get_installed: Callable[[str], BakedProject], combination: str, files: list[str]
) -> None:
    said = run_application_tests(get_installed(combination), *files)
    assert " passed" in said
    assert "skipped" not in said
