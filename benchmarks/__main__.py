"""Measure all applications on this machine: `uv run python -m benchmarks`.

Without options it takes about fifteen minutes and writes tables into README.md, a chart and figures.json. With fewer
rounds, some parts only, or with `--beside`, it prints the tables and writes nothing. The part `served` needs wrk, and
the part `instructions` needs valgrind (Debian: `apt install wrk valgrind`).
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
MINIMUM_ROUNDS = 9  # to write the figures
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
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure all applications in rounds.")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS), help="measure only these parts")
    parser.add_argument("--rounds", type=int, default=MINIMUM_ROUNDS, help="the number of rounds (default: 9)")
    parser.add_argument("--seconds", type=int, default=1, help="seconds of load on a server in a round (default: 1)")
    parser.add_argument("--beside", type=Path, help="an earlier checkout of the template, or a project of one")
    return parser.parse_args()


@contextlib.contextmanager
def redirect_output() -> Iterator[None]:
    """Send the output of other programs to stderr. Stdout has only the tables."""
    stdout = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        os.dup2(stdout, 1)
        os.close(stdout)


def measure(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Return the figures of the chosen parts by kind, case and target."""
    applications = [*build_projects(folder, options.beside), *build_peers()]
    targets = [target.on_database(folder / f"{number}.sqlite") for number, target in enumerate(applications)]
    [first, *_] = (target.project for target in targets if target.project)
    in_process_targets = [target for target in targets if target.name != ON_GRANIAN]  # the same application
    growth_targets = [targets[0], *(target for target in targets if target.name in (FASTAPI, FLASK))]
    parts: dict[str, Callable[[], dict[str, Any]]] = {
        "served": lambda: served.measure(targets, options.rounds, options.seconds),
        "cpu": lambda: {"cpu": in_process.measure_cpu(in_process_targets, options.rounds)},
        "instructions": lambda: {"instructions": in_process.count_instructions(in_process_targets)},
        "growth": lambda: {"growth": in_process.measure_growth(growth_targets, folder, options.rounds)},
        "start": lambda: {"start": start.measure(first, options.rounds)},
    }
    figures: dict[str, Any] = {"machine": describe_machine(first, options.rounds)}
    for name in (name for name in PARTS if name in options.parts):
        started = time.monotonic()
        figures |= parts[name]()
        print(f"{name}: {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
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
