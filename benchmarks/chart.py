"""Draw the requests a second of each target as bars, readable on a light page and on a dark one."""

from collections.abc import Mapping
from html import escape
from pathlib import Path

from benchmarks.ratios import Measured, number, ratio
from benchmarks.report import order
from benchmarks.targets import BARE, FASTAPI, FLASK, GENERATED

FILE = Path(__file__).with_name("requests.svg")
COLOURS = dict(
    zip([*GENERATED, FASTAPI, FLASK, BARE], "#2f7ed8 #5aa9f7 #9ccaf9 #e08a1e #8f8f8f #b9b9b9".split(), strict=True)
)
LEFT, WIDTH, HEIGHT, GAP, TOP = 150, 760, 13, 16, 76
STYLE = """\
text { font: 12px system-ui, sans-serif; fill: #1f2328 }
line { stroke: #6e7781 }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } }"""


def draw(served: Mapping[str, Mapping[str, Mapping[str, list[float]]]]) -> None:
    """Write the chart: for each case, how many times FastAPI's requests a second each target takes."""
    FILE.write_text(svg(served), "utf-8", newline="\n")


def svg(served: Mapping[str, Mapping[str, Mapping[str, list[float]]]]) -> str:
    """Return the chart."""
    groups = {
        case: {
            name: ratio(targets[name]["rate"], targets[FASTAPI]["rate"])
            for name in sorted(targets, key=order)
            if name in COLOURS
        }
        for case, targets in served.items()
    }
    scale = (WIDTH - LEFT - 60) / max(bar.most for group in groups.values() for bar in group.values())
    drawn, y = [], TOP
    for case, group in groups.items():
        drawn.append(f'<text x="{LEFT - 8}" y="{y + HEIGHT}" text-anchor="end">{escape(case)}</text>')
        for name, bar in group.items():
            drawn.append(one_bar(y, bar, scale, COLOURS[name], f"{case}, {name}"))
            y += HEIGHT + 2
        y += GAP
    one = LEFT + scale
    drawn.append(f'<line x1="{one:.0f}" y1="{TOP - 6}" x2="{one:.0f}" y2="{y - GAP}" stroke-dasharray="3 3"/>')
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" width="{WIDTH}" height="{y}" role="img">'
    title = "<title>Requests a second, as times those of FastAPI on uvicorn: more is better</title>"
    return "\n".join([head, title, f"<style>{STYLE}</style>", *legend(), *drawn, "</svg>\n"])


def one_bar(y: int, bar: Measured, scale: float, colour: str, title: str) -> str:
    """Return a bar to the median, with a line from the least to the most and the number behind."""
    end, middle = LEFT + bar.median * scale, y + HEIGHT / 2
    least, most = LEFT + bar.least * scale, LEFT + bar.most * scale
    return (
        f'<g><title>{escape(title)}: {bar}</title><rect x="{LEFT}" y="{y}" width="{end - LEFT:.1f}" height="{HEIGHT}"'
        f' fill="{colour}"/><line x1="{least:.1f}" y1="{middle}" x2="{most:.1f}" y2="{middle}"/>'
        f'<text x="{max(end, most) + 5:.1f}" y="{y + HEIGHT - 2}">{number(bar.median)}</text></g>'
    )


def legend() -> list[str]:
    """Return what the colours mean, and what is drawn."""
    drawn = [f'<text x="{LEFT}" y="16">Requests a second, as times those of {FASTAPI}: more is better</text>']
    for place, (name, colour) in enumerate(COLOURS.items()):
        x, y = LEFT + place % 3 * 200, 28 + place // 3 * 18
        drawn.append(f'<rect x="{x}" y="{y}" width="{HEIGHT}" height="{HEIGHT}" fill="{colour}"/>')
        drawn.append(f'<text x="{x + HEIGHT + 5}" y="{y + HEIGHT - 2}">{escape(name)}</text>')
    return drawn
