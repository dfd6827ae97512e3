"""How many instructions of the processor a request takes, counted by valgrind: no load on the machine changes that."""

import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import TypeAlias

from benchmarks.cases import CASES
from benchmarks.in_process import AS_IT_IS, WITHOUT_CORS, Worker, workers
from benchmarks.targets import BARE, Target

COUNTED = {"preflight": 200, "list of 20": 20}  # how many requests of each
Counts: TypeAlias = dict[str, dict[str, float]]  # instructions of a request, by variant and case


def is_installed() -> bool:
    """Tell whether valgrind is there."""
    return shutil.which("valgrind") is not None


def count(targets: Sequence[Target]) -> dict[str, Counts]:
    """Return the instructions of a request by target, of each as it is and without CORS; two are counted at once."""
    with ThreadPoolExecutor(2) as pool:
        return dict(zip((target.name for target in targets), pool.map(of_a_target, targets), strict=True))


def of_a_target(target: Target) -> Counts:
    """Return the instructions of a request, by variant and case."""
    variants = [AS_IT_IS] if target.name == BARE else [AS_IT_IS, WITHOUT_CORS]
    found: Counts = {variant: {} for variant in variants}
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "out")
        # counting starts after the imports, which would take minutes
        under = ["valgrind", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={out}"]
        fixed = replace(target, env={**target.env, "PYTHONHASHSEED": "0"})
        with workers([fixed], variants, under=under) as (worker,):
            control(worker, "--instr=on")
            for variant, (name, number) in product(variants, COUNTED.items()):
                if name in target.cases and (variant, name) != (WITHOUT_CORS, "preflight"):
                    found[variant][name] = of_a_request(worker, variant, name, number, out)
    return found


def of_a_request(worker: Worker, variant: str, name: str, number: int, out: Path) -> float:
    """Return what sending takes, less what everything around it takes."""
    asked = {"variant": variant, "request": worker.request(CASES[name]), "count": number}
    worker.ask(**asked)  # what a process does only once is done
    sent, idle = (between_dumps(worker, out, asked | {"idle": idle}) for idle in (False, True))
    return (sent - idle) / number


def between_dumps(worker: Worker, out: Path, asked: dict[str, object]) -> int:
    """Return the instructions that a question takes."""
    control(worker, "--zero")
    worker.ask(**asked)
    before = set(out.parent.iterdir())
    control(worker, "--dump")
    (dump,) = set(out.parent.iterdir()) - before
    (line,) = (line for line in dump.read_text("utf-8").splitlines() if line.startswith("summary:"))
    return int(line.split()[1])


def control(worker: Worker, order: str) -> None:
    """Give callgrind an order."""
    command = ["callgrind_control", order, str(worker.process.pid)]
    subprocess.run(command, capture_output=True, check=True, timeout=60)
