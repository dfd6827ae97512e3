"""Settings: what is refused at the start, and where they are read from."""

import sys

import click
import pytest
from click.testing import CliRunner

from {{ cookiecutter.__package }} import __main__, create_app

REFUSED = [
    ("APP_ENV", "prod"),
    ("SECRET_KEY", ""),
    ("SECRET_KEY", "change-me"),
    ("FRONTEND_ORIGINS", ""),
    ("FRONTEND_ORIGINS", "*"),
    ("FRONTEND_ORIGINS", "http://app.example.com"),
    ("FRONTEND_ORIGINS", "https://app.example.com/"),
    ("DATABASE_URL", "my database"),
    ("DATABASE_URL", "sqlite://"),
    ("DATABASE_URL", "sqlite://host/lab"),
    ("DATABASE_URL", "postgresql+psycopg2://host/lab"),
    ("CROSS_SITE_COOKIES", "yes"),
    ("LOG_FORMAT", "xml"),
    ("API_URL", "http://localhost:8000/"),
    ("RATELIMIT_STORAGE_URI", "nowhere://host"),
    ("LOGIN_LIMIT", "many"),
    ("TRUSTED_HOSTS", "https://lab.example"),
    ("HOST", "localhost"),
    ("PORT", "http"),
    ("WORKERS", "0"),
]


@pytest.mark.parametrize(("name", "value"), REFUSED)
def test_a_setting_that_is_unsafe_or_wrong_is_refused_by_name(production, name, value):
    with pytest.raises(click.ClickException, match=name):
        create_app(production | {name: value})


def test_all_problems_are_told_at_once(production):
    with pytest.raises(click.ClickException) as refusal:
        create_app(production | {"LOG_FORMAT": "xml", "PORT": "http", "SECRET_KEY": ""})
    for name in ("LOG_FORMAT", "PORT", "SECRET_KEY"):
        assert name in refusal.value.message


def test_a_password_in_a_database_url_is_not_repeated(production):
    with pytest.raises(click.ClickException) as refusal:
        create_app(production | {"DATABASE_URL": "nonsense://me:tiger@host/lab"})
    assert "tiger" not in refusal.value.message


def test_production_is_what_nobody_has_to_ask_for(production):
    del production["APP_ENV"]
    with pytest.raises(click.ClickException, match="SECRET_KEY"):
        create_app(production | {"SECRET_KEY": "only-for-tests"})


def test_debug_mode_is_refused_in_production(production, monkeypatch):
    monkeypatch.setenv("FLASK_DEBUG", "1")
    with pytest.raises(click.ClickException, match="debug"):
        create_app(production)


def test_cookies_for_other_sites_are_refused_in_development(settings):
    with pytest.raises(click.ClickException, match="CROSS_SITE_COOKIES"):
        create_app(settings | {"CROSS_SITE_COOKIES": "1"})


def test_a_package_that_is_missing_is_told_with_the_command_that_adds_it(production, monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)  # as if it was not installed
    with pytest.raises(click.ClickException, match="uv sync --extra postgresql"):
        create_app(production | {"DATABASE_URL": "postgresql://host/lab"})


def test_settings_are_read_from_dotenv_and_the_environment_wins(settings, tmp_path, monkeypatch):
    dotenv = settings | {"PORT": "9001", "WORKERS": "3"}
    (tmp_path / ".env").write_text("\n".join(f"{name}={value}" for name, value in dotenv.items()))
    monkeypatch.setattr("{{ cookiecutter.__package }}.environment.ROOT", tmp_path)
    for name in dotenv:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PORT", "9002")
    app = create_app()
    assert (app.config["PORT"], app.config["WORKERS"]) == (9002, 3)


def test_a_dotenv_that_cannot_be_read_is_told_in_a_sentence(tmp_path, monkeypatch):
    (tmp_path / ".env").mkdir()
    monkeypatch.setattr("{{ cookiecutter.__package }}.environment.ROOT", tmp_path)
    with pytest.raises(click.ClickException, match=r"cannot be read \("):
        create_app()


@pytest.fixture
def environment(production, monkeypatch):
    """The settings of production, in the environment."""
    for name, value in production.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_the_server_starts_with_safe_settings(environment):
    started = []
    environment.setattr(__main__.Granian, "serve", lambda server: started.append(server.bind_port))
    environment.setenv("PORT", "9003")
    assert CliRunner().invoke(__main__.main).exit_code == 0
    assert started == [9003]


def test_the_server_refuses_the_settings_of_development(environment):
    environment.setenv("APP_ENV", "development")
    refused = CliRunner().invoke(__main__.main)
    assert refused.exit_code == 1
    assert "APP_ENV=production" in refused.output
