"""Settings: which values are refused at the start, and where they come from."""

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
def test_the_error_of_an_unsafe_or_invalid_setting_has_its_name(production, name, value):
    with pytest.raises(click.ClickException, match=name):
        create_app(production | {name: value})


def test_all_problems_are_reported_at_once(production):
    with pytest.raises(click.ClickException) as error:
        create_app(production | {"LOG_FORMAT": "xml", "PORT": "http", "SECRET_KEY": ""})
    for name in ("LOG_FORMAT", "PORT", "SECRET_KEY"):
        assert name in error.value.message


def test_the_error_of_a_database_url_hides_its_password(production):
    with pytest.raises(click.ClickException) as error:
        create_app(production | {"DATABASE_URL": "nonsense://me:tiger@host/lab"})
    assert "tiger" not in error.value.message


def test_production_is_the_default(production):
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


def test_the_error_of_a_missing_package_has_the_command_that_installs_it(production, monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)  # as if it were not installed
    with pytest.raises(click.ClickException, match="uv sync --extra postgresql"):
        create_app(production | {"DATABASE_URL": "postgresql://host/lab"})


def test_the_environment_overrides_dotenv(settings, tmp_path, monkeypatch):
    dotenv = settings | {"PORT": "9001", "WORKERS": "3"}
    (tmp_path / ".env").write_text("\n".join(f"{name}={value}" for name, value in dotenv.items()))
    monkeypatch.setattr("{{ cookiecutter.__package }}.environment.ROOT", tmp_path)
    for name in dotenv:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PORT", "9002")
    app = create_app()
    assert (app.config["PORT"], app.config["WORKERS"]) == (9002, 3)


def test_the_error_of_an_unreadable_dotenv_has_no_traceback(tmp_path, monkeypatch):
    (tmp_path / ".env").mkdir()
    monkeypatch.setattr("{{ cookiecutter.__package }}.environment.ROOT", tmp_path)
    with pytest.raises(click.ClickException, match=r"cannot be read \("):
        create_app()


@pytest.fixture
def environment(production, monkeypatch):
    """Set the settings of production in the environment."""
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
    result = CliRunner().invoke(__main__.main)
    assert result.exit_code == 1
    assert "APP_ENV=production" in result.output
