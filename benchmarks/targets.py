"""What is measured: a generated project of each strategy, one of an earlier version, and what people would take."""

import os
import secrets
import sqlite3
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.cases import ORIGIN, PASSWORD, USERS
from tests.baking import CHECKOUT, BakedProject, bake
from tests.serving import flask_user

WORKERS, THREADS = os.cpu_count() or 1, 4
SETTINGS = {
    "APP_ENV": "production",
    "SECRET_KEY": secrets.token_hex(32),
    "FRONTEND_ORIGINS": ORIGIN,
    "LOGIN_LIMIT": "1000000 per minute",  # attempts are counted, and the limit is never reached
    "LOGIN_ACCOUNT_LIMIT": "1000000 per minute",
    "PYTHONPATH": str(CHECKOUT),
}
STRATEGIES = ("flask-cors", "interceptor")
OURS, BY_HAND, BEFORE = "generated, flask-cors", "generated, interceptor", "before, flask-cors"
FASTAPI, FLASK, ON_GRANIAN, BARE = "FastAPI, uvicorn", "Flask, gunicorn", "Flask, Granian", "bare function, Granian"
GUNICORN = ["gunicorn", "--workers", str(WORKERS), "--threads", str(THREADS), "--bind", "127.0.0.1:{port}"]
GRANIAN = ["granian", "--interface", "wsgi", "--workers", str(WORKERS), "--port", "{port}"]
GRANIAN += ["--factory", "--blocking-threads", str(THREADS), "--log-level", "warning"]
UVICORN = ["uvicorn", "--workers", str(WORKERS), "--port", "{port}"]  # with its line in the log for each request


@dataclass(frozen=True)
class Target:
    """An application with its server.

    Args:
        name: what the tables call it.
        application: a module, and an expression about it that gives the application.
        command: what starts its server, on the port `{port}`.
        project: a generated project; without one it is an application of this folder.
        env: its settings; DATABASE_URL is a database of its own.
    """

    name: str
    application: str
    command: list[str]
    project: BakedProject | None = None
    env: Mapping[str, str] = field(default_factory=lambda: SETTINGS)

    @property
    def python(self) -> str:
        """The Python that has its libraries."""
        return self.project.python if self.project else sys.executable

    @property
    def folder(self) -> Path:
        """Where it runs."""
        return self.project.path if self.project else CHECKOUT

    def on_database(self, file: Path, notes: Mapping[str, int] = USERS, sessions: int = 0) -> "Target":
        """Return it with a database of its own that has these users, notes and sign-ins; made unless it is there."""
        found = replace(self, env={**self.env, "DATABASE_URL": f"sqlite:///{file.as_posix()}"})
        if not file.exists() and self.name != BARE:
            found.make_tables(list(notes))
            insert_rows(file, notes, sessions)
        return found

    def make_tables(self, users: list[str]) -> None:
        """Make its tables, and its users as it makes them."""
        if self.project is None:
            code = f"from benchmarks.apps.tables import create_tables; create_tables({users!r}, {PASSWORD!r})"
            BakedProject(self.folder, (), ()).check_output(self.python, "-c", code, env=self.env)
            return
        self.project.check_output(self.python, "-m", "flask", "db", "upgrade", env=self.env)
        for user in users:
            flask_user(self.project, self.env, "create", user, PASSWORD)


def build_target(name: str, project: BakedProject) -> Target:
    """Return a generated project as `python -m my_lab_api` runs it."""
    return Target(name, f"{project.package}:create_app()", [project.python, "-m", project.package], project)


def build_projects(folder: Path, beside: Path | None = None) -> list[Target]:
    """Generate and install a project of each strategy, and perhaps one of an earlier version.

    Args:
        folder: where they are made.
        beside: a checkout of an earlier version of the template, or a project that one has made.
    """
    answers = [{"cors_strategy": strategy, "frontend": False} for strategy in STRATEGIES]
    names = dict(zip((OURS, BY_HAND), answers, strict=True))
    made = {name: bake(folder / name.partition(" ")[2], answer) for name, answer in names.items()}
    if beside and (beside / "cookiecutter.json").exists():
        made[BEFORE] = bake(folder / "before", answers[0], source=beside)
    elif beside:
        made[BEFORE] = BakedProject(beside.resolve(), (), ())
    for project in made.values():
        project.check_output("uv", "sync", "--quiet")
    return [build_target(name, project) for name, project in made.items()]


def build_peers() -> list[Target]:
    """Return the applications of this folder on their servers."""
    programs = Path(sys.executable).parent
    gunicorn, granian, uvicorn = ([str(programs / words[0]), *words[1:]] for words in (GUNICORN, GRANIAN, UVICORN))
    flask, fastapi, bare = (f"benchmarks.apps.{name}" for name in ("plain_flask", "fastapi_app", "bare_wsgi"))
    return [
        Target(FASTAPI, f"{fastapi}:app", [*uvicorn, f"{fastapi}:app"]),
        Target(FLASK, f"{flask}:create_app()", [*gunicorn, f"{flask}:create_app()"]),
        Target(ON_GRANIAN, f"{flask}:create_app()", [*granian, f"{flask}:create_app"]),
        Target(BARE, f"{bare}:create_app()", [*granian, f"{bare}:create_app"]),
    ]


def insert_rows(file: Path, notes: Mapping[str, int], sessions: int) -> None:
    """Write notes, and sign-ins of the first user."""
    with closing(sqlite3.connect(file)) as database:
        for user, number in enumerate(notes.values(), 1):
            written = (
                (user, *row) for row in generate_notes(number, "One sentence of a note. " * (2 if sessions else 9))
            )
            columns = "user_id, title, body, created_at, updated_at, version"
            database.executemany(f"INSERT INTO note ({columns}) VALUES (?, ?, ?, ?, ?, 1)", written)
        ahead = format_time(datetime.now(UTC) + timedelta(days=3))
        keys = ((f"key-{n:040}", 1, ahead) for n in range(sessions))  # of somebody else than who signs in
        database.executemany("INSERT INTO login_session (key, user_id, expires_at) VALUES (?, ?, ?)", keys)
        database.execute("ANALYZE")
        database.commit()
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def generate_notes(number: int, body: str) -> Iterator[tuple[str, str, str, str]]:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    for n in range(number):
        written = format_time(start + timedelta(minutes=n % 100_000))
        yield f"Note number {n}", body, written, written


def format_time(time: datetime) -> str:
    """Return a time as SQLAlchemy writes it into SQLite."""
    return time.strftime("%Y-%m-%d %H:%M:%S.%f")
