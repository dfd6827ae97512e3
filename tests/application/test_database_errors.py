"""Commands report database errors in a sentence with the fix, without a traceback."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from conftest import TEST_DATABASE_URL, settings
from flask import Flask
from my_lab_api import create_app, database
from my_lab_api.extensions import db
from sqlalchemy import URL, Engine, event

NEW = "another horse battery"
COMMANDS = {
    "user create": ("user", "create", "eve"),
    "user password": ("user", "password", "ada"),
    "seed": ("seed",),
    "seed --migrate": ("seed", "--migrate"),
    "db upgrade": ("db", "upgrade"),
    "db current": ("db", "current"),
    "db check": ("db", "check"),
}
on_sqlite = pytest.mark.skipif(bool(TEST_DATABASE_URL), reason="only SQLite has a database file")
commands = pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)


def run_failing_command(app: Flask, *words: str) -> str:
    """Run a command that must fail and return its message."""
    result = app.test_cli_runner().invoke(args=words, input=f"{NEW}\n{NEW}\n")
    assert isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code == 1
    assert "Traceback" not in result.output
    return result.output.rpartition("Error: ")[2]


@pytest.fixture
def short_timeout(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Set a short lock timeout for SQLite."""
    original = database.set_up_sqlite

    def set_up(connection: sqlite3.Connection, record: object) -> None:
        original(connection, record)
        connection.execute("PRAGMA busy_timeout = 50")

    def create_engine(url: URL, *, connect_args: dict[str, object], **others: Any) -> Engine:
        return sqlalchemy.create_engine(url, connect_args=connect_args | {"timeout": 0.05}, **others)

    monkeypatch.setattr(database, "set_up_sqlite", set_up)
    monkeypatch.setattr("my_lab_api.migrate.create_engine", create_engine)
    return None


@on_sqlite
@pytest.mark.parametrize("words", COMMANDS.values())
@pytest.mark.usefixtures("short_timeout")
def test_a_database_that_another_process_has_locked(app: Flask, tmp_path: Path, words: tuple[str, ...]) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "test.sqlite")) as other:
        other.execute("BEGIN IMMEDIATE")
        said = run_failing_command(app, *words)
    assert said.startswith("the database failed: database is locked.")
    assert "Try again if it was busy." in said


@on_sqlite
@commands
def test_a_database_in_a_missing_folder(tmp_path: Path, words: tuple[str, ...]) -> None:
    said = run_failing_command(create_app(settings(f"sqlite:///{tmp_path}/missing/lab.sqlite")), *words)
    assert "unable to open database file. Check DATABASE_URL" in said


@on_sqlite
@commands
def test_a_file_that_is_not_a_database(tmp_path: Path, words: tuple[str, ...]) -> None:
    (tmp_path / "notes.txt").write_text("not a database " * 100)
    said = run_failing_command(create_app(settings(f"sqlite:///{tmp_path}/notes.txt")), *words)
    assert "file is not a database. Check DATABASE_URL" in said


@on_sqlite
def test_a_full_disk(app: Flask) -> None:
    with app.app_context():
        event.listen(db.engine, "connect", lambda connection, _: connection.execute("PRAGMA max_page_count = 1"))
        said = ""
        for number in range(200):  # the limit cannot be below the current size of the file
            words = ["user", "create", f"{number} {'x' * 50}"]
            said = app.test_cli_runner().invoke(args=words, input=f"{NEW}\n{NEW}\n").output
            if "Created" not in said:
                break
    assert "Error: the database failed: database or disk is full. Check" in said


@on_sqlite
def test_a_file_that_is_read_only(app: Flask) -> None:
    with app.app_context():
        event.listen(db.engine, "connect", lambda connection, _: connection.execute("PRAGMA query_only = ON"))
        assert "attempt to write a readonly database. Check DATABASE_URL" in run_failing_command(
            app, "user", "create", "eve"
        )


@pytest.mark.parametrize("words", [COMMANDS["user create"], COMMANDS["seed"]])
def test_a_database_without_tables(new_database: str, words: tuple[str, ...]) -> None:
    assert "Run `flask db upgrade`" in run_failing_command(create_app(settings(new_database)), *words)


def test_no_revision_before_the_newest_is_applied(new_database: str) -> None:
    assert "Run `flask db upgrade` first." in run_failing_command(
        create_app(settings(new_database)), "db", "revision", "more"
    )


def test_a_name_that_is_not_valid_unicode(app: Flask) -> None:
    assert "there is no user" in run_failing_command(app, "user", "password", "\udcff")
    assert "1 to 64 printable" in run_failing_command(app, "user", "create", "\udcff")


BAD_URLS = {
    "my database": "is not a database URL",
    "postgresql://host:port/lab": "is not a database URL",
    "sqlite": "is not a database URL",
    "sqlite+aiosqlite:///lab": "begins with 'sqlite+aiosqlite'",
    "postgresql+asyncpg://host/lab": "begins with 'postgresql+asyncpg'",
    "mysql://host/lab": "begins with 'mysql'",
    "sqlite://": "is not the path of a file",
    "sqlite:///": "is not the path of a file",
    "sqlite:///:memory:": "is not the path of a file",
    "sqlite:///file::memory:": "is not the path of a file",
    "sqlite://lab.sqlite": "three slashes",
    "sqlite:///lab.sqlite?mode=memory&uri=true": "three slashes",
    "sqlite:///lab.sqlite?timeout=soon": "three slashes",
}


@pytest.mark.parametrize(("url", "sentence"), BAD_URLS.items())
def test_an_invalid_database_url_is_refused_with_a_sentence(url: str, sentence: str) -> None:
    with pytest.raises(ValueError, match="Set it to ") as refusal:
        database.parse_database_url(url)
    assert sentence in str(refusal.value)
