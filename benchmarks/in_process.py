"""Measure an application in its own process (`worker.py`) without a server: CPU, growth and instructions."""

import contextlib
import json
import random
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from benchmarks.cases import CASES, Answer, Case, check_same_answer, sign_in
from benchmarks.targets import BARE, Target
from tests.baking import environment

# the values of each case and target, in the order of the rounds
Figures: TypeAlias = dict[str, dict[str, list[float]]]
WORKER = Path(__file__).with_name("worker.py")
FEW, MANY, POLICIES = 1_000, 1_000_000, 300
COUNTED = {"preflight": 200, "list of 20": 20, "one by id": 20, "create": 20}  # requests under valgrind


class Worker:
    """A process with an application."""

    def __init__(self, target: Target, policies: int = 0, under: Sequence[str | Path] = ()) -> None:
        """Start the process, optionally with more policies or under another program. `workers` also stops it."""
        self.target = target
        self.process = subprocess.Popen(
            [*under, target.python, str(WORKER), target.application, str(policies)],
            cwd=target.folder,
            env=environment(target.env),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.counts: dict[str, int] = {}
        self.cookies: dict[str, str] = {}

    def send(self, **command: Any) -> Any:
        """Send a command and return the result."""
        assert self.process.stdin
        assert self.process.stdout
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(json.dumps(command) + "\n")
            self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, f"{self.target.name} exited with {self.process.wait()}"
        return json.loads(line)

    def answer(self, case: Case) -> Answer:
        """Return the response to a request."""
        return Answer(**self.send(request=self.request(case)))

    def request(self, case: Case) -> dict[str, Any]:
        """Return a request with the cookie of its user."""
        if case.user and case.user not in self.cookies:
            self.cookies[case.user] = self.answer(sign_in(case.user)).cookie
        return case.as_json(self.cookies.get(case.user or "", ""))

    def measure(self, case: Case, what: str = "cpu", seconds: float = 0.1) -> float:
        """Return the microseconds of CPU or time for a request, as the mean of many requests."""
        request, count = self.request(case), self.counts.get(case.name, 0)
        if not count:
            self.send(request=request, count=1)  # the first request does what happens once, such as the last checks
            count = 4
            while (took := self.send(request=request, count=count)["time"]) < seconds / 3:
                count *= 4
            self.counts[case.name] = count = max(4, round(count * seconds / took))
        return float(self.send(request=request, count=count)[what]) / count * 1e6

    def stop(self) -> None:
        """Stop the process."""
        self.process.communicate(timeout=60)


@contextlib.contextmanager
def workers(targets: Sequence[Target], policies: int = 0, under: Sequence[str | Path] = ()) -> Iterator[list[Worker]]:
    with contextlib.ExitStack() as stack:
        found = []
        for target in targets:
            found.append(Worker(target, policies, under))
            stack.callback(found[-1].stop)
        yield found


def supports(target: Target, case: str) -> bool:
    """Return whether a target supports a case. The bare function supports preflights only."""
    return target.name != BARE or case == "preflight"


def measure_cpu(targets: Sequence[Target], rounds: int) -> Figures:
    with workers(targets) as found:
        check_same_answers(found)
        return {
            case.name: measure_in_rounds(
                rounds, {w.target.name: partial(w.measure, case) for w in found if supports(w.target, case.name)}
            )
            for case in CASES.values()
        }


def check_same_answers(found: Sequence[Worker]) -> None:
    """Assert that all targets give the same responses as the first one."""
    for case in CASES.values():
        check_same_answer(case, {w.target.name: w.answer(case) for w in found if supports(w.target, case.name)})


def measure_in_rounds(rounds: int, measures: Mapping[str, Callable[[], float]]) -> dict[str, list[float]]:
    """Measure all in rounds, in a random order. The first round is not counted."""
    found: dict[str, list[float]] = {name: [] for name in measures}
    for number in range(rounds + 1):
        for name in random.Random(number).sample(list(measures), len(measures)):
            found[name].append(measures[name]())
    return {name: values[1:] for name, values in found.items()}


def measure_growth(targets: Sequence[Target], folder: Path, rounds: int) -> Figures:
    """Return the ratios of a request with many rows or policies to one with few."""
    many_rows, many_policies = f"{MANY:,} rows / {FEW:,}", f"{POLICIES} policies / those of a new project"
    found: Figures = {}
    for target in targets:
        sizes = [
            target.on_database(folder / f"{target.name}-{n}.sqlite", {"reader": n, "visitor": 0}, n)
            for n in (FEW, MANY)
        ]
        with workers(sizes) as pair:
            for case in ("list of 20", "login"):
                found.setdefault(f"{case}, {many_rows}", {})[target.name] = measure_ratio(
                    pair, CASES[case], "time", rounds
                )
    with workers(targets[:1]) as few, workers(targets[:1], POLICIES) as more:
        for case in ("preflight", "list of 20"):
            grown = measure_ratio([*few, *more], CASES[case], "cpu", rounds)
            found[f"{case}, {many_policies}"] = {targets[0].name: grown}
    return found


def measure_ratio(pair: Sequence[Worker], case: Case, what: str, rounds: int) -> list[float]:
    """Return the ratio of the second worker to the first one in each round."""
    few, many = measure_in_rounds(rounds, {str(n): partial(w.measure, case, what) for n, w in enumerate(pair)}).values()
    return [b / a for a, b in zip(few, many, strict=True)]


def count_instructions(targets: Sequence[Target]) -> Figures:
    """Return the processor instructions of a request, which do not depend on the load of the machine."""
    with ThreadPoolExecutor(2) as pool:
        counted = dict(
            zip((target.name for target in targets), pool.map(count_target_instructions, targets), strict=True)
        )
    return {case: {name: [found[case]] for name, found in counted.items() if case in found} for case in COUNTED}


def count_target_instructions(target: Target) -> dict[str, float]:
    """Return the instructions of a request by case, counted with valgrind."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "out")
        # counting starts after the imports, because they would take minutes
        under = [str(shutil.which("valgrind")), "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={out}"]
        fixed = replace(target, env={**target.env, "PYTHONHASHSEED": "0"})
        with workers([fixed], under=under) as (worker,):
            worker.answer(CASES["preflight"])
            control_valgrind(worker, "--instr=on")
            return {
                case: count_request_instructions(worker, CASES[case], number, out)
                for case, number in COUNTED.items()
                if supports(target, case)
            }


def count_request_instructions(worker: Worker, case: Case, number: int, out: Path) -> float:
    """Return the instructions of a request without the overhead of the worker."""
    command, took = {"request": worker.request(case), "count": number}, []
    worker.send(**command)  # warm-up
    for idle in (False, True):
        control_valgrind(worker, "--zero")
        worker.send(**command, idle=idle)
        before = set(out.parent.iterdir())
        control_valgrind(worker, "--dump")
        [dump] = set(out.parent.iterdir()) - before
        [line] = (line for line in dump.read_text("utf-8").splitlines() if line.startswith("summary:"))
        took.append(int(line.split()[1]))
    return (took[0] - took[1]) / number


def control_valgrind(worker: Worker, what: str) -> None:
    command = ["callgrind_control", what, str(worker.process.pid)]
    subprocess.run(command, capture_output=True, check=True, timeout=60)
