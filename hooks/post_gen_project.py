"""Finish a new project: leave out what was not asked for, write `.env`, commit, say what comes next."""

import json
import os
import runpy
import shutil
import subprocess
import sys

# JSON inside a raw string cannot end it: JSON escapes each quote, and pairs each backslash
ANSWERS = json.loads(r"""{{ cookiecutter | tojson }}""")


def main() -> None:
    """Do each step; what this machine lacks is said, and never fails."""
    # A folder cannot have a conditional name, as a file can. What nobody asked for is written into these folders,
    # so that an owner's folder of the same name as ours is never touched.
    for folder in (".not-asked-for", "deploy/.not-asked-for"):
        shutil.rmtree(folder, ignore_errors=True)
    runpy.run_path("dev.py")["write_env"]()
    problem = first_commit()
    if problem:
        say(f"The first commit was skipped, because {problem}; the project works without it.")
    next_steps()


def first_commit() -> str:
    """Commit everything on a branch `main`; return why not, in words, or nothing."""
    if not shutil.which("git"):
        return "git is not installed"
    if os.path.exists(".git"):
        return "the folder has a repository already"
    if not (git("-c", "init.defaultBranch=main", "init") and git("add", "--all")):
        return "git could not make a repository here"
    if git("config", "--type=bool", "--get", "commit.gpgsign") == "true\n":
        return "your git signs commits, which may ask for a password"
    identity = []
    if not (git("var", "GIT_AUTHOR_IDENT") and git("var", "GIT_COMMITTER_IDENT")):
        name = ANSWERS["author"] or ANSWERS["project_name"]
        identity = ["-c", f"user.name={name}", "-c", f"user.email={ANSWERS['project_slug']}@example.invalid"]
    if not git(*identity, "commit", "--message", "Start from the template"):
        return "git refused it (a hook or a setting of this machine)"
    return ""


def git(*arguments: str) -> str:
    """Return what git prints, or nothing when it fails; never let it ask, nor find another repository."""
    elsewhere = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE")
    environment = {name: value for name, value in os.environ.items() if name not in elsewhere}
    environment |= {"GIT_TERMINAL_PROMPT": "0", "GIT_EDITOR": "true"}
    done = subprocess.run(["git", *arguments], env=environment, stdin=subprocess.DEVNULL, capture_output=True)
    return "" if done.returncode else done.stdout.decode(errors="replace") or "done"


def next_steps() -> None:
    """Print the commands that start the project."""
    folder = os.getcwd()
    say(f"\n{ANSWERS['project_name']} is ready. What comes next:\n")
    if not shutil.which("uv"):
        say("    pip install uv")
    say("    cd " + (f'"{folder}"' if " " in folder else folder))
    say("    uv run dev.py\n")
    if ANSWERS["frontend"] and not shutil.which("node"):
        say("The front end needs Node.js 20.19, or 22.12 and newer (https://nodejs.org); else the API runs alone.")


def say(text: str) -> None:
    """Print, whatever characters the console lacks."""
    encoding = sys.stdout.encoding or "utf-8"
    print(text.encode(encoding, "replace").decode(encoding), flush=True)


main()
