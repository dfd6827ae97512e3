"""Commands: migrations, the demo user, users and their passwords."""

import pytest
from conftest import PASSWORD

from {{ cookiecutter.__package }} import create_app

NEW_PASSWORD = "a new password"


@pytest.fixture
def empty_app(settings, tmp_path):
    """Return an application whose database has no tables."""
    return create_app(settings | {"DATABASE_URL": f"sqlite:///{tmp_path}/empty.sqlite"})


def run(app, *words, typed=""):
    """Run a command. Return its exit code and what it printed."""
    result = app.test_cli_runner().invoke(args=words, input=typed)
    return result.exit_code, result.output


def can_sign_in(app, username, password):
    body = {"username": username, "password": password}
    return app.test_client().post("/api/auth/login", json=body).status_code == 200


def test_migrations_create_the_tables_of_the_models(empty_app):
    assert run(empty_app, "db", "upgrade")[0] == 0
    assert "No changes detected" in run(empty_app, "db", "check")[1]


def test_a_failed_migration_prints_an_error_without_a_traceback(settings, tmp_path):
    app = create_app(settings | {"DATABASE_URL": f"sqlite:///{tmp_path}/missing/lab.sqlite"})
    code, output = run(app, "db", "upgrade")
    assert code == 1
    assert output.startswith("Error: ")


def test_seed_creates_the_demo_user(app):
    assert run(app, "seed")[0] == 0
    assert can_sign_in(app, "demo", "demo-password")


def test_seed_migrates_a_new_database_with_the_option_migrate(empty_app):
    assert run(empty_app, "seed", "--migrate")[0] == 0
    assert can_sign_in(empty_app, "demo", "demo-password")


def test_seed_is_refused_in_production(production):
    code, output = run(create_app(production), "seed")
    assert code == 1
    assert "APP_ENV=development" in output


def test_user_create_creates_a_user_who_can_sign_in(app):
    code, output = run(app, "user", "create", "eve", typed=f"{NEW_PASSWORD}\n{NEW_PASSWORD}\n")
    assert code == 0
    assert NEW_PASSWORD not in output
    assert can_sign_in(app, "eve", NEW_PASSWORD)


def test_user_create_reads_the_password_from_standard_input(app):
    assert run(app, "user", "create", "eve", "--password-stdin", typed=f"{NEW_PASSWORD}\n")[0] == 0
    assert can_sign_in(app, "eve", NEW_PASSWORD)


@pytest.mark.parametrize("name", ["ada", "", "a\nb"])
def test_user_create_refuses_a_name_that_exists_or_is_invalid(app, name):
    code, output = run(app, "user", "create", name, typed=f"{NEW_PASSWORD}\n{NEW_PASSWORD}\n")
    assert code == 1
    assert output.splitlines()[-1].startswith("Error: ")
    assert can_sign_in(app, "ada", PASSWORD)


def test_user_create_refuses_an_unsafe_password(app):
    code, output = run(app, "user", "create", "eve", typed="short\nshort\n")
    assert code == 1
    assert "password" in output.splitlines()[-1]
    assert not can_sign_in(app, "eve", "short")


def test_user_password_changes_a_password(app):
    assert run(app, "user", "password", "ada", typed=f"{NEW_PASSWORD}\n{NEW_PASSWORD}\n")[0] == 0
    assert can_sign_in(app, "ada", NEW_PASSWORD)
    assert not can_sign_in(app, "ada", PASSWORD)


def test_user_password_refuses_an_unknown_user(app):
    code, output = run(app, "user", "password", "eve", typed=f"{NEW_PASSWORD}\n{NEW_PASSWORD}\n")
    assert code == 1
    assert "there is no user 'eve'" in output


def test_a_command_without_tables_prints_how_to_create_them(empty_app):
    code, output = run(empty_app, "user", "password", "ada", typed=f"{NEW_PASSWORD}\n{NEW_PASSWORD}\n")
    assert code == 1
    assert "flask db upgrade" in output
