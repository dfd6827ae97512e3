"""Invalid settings: each error names the setting and the value to type instead."""

from pathlib import Path

import click
import pytest
from my_lab_api import config, create_app, environment

SAFE = {"SECRET_KEY": "0123456789abcdef" * 4, "FRONTEND_ORIGINS": "none"}  # no APP_ENV means production
DEVELOPMENT = {"APP_ENV": "development"}
REFUSED: list[tuple[dict[str, str], str]] = [
    *(({"SECRET_KEY": key}, "SECRET_KEY is not set. Set it to") for key in ("",)),
    *(({"SECRET_KEY": key}, "SECRET_KEY is a placeholder") for key in ("change-me", "x" * 64, "change-me-" * 5)),
    ({"SECRET_KEY_FALLBACKS": "0123456789abcdef" * 2 + ", tiger"}, "SECRET_KEY_FALLBACKS is a placeholder"),
    *(
        ({"APP_ENV": env}, f"APP_ENV={env!r} is not development or production. Set it")
        for env in ("prod", "PRODUCTION")
    ),
    *(({"FRONTEND_ORIGINS": f"{http}://lab.org"}, "Set it to https://lab.org.") for http in ("http", "HTTP")),
    *(({"CROSS_SITE_COOKIES": value}, f"={value!r} is not 0 or 1. Set it to 0.") for value in ("yes", "2", " ")),
    (DEVELOPMENT | {"CROSS_SITE_COOKIES": "1"}, "needs https, which development does not have. Set it to 0."),
    *(({"LOG_FORMAT": value}, f"LOG_FORMAT={value!r} is not plain or json. Set it") for value in ("xml", "JSON")),
    *(({"DATABASE_URL": url}, "DATABASE_URL ") for url in ("my tiger database", "nonsense://me:tiger@host/lab")),
    *(
        ({"API_URL": url}, "is not an origin. Set it to https://api.example.com")
        for url in ("http://localhost:8000/", "localhost:8000", "api.example.com", "https://", "*")
    ),
    *(
        ({"RATELIMIT_STORAGE_URI": uri}, "RATELIMIT_STORAGE_URI cannot be used. Set it to memory://")
        for uri in (
            *(
                "nowhere://:tiger@host",
                "async+memory://",
                "async+redis://:tiger@host",
                "tiger",
                "memory",
                "memcached://",
            ),
            *("redis://localhost:tiger", "redis+sentinel://tiger"),
        )
    ),
    *(
        ({name: value}, f"{name}={value!r} is not a rate limit. Set it to ")
        for name in ("LOGIN_LIMIT", "LOGIN_ACCOUNT_LIMIT")
        for value in (
            "many",
            "0 per minute",
            "5 per minute; 0 per hour",
            "-1 per minute",
            "10",
            "10 per fortnight",
            " ",
        )
    ),
    *(
        ({"HOST": host}, f"HOST={host!r} is not an IP address. Set it to 127.0.0.1")
        for host in ("localhost", "api.example.com", "1.2.3", "1.2.3.4:80", "[::1]", "fe80::1%eth0", "*", " ", "0")
    ),
    *(
        ({name: value}, f"{name}={value!r} is not a number from ")
        for name in ("WORKERS", "THREADS", "PORT")
        for value in ("many", "0", "-1", "1e1", "99999", "1.5", "½")
    ),
    *(({"TRUSTED_PROXIES": value}, "is not a number from 0 to 16. Set it to 0.") for value in ("-1", "17", "yes")),
    *(
        ({"TRUSTED_HOSTS": f"lab.example, {name}"}, "is not a host name. Set it to api.example.com")
        for name in ("https://lab.example", "lab.example:80", "a/b", "*", "*.lab.example", "me@lab", "[::1]", "a..b")
    ),
]


@pytest.mark.parametrize(("changes", "sentence"), REFUSED, ids=[str(changes)[:60] for changes, _ in REFUSED])
def test_an_invalid_setting_is_one_sentence(changes: dict[str, str], sentence: str) -> None:
    with pytest.raises(click.ClickException) as refusal:
        create_app(SAFE | changes)
    lines = refusal.value.message.splitlines()
    assert sentence in refusal.value.message
    assert len(lines) == 2
    assert "tiger" not in refusal.value.message
    assert max(map(len, lines)) < 300


@pytest.mark.parametrize("name", sorted(config.SettingsSchema().fields.keys() - {"SECRET_KEY", "FRONTEND_DIST"}))
def test_a_long_value_is_not_repeated(name: str) -> None:
    with pytest.raises(config.SettingsError) as refusal:
        config.load({**SAFE, "LOG_FORMAT": "xml", name: "*" * 10_000})
    assert len(str(refusal.value)) < 700


@pytest.mark.parametrize(
    "settings",
    [
        {"HOST": "::1"},
        {"HOST": "0.0.0.0"},
        {"LOGIN_LIMIT": "1 per second; 100 per day"},
        {"TRUSTED_HOSTS": "lab.example, .lab.example,LOCALHOST"},
        {"PORT": " 8001 "},
        {"SECRET_KEY": "a long sentence, with spaces and commas in it"},
        dict.fromkeys(config.SettingsSchema().fields.keys() - SAFE.keys(), ""),
        {"UNKNOWN": "x"},
    ],
)
def test_a_valid_setting_is_accepted(settings: dict[str, str]) -> None:
    create_app(SAFE | settings)


def test_all_problems_are_reported_at_once() -> None:
    with pytest.raises(config.SettingsError) as refusal:
        create_app(
            {"FRONTEND_ORIGINS": "http://a.example", "LOG_FORMAT": "xml", "PORT": "x", "CROSS_SITE_COOKIES": "2"}
        )
    names = [line.split()[1].partition("=")[0] for line in refusal.value.message.splitlines()[1:]]
    assert sorted(names) == ["CROSS_SITE_COOKIES", "FRONTEND_ORIGINS", "LOG_FORMAT", "PORT", "SECRET_KEY"]


def test_an_unreadable_dotenv_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    (tmp_path / ".env").mkdir()
    with pytest.raises(config.SettingsError, match=r"cannot be read .* Copy \.env\.example to \.env"):
        create_app()
    (tmp_path / ".env").rmdir()
    (tmp_path / ".env").write_bytes(b"SECRET_KEY=\xff\n")
    with pytest.raises(config.SettingsError, match=r"cannot be read .* save it as UTF-8\."):
        create_app()
