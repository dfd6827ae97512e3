"""From nothing to an answer: imports, generating a project, the README's command, dev.py, the generated tests."""

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from benchmarks.in_process import Figures, measure_in_rounds
from tests.baking import BakedProject, bake, template
from tests.running import running

TIMED = "import time; start = time.perf_counter(); import {}; print(time.perf_counter() - start)"
LIBRARIES = "flask, flask_smorest, flask_limiter, sqlalchemy.orm, marshmallow, argon2, publicsuffixlist"
FIRST = f"uvx cookiecutter {template()} --no-input -o build && cd build/my-lab-api && uv run dev.py"


def measure(project: BakedProject, rounds: int) -> Figures:
    """Return the seconds of each thing that a student waits for; the page is left out where npm is not installed."""
    with new_folder() as folder:
        things: dict[str, Callable[[], float]] = {
            "import of the application": partial(measure_import, project, project.package),
            "import of its main libraries": partial(measure_import, project, LIBRARIES),
            "generating a project, in process": partial(measure_time, bake),
            "the README's first command, without `pip install uv`, to the first answer": partial(
                measure_time, measure_first_answer
            ),
            "`uv run pytest` of a generated project": partial(measure_time, lambda _: run_tests(project)),
        }
        if shutil.which("npm"):
            page = bake(folder)
            page.check_output("uv", "sync", "--quiet")
            page.check_output("npm", "ci", "--no-audit", "--no-fund", "--prefer-offline", folder="frontend")
            things["`uv run dev.py` to an answer of API and page, packages installed"] = partial(measure_start, page)
        return {"seconds": measure_in_rounds(rounds, things)}


@contextmanager
def new_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def measure_time(do: Callable[[Path], object]) -> float:
    with new_folder() as folder:
        start = time.perf_counter()
        done = do(folder)
        return done if isinstance(done, float) else time.perf_counter() - start


def measure_import(project: BakedProject, what: str) -> float:
    return float(project.check_output(project.python, "-c", TIMED.format(what)))


def run_tests(project: BakedProject) -> None:
    project.check_output(project.python, "-m", "pytest", "-q")


def measure_first_answer(folder: Path) -> float:
    return measure_start(BakedProject(folder, (), ()), ["sh", "-c", FIRST])


def measure_start(project: BakedProject, command: list[str] | None = None) -> float:
    """Start something, and stop it when its servers have answered."""
    start = time.perf_counter()
    with running(project, command=command) as started:
        started.wait_until_ready()
        return time.perf_counter() - start
