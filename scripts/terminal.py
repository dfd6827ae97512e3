"""Draw a run of `flask cors explain` for the README: `uv run python -m scripts.terminal`.

The lines are the output of the command in a new project, without the details of each step.
"""

import re
import tempfile
from html import escape
from pathlib import Path

from tests.baking import BakedProject, bake

PICTURE = Path(__file__).parents[1] / "docs" / "explain.svg"
COMMAND = (
    "uv run flask cors explain PATCH /api/notes/1 --origin http://localhost:5173 --credentials -H 'X-Lab: 1'".split()
)
COLORS = {"$": "#e6edf3", "yes": "#7ee787", "NO": "#ff7b72", "BLOCKED": "#ff7b72", "Fix": "#7ee787"}
FONT = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
WIDTH, LINE, MARGIN = 840, 19, 18  # pixels


def main() -> None:
    """Generate a project, run the command in it and write the picture."""
    with tempfile.TemporaryDirectory() as folder:
        PICTURE.write_text(draw(run(bake(Path(folder)))), "utf-8", newline="\n")
    print(PICTURE)


def run(project: BakedProject) -> list[str]:
    """Return the command and its output without details."""
    command = " ".join(COMMAND)
    said = project.run("sh", "-c", command).stdout.splitlines()
    verdict = next(number for number, line in enumerate(said) if line.startswith("BLOCKED"))
    steps = [line for line in said[:verdict] if re.match("yes|NO", line)]
    return [f"$ {command}", "", *steps, "", *said[verdict:]]


def draw(lines: list[str]) -> str:
    """Return lines as an SVG picture of a terminal."""
    rows = []
    for number, line in enumerate(lines, start=1):
        first = re.match(r"\$|\w*", line)
        color = COLORS.get(first[0] if first else "", "#9198a1")
        y = MARGIN + number * LINE - 5
        rows.append(f'  <text x="{MARGIN}" y="{y}" fill="{color}" xml:space="preserve">{escape(line)}</text>')
    height = 2 * MARGIN + len(lines) * LINE
    size = f'width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="{FONT}" font-size="12.5">',
            f'  <rect width="{WIDTH}" height="{height}" rx="8" fill="#0d1117"/>',
            *rows,
            "</svg>\n",
        ]
    )


if __name__ == "__main__":
    main()
