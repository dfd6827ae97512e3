"""Write the figures as Markdown tables and a chart, also into the README of this folder."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.targets import BARE, BEFORE, BY_HAND, FASTAPI, FLASK, ON_GRANIAN, OURS

README, CHART = Path(__file__).with_name("README.md"), Path(__file__).with_name("requests.svg")
BEGIN, END = "<!-- figures of one run: written by python -m benchmarks -->", "<!-- end of the figures -->"
NOTHING = "—"
# for each kind of figures: the heading, a description, and the unit of the values of FastAPI
TABLES = {
    "rate": ("Requests a second", f"Ratio to {FASTAPI}. More is better.", "requests a second"),
    "p99": ("Latency under load", f"99th percentile, as a ratio to {FASTAPI}. Less is better.", "milliseconds"),
    "served cpu": ("CPU of a request, including the server", f"Ratio to {FASTAPI}. Less is better.", "microseconds"),
    "cpu": (
        "CPU of a request, in process",
        "Ratio to FastAPI. Each application runs in its own process without a server. Less is better.",
        "microseconds",
    ),
    "instructions": (
        "Instructions of a request",
        "Processor instructions, as a ratio to FastAPI, counted with valgrind. They do not depend on the load.",
        "instructions",
    ),
    "growth": ("Growth", "Time or CPU of a request with more data or policies, as a ratio to a request with less.", ""),
    "start": ("Start-up times", "Seconds, with warm caches. There is no comparable peer.", ""),
}


@dataclass(frozen=True)
class Summary:
    """The median, the minimum and the maximum of the rounds."""

    median: float
    minimum: float
    maximum: float

    def __str__(self) -> str:
        """Return the median with its range, if there is one."""
        spread = f" ({format_number(self.minimum)}–{format_number(self.maximum)})"
        return format_number(self.median) + (spread if self.minimum != self.maximum else "")


def format_number(value: float) -> str:
    """Return a number with three significant digits."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def summarize(values: Sequence[float], others: Sequence[float] | None = None) -> Summary:
    """Return median and range of values, or of their ratios to other values of the same rounds."""
    found = [a / b for a, b in zip(values, others, strict=True)] if others else list(values)
    return Summary(median(found), min(found), max(found))


@dataclass(frozen=True)
class Threshold:
    """A threshold for a figure of a target, or for its ratio to another target."""

    part: str
    case: str
    target: str
    at: str
    bound: float
    peer: str = ""

    def row(self, figures: dict[str, Any]) -> list[str]:
        """Return a table row: the name, the threshold, the measured value and the verdict."""
        sides = figures[self.part][self.case]
        found = summarize(sides[self.target], sides[self.peer] if self.peer else None)
        name = f"{TABLES[self.part][0].lower()}: {self.case}, {self.target}" + (f" / {self.peer}" if self.peer else "")
        return [name, f"{self.at} {self.bound:g}", str(found), self.verdict(found.median)]

    def verdict(self, value: float) -> str:
        """Return whether the threshold is met, or the difference in percent."""
        if value >= self.bound if self.at == "at least" else value <= self.bound:
            return "met"
        return f"**short by {abs(value - self.bound) / self.bound:.0%}**"


def get_thresholds(figures: dict[str, Any]) -> list[Threshold]:
    """Return the thresholds of the measured parts: ratios to FastAPI, and growth of at most 1.2."""
    rates = {"preflight": 2.8, "list of 20": 1.25, "one by id": 1.1, "create": 1.15}
    found = []
    for ours in (OURS, BY_HAND):
        found += [Threshold("rate", case, ours, "at least", bound, FASTAPI) for case, bound in rates.items()]
        found.append(Threshold("rate", "preflight", ours, "at least", 7, FLASK))
        found.append(Threshold("served cpu", "list of 20", ours, "at most", 0.78, FASTAPI))
        found.append(Threshold("cpu", "preflight", ours, "at most", 10, BARE))
    found += [Threshold("growth", case, OURS, "at most", 1.2) for case in figures.get("growth", ())]
    seconds = dict.fromkeys(figures.get("start", {}).get("seconds", ()))
    found += [
        Threshold("start", "seconds", name, "at most", bound)
        for name, bound in zip(seconds, MAXIMUM_SECONDS, strict=False)
    ]
    return [threshold for threshold in found if threshold.part in figures]


MAXIMUM_SECONDS = (0.5, 0.5, 1, 7, 4, 3)  # of each measurement in `start`


def build_tables(figures: dict[str, Any]) -> str:
    """Return all tables, each with a heading."""
    rows = [threshold.row(figures) for threshold in get_thresholds(figures)]
    found = [
        figures["machine"],
        "### Thresholds",
        format_table(["figure", "threshold", "median (minimum–maximum)", ""], rows),
    ]
    for part, (heading, sentence, unit) in TABLES.items():
        if part in figures:
            found += [f"### {heading}", sentence]
            found += [f"![Requests a second, as bars]({CHART.name})"] if part == "rate" else []
            found += [build_matrix(figures[part], unit)]
    return "\n\n".join(found)


def build_matrix(cases: dict[str, dict[str, list[float]]], unit: str) -> str:
    """Return a table with a row for each target and a column for each case, as ratios if there is a unit."""
    targets = list(dict.fromkeys(target for case in cases.values() for target in case))
    targets.sort(key=lambda target: NAMES.index(target) if target in NAMES else 0)
    rows = [[target, *(format_cell(case, target, ratio=bool(unit)) for case in cases.values())] for target in targets]
    if unit:
        rows.append([f"{unit} of {FASTAPI}", *(format_number(median(case[FASTAPI])) for case in cases.values())])
    return format_table(["", *cases], rows)


def format_cell(case: dict[str, list[float]], target: str, *, ratio: bool) -> str:
    return str(summarize(case[target], case[FASTAPI] if ratio else None)) if target in case else NOTHING


def format_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---" for _ in heads], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def write(text: str, rates: dict[str, dict[str, list[float]]]) -> None:
    """Write the tables between the marker comments of the README, and draw the chart."""
    before, rest = README.read_text("utf-8").split(BEGIN)
    README.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{rest.split(END)[1]}", "utf-8", newline="\n")
    CHART.write_text(draw_chart(rates), "utf-8", newline="\n")


NAMES = [OURS, BY_HAND, BEFORE, FASTAPI, FLASK, ON_GRANIAN, BARE]
COLOURS = dict(zip(NAMES, "#2f7ed8 #5aa9f7 #9ccaf9 #e08a1e #8f8f8f #a9a9a9 #c9c9c9".split(), strict=True))
LEFT, WIDTH, HEIGHT, TOP = 150, 760, 13, 92
STYLE = """\
text { font: 12px system-ui, sans-serif; fill: #1f2328 }
line { stroke: #6e7781 }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } }"""


def draw_chart(rates: dict[str, dict[str, list[float]]]) -> str:
    """Return the chart: requests a second of each case and target, as a ratio to FastAPI."""
    groups = {c: {name: summarize(t[name], t[FASTAPI]) for name in COLOURS if name in t} for c, t in rates.items()}
    scale = (WIDTH - LEFT - 60) / max(bar.maximum for group in groups.values() for bar in group.values())
    title, drawn, y = f"Requests a second, as a ratio to {FASTAPI}: more is better", [], TOP
    for place, name in enumerate(COLOURS):
        drawn.append(draw_label(LEFT + place % 3 * 200, 28 + place // 3 * 18, HEIGHT, name, name))
    for case, group in groups.items():
        drawn.append(f'<text x="{LEFT - 8}" y="{y + HEIGHT}" text-anchor="end">{escape(case)}</text>')
        for name, bar in group.items():
            drawn.append(
                draw_label(LEFT, y, bar.median * scale, name, format_number(bar.median), f"{case}, {name}: {bar}")
            )
            y += HEIGHT + 2
        y += 16
    one = LEFT + scale
    drawn.append(f'<line x1="{one:.0f}" y1="{TOP - 6}" x2="{one:.0f}" y2="{y - 16}" stroke-dasharray="3 3"/>')
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" width="{WIDTH}" height="{y}" role="img">'
    heading = f'<text x="{LEFT}" y="16">{title}</text>'
    return "\n".join([head, f"<title>{title}</title>", f"<style>{STYLE}</style>", heading, *drawn, "</svg>\n"])


def draw_label(x: float, y: float, width: float, name: str, text: str, title: str = "") -> str:
    """Return a bar in the colour of a target, with a label."""
    box = f'<rect x="{x}" y="{y}" width="{width:.1f}" height="{HEIGHT}" fill="{COLOURS[name]}"/>'
    caption = f'<text x="{x + width + 5:.1f}" y="{y + HEIGHT - 2}">{escape(text)}</text>'
    return f"<g>{f'<title>{escape(title)}</title>' if title else ''}{box}{caption}</g>"
