"""Ratios of two sides that were measured in the same rounds, and the bars that the project has set for itself."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from benchmarks.growth import FEW, MANY, POLICIES
from benchmarks.in_process import AS_IT_IS, WITHOUT_CORS
from benchmarks.targets import BARE, FASTAPI, FLASK, GENERATED

FLAT = 1.2  # what counts as flat: more than the spread of such a ratio, and far from a growth with the work


@dataclass(frozen=True)
class Measured:
    """A ratio, or seconds: the median of the rounds, the least and the most of them."""

    median: float
    least: float
    most: float
    unit: str = "x"

    def __str__(self) -> str:
        """Write it with its spread."""
        return f"{number(self.median)} {self.unit} ({number(self.least)} to {number(self.most)})"


def number(value: float) -> str:
    """Write a number with three digits that count."""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def of(values: Sequence[float], unit: str = "x") -> Measured:
    """Return the median and the spread of values."""
    return Measured(median(values), min(values), max(values), unit)


def ratio(one: Sequence[float], other: Sequence[float]) -> Measured:
    """Return how many times the other is in the one, round by round."""
    return of([a / b for a, b in zip(one, other, strict=True)])


@dataclass(frozen=True)
class Bar:
    """Something to be reached.

    Args:
        name: what is compared.
        part: the part of the figures that has it.
        bound: the least, or the most.
        measure: finds it in that part.
    """

    name: str
    part: str
    at: str
    bound: float
    measure: Callable[[Any], Measured]

    def row(self, figures: dict[str, Any]) -> list[str]:
        """Return a row of the table: what, the bar, what was measured, and whether it is reached."""
        found = self.measure(figures[self.part])
        return [self.name, f"{self.at} {self.bound:g} {found.unit}", str(found), self.verdict(found.median)]

    def verdict(self, value: float) -> str:
        """Say whether it is reached, and if not, how much is missing."""
        if value >= self.bound if self.at == "at least" else value <= self.bound:
            return "met"
        return f"**short by {abs(value - self.bound) / self.bound:.0%}**"


def bars(figures: dict[str, Any]) -> list[Bar]:
    """Return the bars of the parts that were measured."""
    found = []
    for target in [name for name in GENERATED if "proxy" not in name]:
        strategy = GENERATED[target]
        found += [
            Bar(
                f"{case}, requests a second: {strategy} / {peer}",
                "served",
                "at least",
                bound,
                rates(case, target, peer),
            )
            for case, peer, bound in (
                ("preflight", FASTAPI, 1.6),
                ("preflight", FLASK, 7),
                ("list of 20", FASTAPI, 1.5),
                ("one by id", FASTAPI, 1.5),
                ("create", FASTAPI, 1.3),
            )
        ]
        limit = 1.3 if strategy == "flask-cors" else 1.1
        found += [
            Bar(f"preflight, CPU: {strategy} / {BARE}", "cpu", "at most", 10, cpu("preflight", target, BARE)),
            Bar(f"list of 20, CPU: {strategy} / itself without CORS", "cors", "at most", limit, part_of_cors(target)),
        ]
    first = next(iter(GENERATED))
    found += [
        Bar(f"{case}, time: {MANY:,} / {FEW:,} {what}", "rows", "at most", FLAT, growth(case, first))
        for case, what in (("list of 20", "notes of a user"), ("login", "sign-ins"))
    ]
    found += [
        Bar(f"{case}, CPU: {POLICIES} / those of a new project", "policies", "at most", FLAT, of_policies(case))
        for case in ("preflight", "list of 20")
    ]
    found += [
        Bar("import: the application / its libraries", "imports", "at most", 1.1, imports),
        Bar("generating a project, in process", "start", "at most", 1, seconds("bake")),
        Bar("the README's command to the first answer, warm", "start", "at most", 7, seconds("first answer")),
        Bar("the tests of a generated project", "start", "at most", 10, seconds("tests")),
    ]
    return [bar for bar in found if bar.part in figures]


def rates(case: str, one: str, other: str) -> Callable[[Any], Measured]:
    """Return what finds a ratio of requests a second."""
    return lambda served: ratio(served[case][one]["rate"], served[case][other]["rate"])


def cpu(case: str, one: str, other: str) -> Callable[[Any], Measured]:
    """Return what finds a ratio of CPU."""
    return lambda cases: ratio(cases[case][one], cases[case][other])


def part_of_cors(target: str) -> Callable[[Any], Measured]:
    """Return what finds how much more an application takes with CORS."""
    return lambda cors: ratio(cors[target][AS_IT_IS], cors[target][WITHOUT_CORS])


def growth(case: str, target: str) -> Callable[[Any], Measured]:
    """Return what finds how much more a request takes among many rows."""
    return lambda rows: ratio(rows[case][target][str(MANY)], rows[case][target][str(FEW)])


def of_policies(case: str) -> Callable[[Any], Measured]:
    """Return what finds how much more a request takes among many policies."""
    return lambda policies: ratio(policies[case][POLICIES], policies[case][AS_IT_IS])


def imports(sides: Any) -> Measured:
    """Find how much more the import of the application takes than that of its libraries."""
    return ratio(sides["app"], sides["its libraries"])


def seconds(what: str) -> Callable[[Any], Measured]:
    """Return what finds seconds."""
    return lambda start: of(start[what], "s")
