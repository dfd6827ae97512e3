"""Count the conformance cases of each strategy, front end or not: `uv run python -m scripts.conformance`."""

import json
import re
import sys
import tempfile
from collections.abc import Iterator
from itertools import product
from pathlib import Path

from tests.baking import CHECKOUT, BakedProject, bake

SUITE = {"tests/test_cors_closed.py", "tests/test_cors_conformance.py", "tests/test_cors_rules.py"}
ROW = "{:<12}  {:<10} {:>7} {:>7}"


def main() -> None:
    """Generate a project of each kind, run the suite in it, and print a table; fail when a case fails."""
    all_passed = True
    with tempfile.TemporaryDirectory() as folder:
        projects = [(answers, bake(Path(folder, str(n)), answers)) for n, answers in enumerate(kinds())]
        print(ROW.format("strategy", "front end", "passed", "failed"))
        for answers, project in projects:
            project.succeeds("uv", "sync", "--quiet")
            run = project.run(project.python, "-m", "pytest", "-q", *suite(project))
            front_end = "yes" if answers["frontend"] else "no"
            print(ROW.format(str(answers["cors_strategy"]), front_end, *count(run.stdout)), flush=True)
            if run.returncode:
                all_passed = False
                print(run.stdout, file=sys.stderr)
    sys.exit(not all_passed)


def kinds() -> Iterator[dict[str, object]]:
    """Yield the answers that give each strategy on offer, with a front end and without."""
    strategies = json.loads((CHECKOUT / "cookiecutter.json").read_text("utf-8"))["cors_strategy"]
    for strategy, frontend in product(strategies, (True, False)):
        yield {"cors_strategy": strategy, "frontend": frontend}


def suite(project: BakedProject) -> list[str]:
    """Return the files with the conformance cases of a project."""
    return [name for name in project.files if name in SUITE]


def count(said: str) -> tuple[int, int]:
    """Return how many cases passed, and how many did not, from the output of pytest."""
    numbers = {what: int(number) for number, what in re.findall(r"(\d+) (passed|failed|error)", said)}
    return numbers.get("passed", 0), numbers.get("failed", 0) + numbers.get("error", 0)


if __name__ == "__main__":
    main()
