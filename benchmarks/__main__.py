"""Measure everything, side by side, on this machine: `uv run python -m benchmarks`.

Without options it takes about eleven minutes, and writes its figures into this folder: tables into README.md, a chart,
and everything as JSON. With some parts only, or with --quick, it prints the tables and writes nothing. It needs wrk and
valgrind (Debian: `apt install wrk valgrind`) for the parts `served` and `instructions`.
"""

import argparse
import contextlib
import datetime
import importlib.metadata
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil

from benchmarks import chart, growth, in_process, instructions, load, report, served, start
from benchmarks.targets import BARE, FASTAPI, FLASK, GENERATED, generated, peers, projects, with_databases
from tests.baking import BakedProject

PARTS = ("served", "cpu", "cors", "instructions", "rows", "policies", "imports", "start")
JSON = Path(__file__).with_name("figures.json")
LEAST_ROUNDS = 7  # of figures that are written
OURS = ("flask", "flask-cors", "flask-smorest", "marshmallow", "sqlalchemy", "granian", "orjson")
THEIRS = (
    "fastapi",
    "pydantic",
    "starlette",
    "uvicorn",
    "uvloop",
    "httptools",
    "gunicorn",
    "flask",
    "sqlalchemy",
    "granian",
)


def main() -> None:
    """Measure, print, and write what a whole run has found."""
    asked = arguments()
    for program, there in {"wrk": load.is_installed(), "valgrind": instructions.is_installed()}.items():
        if not there and {"wrk": "served", "valgrind": "instructions"}[program] in asked.parts:
            sys.exit(f"{program} is not installed: apt install {program}, or leave its part out with --parts.")
    with tempfile.TemporaryDirectory() as folder, only_tables():
        figures = measure(asked, Path(folder))
    text = report.tables(figures)
    print(text)
    if asked.rounds >= LEAST_ROUNDS and len(asked.parts) == len(PARTS):
        report.into_readme(text)
        chart.draw(figures["served"])
        JSON.write_text(json.dumps(figures, indent=1) + "\n", "utf-8", newline="\n")


@contextlib.contextmanager
def only_tables() -> Iterator[None]:
    """Keep what other programs print, as each new project does, out of our output."""
    ours = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        os.dup2(ours, 1)
        os.close(ours)


def arguments() -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure side by side, in rounds.")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS), help="only these")
    parser.add_argument("--rounds", type=int, default=LEAST_ROUNDS, help="how often everything is measured (7)")
    parser.add_argument("--seconds", type=int, default=1, help="of load in each round on each server (1)")
    parser.add_argument("--quick", action="store_true", help="two rounds: to see whether it works")
    asked = parser.parse_args()
    if asked.quick:
        asked.rounds = 2
    return asked


def measure(asked: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Return the figures of the parts that are asked for."""
    rounds = asked.rounds
    made = projects(folder)
    first = next(iter(made.values()))
    ours = [generated(name, made[strategy], strategy) for name, strategy in GENERATED.items()]
    targets = with_databases([*ours, *peers()], first, folder)
    by_name = {target.name: target for target in targets}
    one_of_each = [by_name[name] for name in (*GENERATED, FASTAPI, FLASK, BARE)]
    with_cors = [target for target in one_of_each[:-1] if target.cors]
    counted = [target for target in one_of_each if target.cors]
    grown = [by_name[name] for name in (next(iter(GENERATED)), FASTAPI, FLASK)]
    parts: dict[str, Callable[[], Any]] = {
        "served": lambda: served.measure(targets, rounds, asked.seconds),
        "cpu": lambda: in_process.measure(one_of_each, rounds),
        "cors": lambda: in_process.measure_cors(with_cors, rounds),
        "instructions": lambda: instructions.count(counted),
        "rows": lambda: growth.of_rows(grown, first, folder, rounds),
        "policies": lambda: growth.of_policies(targets[0], rounds),
        "imports": lambda: start.of_imports(targets[0], first.package, rounds),
        "start": lambda: start.of_a_student(first, rounds),
    }
    figures: dict[str, Any] = {"machine": machine(first, rounds)}
    for name in (name for name in PARTS if name in asked.parts):
        began = time.monotonic()
        figures[name] = parts[name]()
        print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return figures


def machine(project: BakedProject, rounds: int) -> str:
    """Return when and on what this was measured, in a paragraph."""
    ask = "import importlib.metadata, sys; print(*map(importlib.metadata.version, sys.argv[1:]))"
    ours = project.succeeds(project.python, "-c", ask, *OURS).split()
    theirs = [importlib.metadata.version(name) for name in THEIRS]
    memory = psutil.virtual_memory().total / 1024**3
    return (
        f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}, {rounds} rounds; {psutil.cpu_count()} cores"
        f" ({platform.machine()}), {memory:.0f} GiB, {platform.system()}, Python {platform.python_version()}.\n"
        f"Generated: {listed(OURS, ours)}.\nBeside it: {listed(THEIRS, theirs)}."
    )


def listed(names: tuple[str, ...], numbers: list[str]) -> str:
    """Return names with their versions."""
    return ", ".join(f"{name} {number}" for name, number in zip(names, numbers, strict=True))


if __name__ == "__main__":
    main()
