"""The conformance cases find each common mistake, for each writer of headers.

Each mistake is written into a copy of the files, and `test_conformance.py` must fail there.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.baking import CHECKOUT
from tests.crossorigin.conftest import FOLDER

WRITERS = {  # the name in the cases, and the file that has the writer
    "flask-cors": "{{cookiecutter.__package}}/{% if cookiecutter.__flask_cors %}cors_headers.py{% endif %}",
    "by-hand": "{{cookiecutter.__package}}/{% if cookiecutter.__by_hand %}cors_headers.py{% endif %}",
    "crossorigin": "crossorigin/headers.py",
}
WRITER = "the writer's own file"

# a file, the right text, and the wrong text
MUTATIONS: dict[str, tuple[str, str, str]] = {
    "Vary only when allowed": (
        WRITER,
        "if not policy.any_origin:",
        'if not policy.any_origin and policy.allow_origin(request.headers.get("Origin", "")):',
    ),
    "the origin reflected": ("crossorigin/policy.py", "origin in self.exact or self.pattern.match(origin)", "origin"),
    "an unanchored pattern": ("crossorigin/policy.py", r'r")\Z"', '")"'),
    "the origin compared without case": ("crossorigin/policy.py", r'+ r")\Z")', r'+ r")\Z", re.IGNORECASE)'),
    "credentials under *": (
        "crossorigin/policy.py",
        "policy.credentials else",
        "policy.credentials or policy.any_origin else",
    ),
    "no headers on 404": (
        "crossorigin/declare.py",
        "return policies.find(request.path) if rule is None",
        "return None if rule is None",
    ),
    "preflights after authentication": ("crossorigin/preflight.py", 'environ["REQUEST_METHOD"] != "OPTIONS"', "True"),
    "max-age 0 dropped": (
        "crossorigin/policy.py",
        '"" if policy.max_age is None else str(policy.max_age)',
        'str(policy.max_age or "")',
    ),
    "a laxer outer policy wins": ("crossorigin/prefixes.py", "depth + 1 > best[0]", "best[1] is None"),
    "exposed headers on preflights": (
        "crossorigin/policy.py",
        '"Access-Control-Max-Age":',
        '"Access-Control-Expose-Headers": ", ".join(policy.expose_headers), "Access-Control-Max-Age":',
    ),
}


# runs the cases of each writer until one fails, and ends with the number of writers for which one has failed
RUN = """
import sys, pytest
options = ["-q", "-x", "--tb=line", "-p", "no:cacheprovider", "--config-file", sys.argv[1], "--rootdir=."]
options += ["--import-mode=importlib", "--confcutdir=tests/crossorigin", "tests/crossorigin/test_conformance.py", "-k"]
codes = [pytest.main([*options, writer]) for writer in sys.argv[2:]]
sys.exit(100 + codes.count(pytest.ExitCode.TESTS_FAILED))
"""


def run_cases(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", RUN, os.devnull, *WRITERS]
    env = {**os.environ, "TEMPLATE_FOLDER": str(folder), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return subprocess.run(command, cwd=CHECKOUT, env=env, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_the_conformance_cases_fail_for_each_writer_with(tmp_path: Path, mutation: str) -> None:
    name, right, wrong = MUTATIONS[mutation]
    shutil.copytree(FOLDER / "crossorigin", tmp_path / "crossorigin", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "{{cookiecutter.__package}}").mkdir()
    for file in set(WRITERS.values()) - {"crossorigin/headers.py"}:
        shutil.copy(FOLDER / file, tmp_path / file)
    for file in WRITERS.values() if name == WRITER else [name]:
        text = (tmp_path / file).read_text("utf-8")
        assert text.count(right) == 1, f"{file} has changed: correct the table"
        (tmp_path / file).write_text(text.replace(right, wrong), "utf-8")
    run = run_cases(tmp_path)
    assert run.returncode == 100 + len(WRITERS), run.stdout + run.stderr
