"""What grows with the work: rows of a user, sign-ins of everybody, policies of an application."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from benchmarks.cases import CASES, ORIGIN, Case
from benchmarks.database import fill
from benchmarks.in_process import AS_IT_IS, Rounds, in_rounds, workers
from benchmarks.targets import SETTINGS, Target, with_database
from tests.baking import BakedProject

FEW, MANY = 1_000, 1_000_000
POLICIES = "300 policies"
SHORT = "A body."
MEASURED = ("list of 20", "login")  # of the rows, by time: what somebody waits for
BY_POLICIES = ("preflight", "list of 20", "health")  # by CPU


def of_rows(
    targets: Sequence[Target], project: BakedProject, folder: Path, rounds: int
) -> dict[str, dict[str, Rounds]]:
    """Return the microseconds of a request, by case, target and number of rows: as many notes as sign-ins."""
    sized = {}
    for number in (FEW, MANY):
        file = folder / f"{number}.sqlite"
        fill(project, file, SETTINGS | {"FRONTEND_ORIGINS": ORIGIN}, {"reader": number, "visitor": 0}, number, SHORT)
        sized[number] = [with_database(target, file, file) for target in targets]
    found: dict[str, dict[str, Rounds]] = {name: {} for name in MEASURED}
    with workers(sized[FEW]) as few, workers(sized[MANY]) as many:
        for name in MEASURED:
            for pair in zip(few, many, strict=True):
                timed = {str(n): partial(w.measure, CASES[name], what="time") for n, w in zip(sized, pair, strict=True)}
                found[name][pair[0].target.name] = in_rounds(rounds, timed)
    return found


def of_policies(target: Target, rounds: int) -> dict[str, Rounds]:
    """Return the microseconds of CPU of a request, by case, with the policies of a new project and with many."""
    both = (AS_IT_IS, POLICIES)
    with workers([target], both) as (worker,):
        last = Case("preflight of the last policy", "OPTIONS", "/api/more-295", CASES["preflight"].headers)
        assert worker.answer(last, POLICIES).get("Access-Control-Allow-Origin") == ORIGIN
        return {
            name: in_rounds(2 * rounds, {variant: partial(worker.measure, CASES[name], variant) for variant in both})
            for name in BY_POLICIES
        }
