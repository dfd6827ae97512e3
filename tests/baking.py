"""Bake the template and run commands in the generated project."""

import atexit
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from cookiecutter.main import cookiecutter

CHECKOUT = Path(__file__).parents[1]

# answers that many tests share. The names appear in test reports
COMBINATIONS: dict[str, dict[str, object]] = {
    "default": {},
    "without-front-end": {"frontend": False, "deploy": "none"},
    "interceptor": {
        "cors_strategy": "interceptor",
        "license": "BSD-3-Clause",
        "ci": "GitLab",
        "deploy": "Docker and Kubernetes",
    },
    "interceptor-without-front-end": {
        "cors_strategy": "interceptor",
        "frontend": False,
        "license": "Apache-2.0",
        "ci": "GitLab",
        "deploy": "none",
        "chinese": True,
    },
    "proxy": {
        "cors_strategy": "proxy",
        "license": "none",
        "ci": "none",
        "deploy": "Docker and Kubernetes",
        "chinese": True,
    },
    "proxy-without-front-end": {
        "cors_strategy": "proxy",
        "frontend": False,
        "license": "none",
        "deploy": "Docker and Kubernetes",
    },
    "awkward-answers": {
        "project_name": "Ärzte & Löwen's Labor_für_alles (2.0): los!" + " 实验室" * 9,
        "project_slug": "a-name-as-long-as-it-may-be-to-see-where-lines-end",
        "author": 'Ada "the first" O\'Neil \\ 王小明 <b>&amp;</b> ${x} %s \'\'\' """ # 🎓' + " and so on" * 12,
        "chinese": True,
        "license": "Apache-2.0",
        "deploy": "Docker and Kubernetes",
    },
}

# environment variables of this user or CI job that must not reach a generated project
PRIVATE_VARIABLES = {
    "VIRTUAL_ENV",
    "PYTHONPATH",
    "PORT",
    "HOST",
    "FRONTEND_PORT",
    "FRONTEND_ORIGINS",
    "VITE_API_URL",
    "APP_ENV",
}
PRIVATE_VARIABLES |= {
    "SECRET_KEY",
    "DATABASE_URL",
    "CROSS_SITE_COOKIES",
    "LOG_FORMAT",
    "RATELIMIT_STORAGE_URI",
    "LOGIN_LIMIT",
}
PRIVATE_VARIABLES |= {"LOGIN_ACCOUNT_LIMIT", "API_URL", "FRONTEND_DIST", "SECRET_KEY_FALLBACKS", "TEST_DATABASE_URL"}
PRIVATE_VARIABLES |= {"TRUSTED_PROXIES", "TRUSTED_HOSTS", "WORKERS", "THREADS", "DOCS", "FRONTEND_URL"}
PRIVATE_VARIABLES |= {"PYTHONDONTWRITEBYTECODE"}  # otherwise each program compiles every library again
# a machine can pin an old pip with a constraints file
PLAIN_PIP = {"PIP_CONSTRAINT": "", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


@dataclass(frozen=True)
class BakedProject:
    """A generated project, and the names of its files when it was new."""

    path: Path
    files: tuple[str, ...]
    empty_folders: tuple[str, ...]

    @property
    def package(self) -> str:
        """The name of the Python package."""
        return self.path.name.replace("-", "_")

    @property
    def python(self) -> str:
        """The Python interpreter of the project's virtual environment."""
        return str(self.path / (".venv/Scripts/python.exe" if sys.platform == "win32" else ".venv/bin/python"))

    def read(self, name: str) -> str:
        """Return the text of a file with its line ends unchanged."""
        return (self.path / name).read_bytes().decode("utf-8")

    def run(
        self, *command: str, folder: str = ".", env: Mapping[str, str] | None = None, seconds: int = 300
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in the project. Its stdout contains stderr too."""
        found = shutil.which(command[0], path=(env or {}).get("PATH")) or command[0]
        return subprocess.run(
            [found, *command[1:]],
            cwd=self.path / folder,
            env=environment(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            timeout=seconds,
            check=False,
        )

    def check_output(self, *command: str, folder: str = ".", env: Mapping[str, str] | None = None) -> str:
        """Run a command and return its output. Fail with the output if the exit code is not 0."""
        done = self.run(*command, folder=folder, env=env)
        assert done.returncode == 0, f"{' '.join(command)} exited with {done.returncode}:\n{done.stdout}"
        return done.stdout


@cache
def template() -> Path:
    """Return a copy of the template with the files that git tracks or would track."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=CHECKOUT,
        env=environment(),
        capture_output=True,
        check=False,
    )
    if listed.returncode:  # not a git repository: unpacked from an archive
        return CHECKOUT
    copy = Path(tempfile.mkdtemp(prefix="template-"))
    atexit.register(shutil.rmtree, copy, ignore_errors=True)
    for name in listed.stdout.decode("utf-8").split("\0"):
        if name and (CHECKOUT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(CHECKOUT / name, copy / name)
    return copy


def commit_all(project: BakedProject) -> None:
    """Commit everything in the repository of a project, with an identity for tests."""
    identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.invalid"]
    project.check_output("git", "add", "--all")
    project.check_output("git", *identity, "commit", "--quiet", "--message", "a commit")


def environment(changes: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment for a generated project, without private variables and colours."""
    plain = {"NO_COLOR": "1", "PYTHONUTF8": "1"}
    return (
        {name: value for name, value in os.environ.items() if name not in PRIVATE_VARIABLES}
        | plain
        | dict(changes or {})
    )


def bake(
    output: Path, answers: Mapping[str, object] | None = None, source: Path | None = None, **options: bool
) -> BakedProject:
    """Generate a project in the folder `output`, without questions and without the user's settings.

    Args:
        output: the folder in which the project's folder is created.
        answers: the answers that differ from the defaults.
        source: another template.
        options: options of cookiecutter for a folder that exists already.
    """
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as settings:
        config = Path(settings, "config.yaml")
        config.write_text(f"cookiecutters_dir: '{settings}'\nreplay_dir: '{settings}'\n", encoding="utf-8")
        path = Path(
            cookiecutter(
                str(source or template()),
                no_input=True,
                extra_context=dict(answers or {}),
                output_dir=str(output),
                config_file=str(config),
                **options,
            )
        )
    inside = [p for p in sorted(path.rglob("*")) if ".git" not in p.relative_to(path).parts]
    return BakedProject(
        path,
        tuple(p.relative_to(path).as_posix() for p in inside if p.is_file()),
        tuple(p.relative_to(path).as_posix() for p in inside if p.is_dir() and not any(p.iterdir())),
    )


def tool(name: str) -> str:
    """Return the path of a program that the development dependencies install."""
    return shutil.which(name, path=sysconfig.get_path("scripts")) or name


def require(found: object, sentence: str) -> None:
    """Skip the test with a sentence if `found` is false. Fail instead if the variable CI is set."""
    if not found:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(sentence)
