"""Migrations: each run is one transaction, also on SQLite. Conflicting user names are listed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import settings
from flask import Flask
from my_lab_api import create_app
from my_lab_api.extensions import db
from my_lab_api.users import find_user
from sqlalchemy import inspect, text

# as the first release of the template wrote it
ADD_USER = "INSERT INTO user_account VALUES (:id, :name, 'hash', '2026-01-01 00:00:00')"
MIGRATION = '''"""{0}"""
import time
import sqlalchemy as sa
from alembic import op
revision, down_revision, branch_labels, depends_on = "{0}", "{1}", None, None

def upgrade():
    op.create_table("colour", sa.Column("id", sa.Integer(), primary_key=True))
    op.execute("INSERT INTO colour VALUES (1)")
    {2}

def downgrade():
    op.drop_table("colour")
'''


@pytest.fixture
def app(new_database: str) -> Flask:
    """An application with an empty database."""
    return create_app(settings(new_database))


def run_flask(app: Flask, *words: str) -> tuple[int, str]:
    result = app.test_cli_runner().invoke(args=words)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def get_tables(app: Flask) -> set[str]:
    with app.app_context():
        found = set(inspect(db.engine).get_table_names())
        db.engine.dispose()
        return found


def migrate_to_first_release(app: Flask, *names: str) -> None:
    """Migrate to the first release and add users as it did."""
    assert run_flask(app, "db", "upgrade", "0001")[0] == 0
    with app.app_context(), db.engine.begin() as connection:
        for number, name in enumerate(names, 1):
            connection.execute(text(ADD_USER), {"id": number, "name": name})


def add_migration(app: Flask, tmp_path: Path, statement: str, after: str = "0002") -> None:
    """Add a migration of the owner of the project."""
    folder = tmp_path / "owner"
    folder.mkdir()
    (folder / "owner.py").write_text(MIGRATION.format("owner", after, statement), "utf-8")
    app.config["ALEMBIC"] = {"version_locations": [str(folder)]}


def test_existing_names_get_their_key_and_are_displayed_as_before(app: Flask) -> None:
    migrate_to_first_release(app, "Ada", " eve ", "Ｇrace")
    assert run_flask(app, "db", "upgrade")[0] == 0
    with app.app_context():
        for typed, shown in (("ada", "Ada"), ("EVE", " eve "), ("grace", "Ｇrace")):
            user = find_user(typed)
            assert user
            assert user.username == shown
    assert "No changes detected" in run_flask(app, "db", "check")[1]


def test_conflicting_names_are_listed_and_nothing_is_changed(app: Flask) -> None:
    migrate_to_first_release(app, "ada", "grace", "ADA", "straße", "STRASSE", "eve")
    code, said = run_flask(app, "db", "upgrade")
    assert code == 1
    assert "'ada' (id 1), 'ADA' (id 3)\n" in said
    assert "'straße' (id 4), 'STRASSE' (id 5)\n" in said
    assert "eve" not in said
    fix = next(line.strip() for line in said.splitlines() if "UPDATE" in line)
    with app.app_context(), db.engine.begin() as connection:
        assert "username_key" not in {column["name"] for column in inspect(connection).get_columns("user_account")}
        connection.exec_driver_sql(fix.rstrip(";"))
        connection.exec_driver_sql("UPDATE user_account SET username = 'other' WHERE id = 5")
    assert run_flask(app, "db", "upgrade")[0] == 0


def test_a_downgrade_removes_the_key_and_keeps_the_names(app: Flask) -> None:
    migrate_to_first_release(app, "Ada", " eve ")
    for command in (("upgrade",), ("downgrade", "2")):
        assert run_flask(app, "db", *command)[0] == 0
    with app.app_context(), db.engine.begin() as connection:
        columns = {column["name"] for column in inspect(connection).get_columns("user_account")}
        assert columns == {"id", "username", "password_hash", "created_at"}
        assert connection.scalars(text("SELECT username FROM user_account ORDER BY id")).all() == ["Ada", " eve "]
        with pytest.raises(Exception, match=r"(?i)unique"):
            connection.execute(text(ADD_USER), {"id": 9, "name": "Ada"})


def test_a_second_head_of_the_owner_is_merged(app: Flask, tmp_path: Path) -> None:
    add_migration(app, tmp_path, "pass", after="0001")
    migrate_to_first_release(app, "Ada")
    assert run_flask(app, "db", "upgrade", "owner")[0] == 0
    assert run_flask(app, "db", "upgrade")[0] == 0
    assert "Run `flask db merge` first" in run_flask(app, "db", "revision", "more")[1]
    assert "colour" in get_tables(app)
    with app.app_context():
        assert find_user("ADA")


@pytest.mark.parametrize(
    "statement", ["raise RuntimeError('a bug')", "op.execute('INSERT INTO nowhere VALUES (1)')"], ids=["bug", "SQL"]
)
def test_a_failed_migration_is_rolled_back_and_can_be_repeated(app: Flask, tmp_path: Path, statement: str) -> None:
    add_migration(app, tmp_path, statement)
    result = app.test_cli_runner().invoke(args=["db", "upgrade"])
    assert result.exit_code == 1
    assert get_tables(app) == set()
    assert run_flask(app, "db", "upgrade", "0002")[0] == 0
    assert "colour" not in get_tables(app)
    (tmp_path / "owner" / "owner.py").write_text(MIGRATION.format("owner", "0002", "pass"), "utf-8")
    again = create_app(settings(app.config["DATABASE_URL"]))
    again.config["ALEMBIC"] = app.config["ALEMBIC"]
    assert run_flask(again, "db", "upgrade")[0] == 0
    assert "colour" in get_tables(again)


@pytest.mark.parametrize("sent_signal", [signal.SIGINT, signal.SIGKILL], ids=["Ctrl-C", "kill -9"])
def test_an_interrupted_migration_is_rolled_back(
    app: Flask, new_database: str, tmp_path: Path, sent_signal: signal.Signals
) -> None:
    marker = tmp_path / "began"
    add_migration(app, tmp_path, f"open({str(marker)!r}, 'w').close(); time.sleep(60)")
    script = (
        "import sys, my_lab_api; app = my_lab_api.create_app();"
        f"app.config['ALEMBIC'] = {app.config['ALEMBIC']!r};"
        "sys.exit(app.test_cli_runner().invoke(args=['db', 'upgrade'], catch_exceptions=False).exit_code)"
    )
    with subprocess.Popen([sys.executable, "-c", script], env=os.environ | settings(new_database)) as process:
        deadline = time.monotonic() + 60
        while not marker.exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(sent_signal)
    assert marker.exists()
    assert process.returncode != 0
    assert get_tables(app) == set()
    assert run_flask(app, "db", "upgrade", "0002")[0] == 0
