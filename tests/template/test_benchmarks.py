"""The targets of the benchmarks answer alike: a ratio to an application that does something else would say nothing."""

from collections.abc import Callable
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from benchmarks import chart, ratios
from benchmarks.cases import CASES, USERS, Answer
from benchmarks.database import fill
from benchmarks.in_process import AS_IT_IS, WITHOUT_CORS, compare, refuse_differences, workers
from benchmarks.targets import BARE, FASTAPI, FLASK, Target, generated, peers, with_database
from tests.baking import BakedProject

IN_PROCESS = (FASTAPI, FLASK, "CORS(blueprint), gunicorn", BARE)  # the others are these on another server
OURS = "generated, flask-cors"


@pytest.fixture(scope="module")
def targets(installed: Callable[[str], BakedProject], tmp_path_factory: pytest.TempPathFactory) -> list[Target]:
    """Return a generated project, and what it is measured beside."""
    folder = tmp_path_factory.mktemp("databases")
    ours = generated(OURS, installed("default"), "flask-cors")
    first = folder / "first.sqlite"
    fill(installed("default"), first, ours.env, USERS)
    found = [ours, *(target for target in peers() if target.name in IN_PROCESS)]
    return [with_database(target, first, folder / f"{number}.sqlite") for number, target in enumerate(found)]


def test_every_application_answers_each_request_alike(targets: list[Target]) -> None:
    with workers(targets) as found:
        compare(found)


def test_a_project_is_measured_without_its_cors_and_with_many_policies(targets: list[Target]) -> None:
    variants = (AS_IT_IS, WITHOUT_CORS, "30 policies")
    with workers(targets[:1], variants) as (worker,):
        answers = [worker.answer(CASES["list of 20"], variant) for variant in variants]
    origins = [answer.get("Access-Control-Allow-Origin") for answer in answers]
    assert origins == ["https://app.example.com", "", "https://app.example.com"]
    assert {(answer.status, answer.body) for answer in answers} == {(200, answers[0].body)}


def test_an_answer_that_differs_is_refused(targets: list[Target]) -> None:
    one, other = Answer(200, [], '{"status": "ok"}'), Answer(503, [], '{"status": "ok"}')
    with pytest.raises(AssertionError, match="health: FastAPI, uvicorn answers"):
        refuse_differences(CASES["health"], {targets[0]: one, replace(targets[1], name=FASTAPI): other})


@pytest.mark.parametrize(
    ("at", "bound", "value", "verdict"),
    [
        ("at least", 1.5, 1.5, "met"),
        ("at least", 1.5, 1.2, "**short by 20%**"),
        ("at most", 10, 9.9, "met"),
        ("at most", 10, 13, "**short by 30%**"),
    ],
)
def test_a_bar_is_met_or_short_by_how_much(at: str, bound: float, value: float, verdict: str) -> None:
    assert ratios.Bar("", "", at, bound, lambda _: ratios.of([value])).verdict(value) == verdict


def test_a_ratio_is_of_sides_in_the_same_round() -> None:
    assert str(ratios.ratio([2, 30, 8], [1, 10, 4])) == "2.00 x (2.00 to 3.00)"


def test_the_chart_is_xml_with_a_bar_for_each_target() -> None:
    served = {"list of 20": {OURS: {"rate": [3.0, 4.0]}, FASTAPI: {"rate": [2.0, 2.0]}}}
    drawn = ElementTree.fromstring(chart.svg(served))
    assert [title.text for title in drawn.iter("{http://www.w3.org/2000/svg}title")][1:] == [
        "list of 20, generated, flask-cors: 1.75 x (1.50 to 2.00)",
        "list of 20, FastAPI, uvicorn: 1.00 x (1.00 to 1.00)",
    ]
