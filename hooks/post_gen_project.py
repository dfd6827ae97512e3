"""Finish a new project: remove unselected files, write `.env`, commit, print the next steps."""

import json
import os
import runpy
import shutil
import subprocess
import sys

# JSON cannot end the raw string around it: JSON escapes each quote and pairs each backslash
ANSWERS = json.loads(r"""{{ cookiecutter | tojson }}""")


def main() -> None:
    """Run each step. A missing program is reported and is not an error."""
    # A folder cannot have a conditional name, only a file can. Cookiecutter writes unselected files into these
    # folders, so an existing folder of the user with the same name as ours stays unchanged.
    for folder in (".not-asked-for", "deploy/.not-asked-for"):
        shutil.rmtree(folder, ignore_errors=True)
    runpy.run_path("dev.py")["write_env"]()
    problem = create_first_commit()
    if problem:
        say(f"The first commit was skipped, because {problem}. The project works without it.")
    print_next_steps()


def create_first_commit() -> str:
    """Commit everything on a branch `main`. Return the reason if that is not possible, otherwise an empty string."""
    if not shutil.which("git"):
        return "git is not installed"
    if os.path.exists(".git"):
        return "the folder has a repository already"
    if not (run_git("-c", "init.defaultBranch=main", "init") and run_git("add", "--all")):
        return "git could not create a repository here"
    if run_git("config", "--type=bool", "--get", "commit.gpgsign") == "true\n":
        return "your git signs commits, which may ask for a password"
    identity = []
    if not (run_git("var", "GIT_AUTHOR_IDENT") and run_git("var", "GIT_COMMITTER_IDENT")):
        name = ANSWERS["author"] or ANSWERS["project_name"]
        identity = ["-c", f"user.name={name}", "-c", f"user.email={ANSWERS['project_slug']}@example.invalid"]
    if not run_git(*identity, "commit", "--message", "Start from the template"):
        return "git refused it (check the git hooks and settings of this computer)"
    return ""


def run_git(*arguments: str) -> str:
    """Return the output of git, or an empty string if it fails. Prevent prompts and the use of another repository."""
    unwanted = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE")
    environment = {name: value for name, value in os.environ.items() if name not in unwanted}
    environment |= {"GIT_TERMINAL_PROMPT": "0", "GIT_EDITOR": "true"}
    result = subprocess.run(["git", *arguments], env=environment, stdin=subprocess.DEVNULL, capture_output=True)
    return "" if result.returncode else result.stdout.decode(errors="replace") or "done"


def print_next_steps() -> None:
    """Print the commands that start the project."""
    folder = os.getcwd()
    say(f"\n{ANSWERS['project_name']} is ready. Next steps:\n")
    if not shutil.which("uv"):
        say("    pip install uv")
    say("    cd " + (f'"{folder}"' if " " in folder else folder))
    say("    uv run dev.py\n")
    if ANSWERS["frontend"] and not shutil.which("node"):
        say("The front end needs Node.js 20.19, or 22.12 and newer (https://nodejs.org). Otherwise only the API runs.")


def say(text: str) -> None:
    """Print a text. Replace the characters that the console cannot show."""
    encoding = sys.stdout.encoding or "utf-8"
    print(text.encode(encoding, "replace").decode(encoding), flush=True)


main()
