"""From nothing to an answer: imports, generating a project, the README's command, dev.py, the generated tests."""

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from benchmarks.in_process import Figures, in_rounds
from tests.baking import BakedProject, bake, template
from tests.running import running

TIMED = "import time; start = time.perf_counter(); import {}; print(time.perf_counter() - start)"
LIBRARIES = "flask, flask_smorest, flask_limiter, sqlalchemy.orm, marshmallow, argon2, publicsuffixlist"
FIRST = f"uvx cookiecutter {template()} --no-input -o build && cd build/my-lab-api && uv run dev.py"


def measure(project: BakedProject, rounds: int) -> Figures:
    """Return the seconds of each thing that a student waits for; the page is left out where npm is not installed."""
    with new_folder() as folder:
        things: dict[str, Callable[[], float]] = {
            "import of the application": partial(importing, project, project.package),
            "import of its main libraries": partial(importing, project, LIBRARIES),
            "generating a project, in process": partial(timed, bake),
            "the README's first command, without `pip install uv`, to the first answer": partial(timed, first_answer),
            "`uv run pytest` of a generated project": partial(timed, lambda _: testing(project)),
        }
        if shutil.which("npm"):
            page = bake(folder)
            page.succeeds("uv", "sync", "--quiet")
            page.succeeds("npm", "ci", "--no-audit", "--no-fund", "--prefer-offline", folder="frontend")
            things["`uv run dev.py` to an answer of API and page, packages installed"] = partial(starting, page)
        return {"seconds": in_rounds(rounds, things)}


@contextmanager
def new_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def timed(do: Callable[[Path], object]) -> float:
    with new_folder() as folder:
        start = time.perf_counter()
        done = do(folder)
        return done if isinstance(done, float) else time.perf_counter() - start


def importing(project: BakedProject, what: str) -> float:
    return float(project.succeeds(project.python, "-c", TIMED.format(what)))


def testing(project: BakedProject) -> None:
    project.succeeds(project.python, "-m", "pytest", "-q")


def first_answer(folder: Path) -> float:
    return starting(BakedProject(folder, (), ()), ["sh", "-c", FIRST])


def starting(project: BakedProject, command: list[str] | None = None) -> float:
    """Start something, and stop it when its servers have answered."""
    start = time.perf_counter()
    with running(project, command=command) as started:
        started.until_ready()
        return time.perf_counter() - start
