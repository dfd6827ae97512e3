"""Measure everything, side by side, on this machine: `uv run python -m benchmarks`.

Without options it takes about ten minutes, and writes its figures into this folder: tables into README.md, a chart, and
everything as JSON. With fewer rounds, some parts only, or an earlier version beside, it prints the tables and writes
nothing. It needs wrk and valgrind (Debian: `apt install wrk valgrind`) for the parts `served` and `instructions`.
"""

import argparse
import contextlib
import datetime
import importlib.metadata
import json
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil

from benchmarks import in_process, report, served, start
from benchmarks.targets import FASTAPI, FLASK, ON_GRANIAN, build_peers, build_projects
from tests.baking import BakedProject

PARTS = ("served", "cpu", "instructions", "growth", "start")
NEEDED = {"served": "wrk", "instructions": "valgrind"}
JSON = Path(__file__).with_name("figures.json")
MINIMUM_ROUNDS = 9  # of figures that are written
PACKAGES = "flask flask-cors flask-smorest marshmallow sqlalchemy granian fastapi pydantic starlette uvicorn gunicorn"


def main() -> None:
    options = parse_arguments()
    for part, program in NEEDED.items():
        if part in options.parts and not shutil.which(program):
            sys.exit(f"{program} is not installed. Run: apt install {program}. Or leave {part} out with --parts.")
    with tempfile.TemporaryDirectory() as folder, redirect_output():
        figures = measure(options, Path(folder))
    text = report.build_tables(figures)
    print(text)
    if options.rounds >= MINIMUM_ROUNDS and len(options.parts) == len(PARTS) and not options.beside:
        report.write(text, figures["rate"])
        JSON.write_text(json.dumps(figures, indent=1) + "\n", "utf-8", newline="\n")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure side by side, in rounds.")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS), help="only these")
    parser.add_argument("--rounds", type=int, default=MINIMUM_ROUNDS, help="how often everything is measured (9)")
    parser.add_argument("--seconds", type=int, default=1, help="of load in each round on each server (1)")
    parser.add_argument("--beside", type=Path, help="an earlier checkout of the template, or a project of one")
    return parser.parse_args()


@contextlib.contextmanager
def redirect_output() -> Iterator[None]:
    """Keep what other programs print, as each new project does, out of our output."""
    ours = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        os.dup2(ours, 1)
        os.close(ours)


def measure(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Return the figures of the parts that are asked for, by kind, case and target."""
    made = [*build_projects(folder, options.beside), *build_peers()]
    targets = [target.on_database(folder / f"{number}.sqlite") for number, target in enumerate(made)]
    [first, *_] = (target.project for target in targets if target.project)
    called = [target for target in targets if target.name != ON_GRANIAN]  # the same application
    grown = [targets[0], *(target for target in targets if target.name in (FASTAPI, FLASK))]
    parts: dict[str, Callable[[], dict[str, Any]]] = {
        "served": lambda: served.measure(targets, options.rounds, options.seconds),
        "cpu": lambda: {"cpu": in_process.measure_cpu(called, options.rounds)},
        "instructions": lambda: {"instructions": in_process.count_instructions(called)},
        "growth": lambda: {"growth": in_process.measure_growth(grown, folder, options.rounds)},
        "start": lambda: {"start": start.measure(first, options.rounds)},
    }
    figures: dict[str, Any] = {"machine": describe_machine(first, options.rounds)}
    for name in (name for name in PARTS if name in options.parts):
        began = time.monotonic()
        figures |= parts[name]()
        print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return figures


def describe_machine(project: BakedProject, rounds: int) -> str:
    ask = "import importlib.metadata, sys; print(*map(importlib.metadata.version, sys.argv[1:]))"
    names = PACKAGES.split()
    ours = project.check_output(project.python, "-c", ask, *names[:6]).split()
    versions = [*ours, *map(importlib.metadata.version, names[6:])]
    packages = ", ".join(f"{name} {version}" for name, version in zip(names, versions, strict=True))
    memory = psutil.virtual_memory().total / 1024**3
    return (
        f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}, {rounds} rounds; {psutil.cpu_count()} cores"
        f" ({platform.machine()}), {memory:.0f} GiB, {platform.system()}, Python {platform.python_version()}."
        f"\n{packages}."
    )


if __name__ == "__main__":
    main()
