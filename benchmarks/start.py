"""From nothing to an answer: imports, generating a project, the README's command, dev.py, the generated tests."""

import contextlib
import shutil
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import psutil

from benchmarks.targets import Target
from tests.baking import BakedProject, bake, environment, template
from tests.running import preferred_port, running

# prints every import of another's package that the modules of a package do when it is imported
LIBRARIES = """
import ast, importlib, inspect, sys
package = sys.argv[1]
importlib.import_module(package)
found = set()
for name, module in list(sys.modules.items()):
    if name.partition(".")[0] == package:
        for node in ast.parse(inspect.getsource(module)).body:
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                inside = {f"{node.module}.{alias.name}" for alias in node.names}
                found |= {node.module} | (inside & sys.modules.keys())
print(*sorted(n for n in found if n.partition(".")[0] not in {*sys.stdlib_module_names, package}))
"""
TIMED = "import time; start = time.perf_counter(); import {}; print(time.perf_counter() - start)"
Seconds: TypeAlias = dict[str, list[float]]  # of each thing, in the order of the rounds


def of_imports(target: Target, package: str, rounds: int) -> Seconds:
    """Return the seconds that the import of a package takes, and those of the libraries that it imports."""

    def python(*arguments: str) -> str:
        options: dict[str, Any] = {"cwd": target.folder, "env": environment(target.env)}
        command = [target.python, "-c", *arguments]
        return str(subprocess.run(command, **options, capture_output=True, check=True, text=True).stdout)

    def seconds(code: str) -> float:
        return float(python(code))

    libraries = ", ".join(python(LIBRARIES, package).split())
    sides = {"app": TIMED.format(package), "its libraries": TIMED.format(libraries)}
    # each is over in half a second, and the machine's own doings are as long: more rounds than of the others
    return alternate(2 * rounds, {name: partial(seconds, code) for name, code in sides.items()})


def alternate(rounds: int, measures: Mapping[str, Callable[[], float]]) -> Seconds:
    """Measure one after the other, many times, the first round left out."""
    found: Seconds = {name: [] for name in measures}
    for _ in range(rounds + 1):
        for name, measure in measures.items():
            found[name].append(measure())
    return {name: values[1:] for name, values in found.items()}


def of_a_student(project: BakedProject, rounds: int) -> Seconds:
    """Return the seconds until something is there: a project, the first answer, both ports, the end of its tests.

    The page is left out where npm is not installed.
    """
    found = alternate(rounds, {"bake": baking, "first answer": first_answer, "tests": lambda: tests_of(project)})
    if shutil.which("npm"):
        with tempfile.TemporaryDirectory() as folder:
            with_page = bake(Path(folder))
            with_page.succeeds("uv", "sync", "--quiet")
            with_page.succeeds("npm", "ci", "--no-audit", "--no-fund", "--prefer-offline", folder="frontend")
            found |= alternate(rounds, {"both ports": lambda: both_ports(with_page)})
    return found


def baking() -> float:
    """Generate a project in this process."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        bake(Path(folder))
        return time.perf_counter() - start


def first_answer() -> float:
    """Run the command of the README, `pip install uv` aside, until the API answers."""
    port, page = preferred_port(0), preferred_port(0)
    env = environment({"PORT": str(port), "FRONTEND_PORT": str(page)})
    command = f"uvx cookiecutter {template()} --no-input -o build && cd build/my-lab-api && uv run dev.py"
    nothing: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        process = subprocess.Popen(command, shell=True, cwd=folder, env=env, **nothing)
        try:
            until_success(process, f"http://localhost:{port}/api/public/hello")
            return time.perf_counter() - start
        finally:
            end(process)


def both_ports(project: BakedProject) -> float:
    """Run dev.py of a project whose packages are there until API and page answer."""
    start = time.perf_counter()
    with running(project) as started:
        for url in (f"{started.api}/api/public/hello", f"{started.page}/"):
            until_success(started.process, url)
        return time.perf_counter() - start


def tests_of(project: BakedProject) -> float:
    """Run the tests of a project."""
    start = time.perf_counter()
    project.succeeds(project.python, "-m", "pytest", "-q")
    return time.perf_counter() - start


def until_success(process: subprocess.Popen[bytes], url: str) -> None:
    """Wait until an address answers with 200."""
    while True:
        assert process.poll() is None, f"{process.args!r} ended with {process.returncode}"
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5):
            return
        time.sleep(0.02)


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask a program and everything that it has started to end, and wait for that."""
    family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    for member in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            member.terminate()
    for member in psutil.wait_procs(family, timeout=10)[1]:
        member.kill()
    process.wait()
