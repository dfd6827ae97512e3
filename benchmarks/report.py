"""Write what was measured: tables in Markdown, into the README of this folder too."""

from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import ratios
from benchmarks.cases import CASES
from benchmarks.growth import FEW, MANY
from benchmarks.in_process import AS_IT_IS, WITHOUT_CORS
from benchmarks.ratios import Measured, number, ratio
from benchmarks.targets import FASTAPI

README = Path(__file__).with_name("README.md")
BEGIN, END = "<!-- figures of one run: written by python -m benchmarks -->", "<!-- end of the figures -->"
CHART = "![Requests a second of each application, as bars](requests.svg)"
NOTHING = "—"


def into_readme(text: str) -> None:
    """Put tables between the marks in the README."""
    before, rest = README.read_text("utf-8").split(BEGIN)
    after = rest.split(END)[1]
    README.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", "utf-8", newline="\n")


def tables(figures: dict[str, Any]) -> str:
    """Return the tables of what was measured, each under a heading."""
    parts: dict[str, Callable[[Any], str]] = {
        "served": requests_a_second,
        "cpu": cpu,
        "cors": cors,
        "instructions": instructions,
        "rows": growth,
        "imports": imports,
        "start": start,
    }
    found = [under_heading("The bars", BARS, table(HEADS, [bar.row(figures) for bar in ratios.bars(figures)]))]
    found += [write(figures[part]) for part, write in parts.items() if part in figures]
    return "\n\n".join([figures["machine"], *found])


HEADS = ("what", "bar", "measured: median (least to most)", "")
BARS = "What the project has set for itself. Flat is a ratio of at most 1.2."


def under_heading(heading: str, sentence: str, body: str) -> str:
    """Return a section."""
    return f"### {heading}\n\n{sentence}\n\n{body}"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [heads, ["-" * max(3, len(head)) for head in heads], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def matrix(cases: dict[str, dict[str, list[float]]], unit: str) -> str:
    """Return a table of ratios to FastAPI: a row for each target, a column for each case."""
    names = [name for name in CASES if name in cases]
    targets = list(dict.fromkeys(target for name in names for target in cases[name]))
    rows = [
        [target, *(against_fastapi(cases[name], target) for name in names)] for target in sorted(targets, key=order)
    ]
    scale = [f"{unit} of {FASTAPI}", *(number(median(cases[name][FASTAPI])) for name in names)]
    return table(["", *names], [*rows, scale])


def order(target: str) -> tuple[bool, str]:
    """Return where a target stands: generated projects first."""
    return (not target.startswith("generated"), target)


def against_fastapi(case: dict[str, list[float]], target: str) -> str:
    """Return a cell."""
    if target == FASTAPI:
        return "1"
    return short(ratio(case[target], case[FASTAPI])) if target in case else NOTHING


def short(found: Measured) -> str:
    """Write a ratio in a cell."""
    return f"{number(found.median)} ({number(found.least)}–{number(found.most)})"


def requests_a_second(served: dict[str, dict[str, dict[str, list[float]]]]) -> str:
    """Return the tables of what servers take."""
    tables = (
        ("Requests a second", "rate", "requests a second", f"Times as many as {FASTAPI}; more is better.\n\n{CHART}"),
        ("Latency under load", "p99", "milliseconds", f"Times the 99th percentile of {FASTAPI}; less is better."),
        ("CPU of a request, server included", "cpu", "microseconds", f"Times as much as {FASTAPI}; less is better."),
    )
    return "\n\n".join(
        under_heading(
            heading,
            sentence,
            matrix(
                {case: {name: runs[what] for name, runs in targets.items()} for case, targets in served.items()}, unit
            ),
        )
        for heading, what, unit, sentence in tables
    )


def cpu(cases: dict[str, dict[str, list[float]]]) -> str:
    """Return the table of CPU."""
    sentence = "Times as much as FastAPI, each called in a process of its own without a server; less is better."
    return under_heading("CPU of a request, in process", sentence, matrix(cases, "microseconds"))


def cors(targets: dict[str, dict[str, list[float]]]) -> str:
    """Return the table of what CORS costs."""
    sentence = "CPU of the list, of an application as it is and without its CORS, both in one process; less is better."
    rows = [[name, str(ratio(sides[AS_IT_IS], sides[WITHOUT_CORS]))] for name, sides in targets.items()]
    return under_heading("What CORS adds to a response", sentence, table(["", "with / without"], rows))


def instructions(targets: dict[str, dict[str, dict[str, float]]]) -> str:
    """Return the table of instructions."""
    sentence = "Of the processor, in thousands, counted by valgrind in process: no load on the machine changes them."
    rows = []
    for name, variants in targets.items():
        plain, bare = variants[AS_IT_IS], variants.get(WITHOUT_CORS, {})
        cells = [f"{plain[case] / 1e3:,.1f}" if case in plain else NOTHING for case in ("preflight", "list of 20")]
        part = plain.get("list of 20", 0) / bare["list of 20"] if bare else None
        rows.append([name, *cells, f"{part:.3f} x" if part else NOTHING])
    heads = ["", "preflight", "list of 20", "list, with / without CORS"]
    return under_heading("Instructions of a request", sentence, table(heads, rows))


def growth(cases: dict[str, dict[str, dict[str, list[float]]]]) -> str:
    """Return the table of what grows with the rows."""
    sentence = f"Time of a request with {MANY:,} notes of the user and {MANY:,} sign-ins, / with {FEW:,} of each."
    targets = next(iter(cases.values()))
    rows = [
        [target, *(str(ratio(sides[target][str(MANY)], sides[target][str(FEW)])) for sides in cases.values())]
        for target in targets
    ]
    return under_heading("Growth", sentence, table(["", *cases], rows))


def imports(sides: dict[str, list[float]]) -> str:
    """Return the table of imports."""
    rows = [[name, str(ratios.of(values, "s"))] for name, values in sides.items()]
    sentence = "Everything that the modules of the package import from elsewhere, beside the package itself."
    return under_heading("Import", sentence, table(["", "seconds"], rows))


def start(things: dict[str, list[float]]) -> str:
    """Return the table of what a student waits for."""
    names = {
        "bake": "generating a project, in process",
        "first answer": "the README's first command, without `pip install uv`, to the first answer of the API",
        "both ports": "`uv run dev.py` to an answer of API and page, packages installed",
        "tests": "`uv run pytest` of a generated project",
    }
    rows = [[names[name], str(ratios.of(values, "s"))] for name, values in things.items()]
    sentence = "Seconds, with the caches of uv and npm warm. There is no peer here that generates the same."
    return under_heading("From nothing to an answer", sentence, table(["", "seconds"], rows))
