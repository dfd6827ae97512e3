"""Settings: what is refused at the start, and where they come from."""

import os
import re
import subprocess
import sys

import click
import granian
import pytest
from my_lab_api import config, create_app
from my_lab_api.__main__ import main
from my_lab_api.database import parse_database_url
from my_lab_api.environment import ROOT, find_setting

SAFE = {"SECRET_KEY": "0123456789abcdef" * 4, "FRONTEND_ORIGINS": "none"}
INVALID_HOSTS = ("https://lab.example", "lab.example:80", "lab.example/a", "*", "*.lab.example", "me@lab", "[::1]")
REFUSED = [  # no APP_ENV means production
    ({"SECRET_KEY": ""}, "SECRET_KEY is not set"),
    *(({"SECRET_KEY": key}, "is a placeholder") for key in ("change-me", "x" * 64, "change-me-" * 5)),
    *(({"FRONTEND_ORIGINS": f"{http}://lab.org"}, "Set it to https://lab.org.") for http in ("http", "HTTP")),
    ({"FRONTEND_ORIGINS": "http://tauri.localhost"}, "https://tauri.localhost. In an app, set useHttpsScheme"),
    ({"FRONTEND_ORIGINS": "http://localhost"}, "androidScheme (Capacitor)"),
    ({"FRONTEND_ORIGINS": "http://localhost:5173"}, "Set it to https://app.example.com."),
    ({"FRONTEND_ORIGINS": "http://192.168.1.20:5173"}, "Set it to https://192.168.1.20:5173."),
    ({"FRONTEND_ORIGINS": "*"}, "FRONTEND_ORIGINS has '*' with credentials"),
    ({"FRONTEND_ORIGINS": ""}, "FRONTEND_ORIGINS is unset or empty"),
    ({"APP_ENV": "prod"}, "APP_ENV='prod' is not development or production. Set it to development."),
    ({"CROSS_SITE_COOKIES": "yes"}, "CROSS_SITE_COOKIES='yes' is not 0 or 1. Set it to 0."),
    ({"CROSS_SITE_COOKIES": "1", "APP_ENV": "development"}, "which development does not have. Set it to 0."),
    ({"LOG_FORMAT": "xml"}, "LOG_FORMAT='xml' is not plain or json. Set it to plain."),
    ({"DATABASE_URL": "my tiger database"}, "DATABASE_URL is not a database URL"),
    ({"DATABASE_URL": "nonsense://me:tiger@host/lab"}, "DATABASE_URL"),
    ({"DATABASE_URL": "sqlite://me:tiger@host:port/lab"}, "DATABASE_URL"),
    ({"DATABASE_URL": "postgresql+psycopg2://me:tiger@host/lab"}, "begins with 'postgresql+psycopg2'"),
    ({"DATABASE_URL": "oracle+oracledb://me:tiger@host/lab"}, "begins with 'oracle+oracledb'"),
    *(({"DATABASE_URL": url}, "is not the path of a file") for url in ("sqlite://", "sqlite:///:memory:")),
    *(({"DATABASE_URL": f"sqlite:{url}"}, "three slashes") for url in ("//lab.sqlite", "///lab?mode=memory")),
    ({"SECRET_KEY_FALLBACKS": "0123456789abcdef" * 2 + ", tiger"}, "SECRET_KEY_FALLBACKS is a placeholder"),
    ({"API_URL": "http://localhost:8000/"}, "API_URL='http://localhost:8000/' is not an origin"),
    ({"RATELIMIT_STORAGE_URI": "nowhere://:tiger@host"}, "RATELIMIT_STORAGE_URI"),
    ({"HOST": "localhost"}, "HOST='localhost' is not an IP address"),
    *(({name: "many"}, name) for name in ("LOGIN_LIMIT", "LOGIN_ACCOUNT_LIMIT")),
    *(({name: "0"}, f"{name}='0' is not a number from 1 to 256") for name in ("WORKERS", "THREADS")),
    ({"TRUSTED_PROXIES": "-1"}, "TRUSTED_PROXIES='-1' is not a number from 0"),
    *(({"TRUSTED_HOSTS": f"lab.example, {name}"}, "has a part that is not a host name") for name in INVALID_HOSTS),
    *(({"PORT": port}, f"PORT='{port}' is not a number") for port in ("http", "0", "65536", "-1", "8e3")),
]


@pytest.mark.parametrize(("changes", "sentence"), REFUSED, ids=[str(changes) for changes, _ in REFUSED])
def test_an_unsafe_setting_is_refused_with_a_sentence(changes, sentence):
    with pytest.raises(click.ClickException) as refusal:
        create_app(SAFE | changes)
    assert sentence in refusal.value.message
    assert "tiger" not in refusal.value.message


@pytest.mark.parametrize("file", ["memory_study.sqlite", "C:/memories/lab.sqlite"])
def test_a_path_may_contain_the_word_memory(file):
    assert parse_database_url(f"sqlite:///{file}").database == file


@pytest.mark.parametrize(
    ("package", "name", "value", "extra"),
    [
        ("psycopg", "DATABASE_URL", "postgres://host/lab", "postgresql"),
        ("redis", "RATELIMIT_STORAGE_URI", "redis://localhost", "redis"),
    ],
)
def test_a_missing_package_is_reported_with_the_command_that_installs_it(monkeypatch, package, name, value, extra):
    monkeypatch.setitem(sys.modules, package, None)  # as if it were not installed
    with pytest.raises(config.SettingsError, match=f"{name} .* uv sync --extra {extra}."):
        create_app(SAFE | {name: value})


def test_all_problems_are_reported_at_once_with_debug_mode(monkeypatch):
    monkeypatch.setenv("FLASK_DEBUG", "1")
    with pytest.raises(config.SettingsError, match="FLASK_DEBUG is on in production") as refusal:
        create_app({"FRONTEND_ORIGINS": "http://a.example, http://b.example", "LOG_FORMAT": "xml"})
    assert refusal.value.message.count("\n  - ") == 4


@pytest.mark.parametrize(("environment", "port"), [({}, 9001), ({"PORT": "9002"}, 9002)])
def test_the_environment_takes_precedence_over_dotenv(tmp_path, monkeypatch, environment, port):
    (tmp_path / ".env").write_text("PORT=9001\n" + "\n".join(f"{k}={v}" for k, v in SAFE.items()))
    monkeypatch.setattr("my_lab_api.environment.ROOT", tmp_path)
    for name in ("APP_ENV", "DATABASE_URL", *SAFE, "PORT", "HOST"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    served = []
    monkeypatch.setattr(granian.Granian, "serve", lambda server: served.append(server.bind_port))
    main([], standalone_mode=False)
    assert served == [port]
    monkeypatch.setenv("API_URL", "https://other.example")
    assert create_app().config["API_URL"] == "https://other.example"


def test_the_documented_settings_are_the_settings_of_the_schema():
    names = set(config.SettingsSchema().fields)
    example = re.findall("(?m)^([A-Z_]+)=", (ROOT / ".env.example").read_text("utf-8"))
    assert set(example) - names == {"VITE_API_URL"}  # the front end reads it from the same file
    assert get_rows(ROOT / "docs" / "production.md") == names
    for readme in ROOT.glob("README*.md"):
        assert {"APP_ENV", "FRONTEND_ORIGINS", "DATABASE_URL"} <= get_rows(readme) < names, readme.name


def get_rows(page):
    rows = re.findall("(?m)^\\| ?(`[A-Z_`、, ]+`) ?\\|", page.read_text("utf-8"))
    return set(re.findall("[A-Z_]+", " ".join(rows)))


def test_the_server_reports_why_it_does_not_start_and_does_not_import_alembic():
    command = [sys.executable, "-X", "importtime", "-m", create_app.__module__]
    unsafe = {**os.environ, "APP_ENV": "production", "SECRET_KEY": "short", "FRONTEND_ORIGINS": "none"}
    run = subprocess.run(command, env=unsafe, text=True, capture_output=True, timeout=20)
    first, second = [line for line in run.stderr.splitlines() if not line.startswith("import time:")]
    assert (run.returncode, first) == (1, "Error: the settings cannot be used:")
    assert "SECRET_KEY is a placeholder" in second
    assert "alembic" not in run.stderr  # its import takes three times as long as that of Flask


@pytest.mark.parametrize(
    ("in_file", "in_environment", "place"),
    [
        ("a", None, ".env"),
        (None, None, ".env"),
        ("a", "a", ".env"),
        ("a", "b", "environment"),
        (None, "", "environment"),
    ],
)
def test_find_setting_returns_the_environment_if_it_differs(tmp_path, monkeypatch, in_file, in_environment, place):
    (tmp_path / ".env").write_text(f"API_URL={in_file}" if in_file else "")
    monkeypatch.setattr("my_lab_api.environment.ROOT", tmp_path)
    monkeypatch.delenv("API_URL", raising=False)
    if in_environment is not None:
        monkeypatch.setenv("API_URL", in_environment)
    assert find_setting("API_URL") == place
