"""All targets of the benchmarks give the same responses. Otherwise their ratios would have no meaning."""

from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks import report
from benchmarks.cases import CASES, Answer, check_same_answer
from benchmarks.in_process import check_same_answers, workers
from benchmarks.targets import BARE, BY_HAND, FASTAPI, FLASK, OURS, Target, build_peers, build_target
from tests.baking import CHECKOUT, BakedProject

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def targets(get_installed: Callable[[str], BakedProject], tmp_path_factory: pytest.TempPathFactory) -> list[Target]:
    """Return a generated project and the applications that it is compared with."""
    folder = tmp_path_factory.mktemp("databases")
    found = [
        build_target(OURS, get_installed("default")),
        *(peer for peer in build_peers() if peer.name in (FASTAPI, FLASK, BARE)),
    ]
    return [target.on_database(folder / f"{number}.sqlite") for number, target in enumerate(found)]


def test_all_applications_give_the_same_responses(targets: list[Target]) -> None:
    with workers(targets) as found:
        check_same_answers(found)


def test_a_project_with_many_policies_gives_the_same_response(targets: list[Target]) -> None:
    with workers(targets[:1]) as (few,), workers(targets[:1], 30) as (many,):
        one, other = few.answer(CASES["list of 20"]), many.answer(CASES["list of 20"])
    assert (one.status, one.body) == (other.status, other.body)


def test_a_different_response_is_refused() -> None:
    one, other = Answer(200, [], "{}"), Answer(503, [], "{}")
    with pytest.raises(AssertionError, match="login: FastAPI answers"):
        check_same_answer(CASES["login"], {OURS: one, "FastAPI": other})


@pytest.mark.parametrize(
    ("at", "bound", "value", "verdict"),
    [
        ("at least", 1.5, 1.5, "met"),
        ("at least", 1.5, 1.2, "**short by 20%**"),
        ("at most", 10, 9.9, "met"),
        ("at most", 10, 13, "**short by 30%**"),
    ],
)
def test_a_threshold_is_met_or_reports_the_difference(at: str, bound: float, value: float, verdict: str) -> None:
    assert report.Threshold("rate", "preflight", OURS, at, bound).verdict(value) == verdict


def test_a_ratio_uses_values_of_the_same_round() -> None:
    assert str(report.summarize([2, 30, 8], [1, 10, 4])) == "2.00 (2.00–3.00)"


RATES = {"preflight": {OURS: [30.0, 40.0], FASTAPI: [10.0, 10.0], FLASK: [5.0, 5.0]}}


def test_the_tables_have_a_threshold_and_a_ratio_for_each_target() -> None:
    rates = dict.fromkeys(CASES, RATES["preflight"]) | {"login": {OURS: [1.0], FASTAPI: [2.0]}}
    rates = {case: {**sides, BY_HAND: sides[OURS]} for case, sides in rates.items()}
    text = report.build_tables({"machine": "A machine.", "rate": rates})
    assert "| requests a second: preflight, generated, flask-cors / FastAPI, uvicorn | at least 2.8 | 3.50" in text
    assert "\n| FastAPI, uvicorn | 1.00 |" in text


def test_the_chart_is_xml_with_a_bar_for_each_target() -> None:
    drawn = ElementTree.fromstring(report.draw_chart(RATES))
    assert [title.text for title in drawn.iter(f"{SVG}title")][1:] == [
        "preflight, generated, flask-cors: 3.50 (3.00–4.00)",
        "preflight, FastAPI, uvicorn: 1.00",
        "preflight, Flask, gunicorn: 0.50",
    ]


def test_the_benchmarks_are_small() -> None:
    files = Path(CHECKOUT, "benchmarks").rglob("*.py")
    assert sum(bool(line.strip()) for file in files for line in file.read_text("utf-8").splitlines()) <= 1300
