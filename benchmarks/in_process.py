"""The CPU of a request, without any server: each application is called in a process of its own (`worker.py`)."""

import contextlib
import json
import random
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from benchmarks.cases import CASES, ORIGIN, Answer, Case, facts, sign_in
from benchmarks.targets import Target
from tests.baking import environment

Rounds: TypeAlias = dict[str, list[float]]  # what each side took, in the order of the rounds
WORKER = Path(__file__).with_name("worker.py")
PRAGMAS = ("foreign_keys", "journal_mode", "synchronous", "busy_timeout", "cache_size", "mmap_size", "temp_store")
AS_IT_IS, WITHOUT_CORS = "as it is", "without CORS"


class Worker:
    """A process that has an application."""

    def __init__(self, target: Target, variants: Sequence[str] = (AS_IT_IS,), under: Sequence[str | Path] = ()) -> None:
        """Start it, perhaps under another program; see `workers` for some that are ended as well."""
        self.target = target
        self.variants = variants
        self.process = subprocess.Popen(
            [*under, target.python, str(WORKER), target.kind, target.application, *variants],
            cwd=target.folder,
            env=environment(target.env),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.counts: dict[tuple[str, str], int] = {}
        self.secrets: dict[str, str] = {}

    def ready(self) -> None:
        """Wait until its applications are there."""
        assert self._line() == list(self.variants), self.target.name

    def ask(self, **asked: Any) -> Any:
        """Send a line, and return what comes back."""
        assert self.process.stdin
        self.process.stdin.write(json.dumps({"variant": self.variants[0]} | asked) + "\n")
        self.process.stdin.flush()
        return self._line()

    def _line(self) -> Any:
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line, f"{self.target.name} ended with {self.process.wait()}"
        return json.loads(line)

    def answer(self, case: Case, variant: str | None = None) -> Answer:
        """Return the answer to a request."""
        return Answer(**self.ask(variant=variant or self.variants[0], request=self.request(case)))

    def request(self, case: Case) -> dict[str, Any]:
        """Return a request with the cookie of its user, and the version that it has."""
        cookie = etag = ""
        if case.user:
            cookie = self.secrets.get(case.user) or self._remember(case.user, self.answer(sign_in(case.user)).cookie)
        if case.tagged:
            etag = self.secrets.get(case.path) or self._remember(case.path, self.answer(CASES["one by id"]).get("ETag"))
        return case.as_json(cookie, etag, cors=self.target.cors)

    def _remember(self, name: str, secret: str) -> str:
        assert secret, f"{self.target.name} gives nothing for {name}"
        self.secrets[name] = secret
        return secret

    def measure(self, case: Case, variant: str | None = None, seconds: float = 0.1, what: str = "cpu") -> float:
        """Return the seconds of a request, from as many as fit into some time."""
        variant = variant or self.variants[0]
        asked = {"variant": variant, "request": self.request(case)}
        key = (variant, case.name)
        if key not in self.counts:
            few = 4
            while (took := self.ask(**asked, count=few)["time"]) < seconds / 3:
                few *= 4
            self.counts[key] = max(4, round(few * seconds / took))
        count = self.counts[key]
        return float(self.ask(**asked, count=count)[what]) / count

    def end(self) -> None:
        """End the process."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(60)


@contextlib.contextmanager
def workers(
    targets: Sequence[Target], variants: Sequence[str] = (AS_IT_IS,), under: Sequence[str | Path] = ()
) -> Iterator[list[Worker]]:
    """Run a worker for each target."""
    with contextlib.ExitStack() as stack:
        found = []
        for target in targets:
            found.append(Worker(target, variants, under))
            stack.callback(found[-1].end)
        for worker in found:
            worker.ready()
        yield found


def measure(targets: Sequence[Target], rounds: int) -> dict[str, Rounds]:
    """Return the microseconds of CPU of each request, by case and target, in the order of the rounds."""
    with workers(targets) as found:
        compare(found)
        return {
            case.name: in_rounds(
                rounds,
                {
                    worker.target.name: partial(worker.measure, case)
                    for worker in found
                    if case.name in worker.target.cases
                },
            )
            for case in CASES.values()
        }


def measure_cors(targets: Sequence[Target], rounds: int) -> dict[str, Rounds]:
    """Return the same for the list alone, as it is and without CORS, side by side in one process."""
    case, both = CASES["list of 20"], (AS_IT_IS, WITHOUT_CORS)
    with workers(targets, both) as found:
        for worker in found:
            sent = [worker.answer(case, variant).get("Access-Control-Allow-Origin") for variant in both]
            assert sent == [ORIGIN, ""], f"{worker.target.name} sends {sent}"
        return {
            worker.target.name: in_rounds(
                2 * rounds, {variant: partial(worker.measure, case, variant) for variant in both}
            )
            for worker in found
        }


def in_rounds(rounds: int, measures: Mapping[str, Callable[[], float]]) -> Rounds:
    """Measure one after the other, many times; return microseconds, the first round left out."""
    found: Rounds = {name: [] for name in measures}
    for number in range(rounds + 1):
        names = list(measures)
        random.Random(number).shuffle(names)
        for name in names:
            found[name].append(measures[name]() * 1e6)
    return {name: values[1:] for name, values in found.items()}


def compare(found: Sequence[Worker], names: Sequence[str] = tuple(CASES)) -> None:
    """Refuse targets that do not answer alike; the first one is the yardstick."""
    for case in (CASES[name] for name in names):
        answers = {worker.target: worker.answer(case) for worker in found if case.name in worker.target.cases}
        refuse_differences(case, answers)
    settings = {
        worker.target.name: worker.ask(pragmas=PRAGMAS) for worker in found if "list of 20" in worker.target.cases
    }
    assert all(one == next(iter(settings.values())) for one in settings.values()), f"SQLite is set as {settings}"


def refuse_differences(case: Case, answers: dict[Any, Answer]) -> None:
    """Refuse answers with other facts than the first one's."""
    (first, model), *rest = answers.items()
    for target, answer in rest:
        both = first.cors and target.cors
        wanted, got = facts(case, model, cors=both), facts(case, answer, cors=both)
        assert wanted == got, f"{case.name}: {target.name} answers\n{got}\nand not\n{wanted}"
