"""The database that every target gets a copy of: made by the migration of a generated project, then filled."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

from benchmarks.apps.tables import hasher
from benchmarks.cases import PASSWORD
from tests.baking import BakedProject

BODY = "One sentence of a note, as long as such sentences are. " * 4


def fill(
    project: BakedProject,
    file: Path,
    env: Mapping[str, str],
    notes: Mapping[str, int],
    sessions: int = 0,
    body: str = BODY,
) -> None:
    """Make a database.

    Args:
        project: whose migration makes the tables.
        file: where.
        env: settings of the project.
        notes: how many notes each user has.
        sessions: how many sign-ins are there already, of people who do not matter here.
        body: of each note.
    """
    flask = [project.python, "-m", "flask", "--app", project.package, "db", "upgrade"]
    project.succeeds(*flask, env={**env, "DATABASE_URL": f"sqlite:///{file}"})
    with closing(sqlite3.connect(file)) as database:
        database.executemany("INSERT INTO user_account VALUES (?, ?, ?, ?)", users([*notes, *others(sessions)]))
        for user, number in enumerate(notes.values(), 1):
            database.executemany("INSERT INTO note VALUES (NULL, ?, ?, ?, ?, ?, 1)", rows(user, number, body))
        ahead = text(datetime.now(UTC) + timedelta(days=3))
        people = len(others(sessions)) or 1
        keys = ((f"key-{n:040}", len(notes) + 1 + n % people, ahead) for n in range(sessions))
        database.executemany("INSERT INTO login_session VALUES (?, ?, ?)", keys)
        database.execute("ANALYZE")
        database.commit()
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # the file alone is the whole database


def others(sessions: int) -> list[str]:
    """Return the names of people with ten sign-ins each."""
    return [f"somebody-{n}" for n in range(sessions // 10)]


def users(names: list[str]) -> Iterator[tuple[int, str, str, str]]:
    """Yield rows of users with one password."""
    one_hash, today = hasher.hash(PASSWORD), text(datetime.now(UTC))
    yield from zip(count(1), names, [one_hash] * len(names), [today] * len(names), strict=False)


def rows(user: int, number: int, body: str) -> Iterator[tuple[int, str, str, str, str]]:
    """Yield rows of notes, each a minute after the one before."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    for n in range(number):
        written = text(start + timedelta(minutes=n % 100_000))
        yield user, f"Note number {n}", body, written, written


def text(time: datetime) -> str:
    """Return a time as SQLAlchemy writes it into SQLite."""
    return time.strftime("%Y-%m-%d %H:%M:%S.%f")
