"""Commands for migrations, the demo user, users and passwords."""

import json
from pathlib import Path

import pytest
from conftest import PAGE, PASSWORD, settings
from crossorigin.doctor.cli import commands
from my_lab_api import create_app
from my_lab_api.extensions import db
from sqlalchemy import inspect

NEW_PASSWORD = "a new password"
DUPLICATE, BAD_NAME, UNKNOWN = "the user 'ada' exists already", "1 to 64 printable", "there is no user 'eve'"
REFUSED = [
    ("create", "ada", NEW_PASSWORD, DUPLICATE),
    *(("create", name, NEW_PASSWORD, BAD_NAME) for name in ("", "x" * 65, "a\nb", "\x7f")),
    ("password", "eve", NEW_PASSWORD, UNKNOWN),
    *(("create", "eve", password, "8 to 1024 characters") for password in ("1234567", "x" * 1025)),
    ("password", "ada", "1234567", "8 to 1024 characters"),
]


def run_flask(app, *words, typed=""):
    """Run a command and return its exit code and its output."""
    result = app.test_cli_runner().invoke(args=words, input=typed)
    return result.exit_code, result.output


def can_sign_in(app, username, password):
    body = {"username": username, "password": password}
    return app.test_client().post("/api/auth/login", json=body).status_code == 200


def test_migrations_upgrade_downgrade_and_create_the_tables_of_the_models(new_database):
    app = create_app(settings(new_database))
    for command in ("upgrade", "downgrade base", "upgrade"):
        assert run_flask(app, "db", *command.split())[0] == 0
        with app.app_context():
            tables = set(inspect(db.engine).get_table_names()) - {"alembic_version"}
        assert bool(tables) is (command == "upgrade")
    assert "No changes detected" in run_flask(app, "db", "check")[1]
    assert "upgrade" in run_flask(app, "db", "--help")[1]


def test_a_new_migration_needs_only_sqlalchemy(new_database, tmp_path):
    app = create_app(settings(new_database))
    template = Path(app.root_path, "migrations", "script.py.mako")
    (tmp_path / template.name).write_bytes(template.read_bytes())
    app.config["ALEMBIC"] = {"script_location": str(tmp_path)}
    assert run_flask(app, "db", "revision", "first tables")[0] == 0
    (written,) = (path.read_text() for path in tmp_path.glob("*.py"))
    assert "sa.DateTime(timezone=True)" in written
    assert app.name not in written


def test_seed_with_migrate_migrates_a_new_database(new_database):
    app = create_app(settings(new_database))
    assert run_flask(app, "seed", "--migrate")[0] == 0
    assert can_sign_in(app, "demo", "demo-password")


def test_seed_creates_the_demo_user_once_and_in_development_only(app):
    assert [run_flask(app, "seed")[0], run_flask(app, "seed")[0]] == [0, 0]
    assert can_sign_in(app, "demo", "demo-password")
    app.config["APP_ENV"] = "production"
    code, output = run_flask(app, "seed")
    assert code == 1
    assert "Set APP_ENV=development" in output


def test_user_create_asks_for_the_password_twice_and_never_shows_it(app):
    code, output = run_flask(
        app, "user", "create", "eve", typed=f"{NEW_PASSWORD}\nanother one\n{NEW_PASSWORD}\n{NEW_PASSWORD}\n"
    )
    assert (code, NEW_PASSWORD in output, "do not match" in output) == (0, False, True)
    assert can_sign_in(app, "eve", NEW_PASSWORD)


@pytest.mark.parametrize(("command", "name", "password", "sentence"), REFUSED)
def test_an_invalid_name_or_password_changes_nothing(app, command, name, password, sentence):
    code, output = run_flask(app, "user", command, name, typed=f"{password}\n{password}\n")
    assert code == 1
    assert sentence in output
    assert can_sign_in(app, "ada", PASSWORD)
    assert not can_sign_in(app, "eve", password)


def test_a_failed_migration_is_reported_in_a_sentence(tmp_path):
    app = create_app(settings(f"sqlite:///{tmp_path}/missing/lab.sqlite"))
    code, output = run_flask(app, "db", "upgrade")
    assert code == 1
    assert "Check DATABASE_URL" in output


def test_explain_signs_in_as_a_user_without_a_password(app):
    words = ["explain", "GET", "/api/notes", "--origin", PAGE, "--credentials", "--json", "--as"]
    said = app.test_cli_runner().invoke(commands, [*words, "ada"])
    found = json.loads(said.output)
    assert (said.exit_code, found["status"], "x-pagination" in found["readable_headers"]) == (0, 200, True)
    said = app.test_cli_runner().invoke(commands, [*words, "nobody"])
    assert (
        said.exit_code,
        "there is no user 'nobody'. Check the name, or run `flask user create NAME`." in said.output,
    ) == (2, True)
