"""Count what other templates and examples give, by the rules that count this one.

`uv run python -m scripts.peers` clones each of them with git. `--from FOLDER` uses existing clones, FOLDER/NAME.
"""

import argparse
import json
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

from scripts.budgets import UNCOUNTED, count_lines
from scripts.release import run_git


class Peer(NamedTuple):
    """A repository, and where in it is what its user gets."""

    name: str
    address: str
    project: str  # the folder that becomes the project, "" for the whole repository
    application: str  # the folder of its Python code


PEERS = [
    Peer("microblog-api", "https://github.com/miguelgrinberg/microblog-api", "", "api/"),
    Peer(
        "cookiecutter-flask",
        "https://github.com/cookiecutter-flask/cookiecutter-flask",
        "{{cookiecutter.app_name}}/",
        "{{cookiecutter.app_name}}/{{cookiecutter.app_name}}/",
    ),
    Peer(
        "cookiecutter-flask-restful",
        "https://github.com/karec/cookiecutter-flask-restful",
        "{{cookiecutter.project_name}}/",
        "{{cookiecutter.project_name}}/{{cookiecutter.app_name}}/",
    ),
    Peer(
        "full-stack-fastapi-template",
        "https://github.com/fastapi/full-stack-fastapi-template",
        "",
        "backend/app/",
    ),
]
ROW = "{:28} {:>12} {:>6} {:>10}  {}"


def main() -> None:
    """Print a line for each peer."""
    parser = argparse.ArgumentParser(prog="python -m scripts.peers", description="Count what peers give.")
    parser.add_argument("--from", dest="folder", type=Path, help="a folder with clones, by their names")
    folder = parser.parse_args().folder
    print(ROW.format("peer", "application", "files", "questions", "commit"))
    for peer in PEERS:
        with tempfile.TemporaryDirectory() as temporary:
            clone = folder / peer.name if folder else Path(temporary)
            if not folder:
                subprocess.run(["git", "clone", "--quiet", "--bare", "--depth=1", peer.address, clone], check=True)
            print(ROW.format(peer.name, *count(peer, clone)))


def count(peer: Peer, clone: Path) -> tuple[int, int, int, str]:
    """Return the lines of the application, the files of the project, the questions and the commit.

    Lines are those that are not empty, without migrations. Files are without locks, images and fonts.
    """
    files = run_git(clone, "ls-tree", "-r", "--name-only", "-z", "HEAD").split("\0")[:-1]
    counted = [name for name in files if name.startswith(peer.project) and not UNCOUNTED.search(name)]
    code = [n for n in counted if n.startswith(peer.application) and n.endswith(".py") and "/alembic/" not in n]
    lines = sum(count_lines(run_git(clone, "show", f"HEAD:{name}")) for name in code)
    return lines, len(counted), count_questions(clone, files), run_git(clone, "log", "-1", "--format=%h %as")


def count_questions(clone: Path, files: list[str]) -> int:
    """Return how many questions a template asks, 0 for an example that is copied."""
    if "cookiecutter.json" not in files:
        return 0
    return sum(not name.startswith("_") for name in json.loads(run_git(clone, "show", "HEAD:cookiecutter.json")))


if __name__ == "__main__":
    main()
