"""Measure start-up times: imports, generating a project, the README's command, dev.py and the generated tests."""

import shutil
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks.in_process import Figures, measure_in_rounds
from tests.baking import BakedProject, bake, template
from tests.running import READY, running

MEASURE_IMPORT = "import time; start = time.perf_counter(); import {}; print(time.perf_counter() - start)"
LIBRARIES = "flask, flask_smorest, flask_limiter, sqlalchemy.orm, marshmallow, argon2, publicsuffixlist"
FIRST_COMMAND = f"uvx cookiecutter {template()} --no-input -o build && cd build/my-lab-api && uv run dev.py"


def measure(project: BakedProject, rounds: int) -> Figures:
    """Return the seconds of each start-up time. dev.py with the page needs npm."""
    with tempfile.TemporaryDirectory() as folder:
        readme = partial(measure_time, measure_readme)
        measures: dict[str, Callable[[], float]] = {
            "import of the application": partial(measure_import, project, project.package),
            "import of its main libraries": partial(measure_import, project, LIBRARIES),
            "generating a project, in process": partial(measure_time, bake),
            "the README's first command, without `pip install uv`, to the API's first answer": readme,
            "`uv run pytest` of a generated project": partial(measure_time, lambda _: run_tests(project)),
        }
        if shutil.which("npm"):
            page = bake(Path(folder))
            page.check_output("uv", "sync", "--quiet")
            page.check_output("npm", "ci", "--no-audit", "--no-fund", "--prefer-offline", folder="frontend")
            measures["`uv run dev.py` to an answer of API and page, packages installed"] = partial(measure_start, page)
        return {"seconds": measure_in_rounds(rounds, measures)}


def measure_time(action: Callable[[Path], object]) -> float:
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        result = action(Path(folder))
        return result if isinstance(result, float) else time.perf_counter() - start


def measure_import(project: BakedProject, what: str) -> float:
    return float(project.check_output(project.python, "-c", MEASURE_IMPORT.format(what)))


def run_tests(project: BakedProject) -> None:
    project.check_output(project.python, "-m", "pytest", "-q")


def measure_readme(folder: Path) -> float:
    """Run the README's first command until the API responds. The front end's packages come later."""
    return measure_start(BakedProject(folder, (), ()), ["sh", "-c", FIRST_COMMAND], "GET /health/live 200")


def measure_start(project: BakedProject, command: list[str] | None = None, text: str = READY) -> float:
    """Start a project, stop it after a text in its output, and return the seconds between."""
    start = time.perf_counter()
    with running(project, command=command) as started:
        started.wait_until(lambda: text in started.output)
        return time.perf_counter() - start
