"""Tag a version of the template if all files have that version: `python -m scripts.release 0.1.0`."""

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]


def main(arguments: list[str], root: Path = ROOT) -> str | None:
    """Tag the commit, or return the problems, one sentence each."""
    if len(arguments) != 1:
        return "Give exactly one argument, the version. Run: python -m scripts.release 0.1.0"
    [version] = arguments
    found = list(find_problems(root, version))
    if found:
        return "\n".join(found)
    run_git(root, "tag", "--annotate", f"v{version}", "--message", f"Version {version}")
    print(f"Tagged v{version}. Next, run: git push origin main v{version}")
    return None


def find_problems(root: Path, version: str) -> Iterator[str]:
    """Yield each problem that prevents the release, with its fix."""
    if not re.fullmatch(r"(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}", version):
        yield f"{version!r} is not a version. Use three numbers, as in 0.1.0."
        return
    section = get_section(root, version)
    if section is None:
        yield f"CHANGELOG.md has no section {version!r}. Add one, as in '## [{version}] - 2026-12-31'."
    elif "\n### In your project\n" not in section:
        yield f"CHANGELOG.md does not say what {version} requires in a project. Add '### In your project' there."
    for name, found in get_versions(root).items():
        if found != version:
            yield f"{name} has the version {found!r}. Set it to {version!r}."
    if run_git(root, "status", "--porcelain"):
        yield "There are changes without a commit. Commit or stash them."
    if run_git(root, "tag", "--list", f"v{version}"):
        yield f"The tag v{version} exists already. Release the next version."


def get_section(root: Path, version: str) -> str | None:
    """Return the changelog section of a version with a date, or None."""
    text = (root / "CHANGELOG.md").read_text("utf-8")
    found = re.search(rf"(?ms)^## \[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d\n(.*?)(?=^## |\Z)", text)
    return found and found[1]


def get_versions(root: Path) -> dict[str, str | None]:
    """Return the version in each file: that of the template, and the one that it writes into projects."""
    [written] = root.glob("*cookiecutter.__project_slug*/pyproject.toml")
    template_version = re.search('(?m)^template-version = "(.*?)"', written.read_text("utf-8"))
    return {
        "pyproject.toml": tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]["version"],
        written.relative_to(root).as_posix(): template_version and template_version[1],
    }


def run_git(root: Path, *arguments: str) -> str:
    """Run git and return its output."""
    done = subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True, encoding="utf-8")
    return done.stdout.strip()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
