"""Settings: read from the environment, checked once, all problems told together."""

import os
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from importlib.util import find_spec
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from limits import parse_many
from limits.errors import ConfigurationError
from limits.storage import storage_from_string

from .cors.origins import problem_of_origin
from .database import engine_options, problem_of_database
from .errors import StartupError

TITLE = "{{ cookiecutter.project_name }}"
DESCRIPTION = "A Flask API with a CORS policy for each blueprint"
PACKAGE = __name__.partition(".")[0]
ROOT = Path(__file__).resolve().parent.parent
# whole numbers: the default, the least, the most
NUMBERS = {
    "WORKERS": (min(os.cpu_count() or 1, 256), 1, 256),
    "THREADS": (4, 1, 256),
    "TRUSTED_PROXIES": (0, 0, 16),
}
A_NEW_KEY = 'python -c "import secrets; print(secrets.token_hex(32))"'


class SettingsError(StartupError):
    """The settings cannot be used."""


def load(settings: Mapping[str, str] | None = None, *, debug: bool = False) -> dict[str, Any]:
    """Return Flask's configuration from settings.

    Args:
        settings: names and values; None reads `.env` beside the package and the environment,
            which wins.
        debug: whether Flask's debug mode is on.

    Raises:
        SettingsError: with one sentence for each problem.
    """
    if settings is None:
        try:
            settings = {k: v for k, v in dotenv_values(ROOT / ".env").items() if v} | os.environ
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f".env cannot be read ({error}); write it in UTF-8.") from error
    env = settings.get("APP_ENV", "production")
    production = env == "production"
    origins = settings.get("FRONTEND_ORIGINS", "").strip()
    old_keys = [key.strip() for key in settings.get("SECRET_KEY_FALLBACKS", "").split(",") if key.strip()]
    database = settings.get("DATABASE_URL", "") or f"sqlite:///{PACKAGE}.sqlite"
    cross_site = settings.get("CROSS_SITE_COOKIES", "") or "0"
    docs = settings.get("DOCS", "") or ("0" if production else "1")
    log_format = settings.get("LOG_FORMAT", "") or ("json" if production else "plain")
    storage = settings.get("RATELIMIT_STORAGE_URI", "") or "memory://"
    limits = {
        "LOGIN_LIMIT": settings.get("LOGIN_LIMIT", "") or "60 per minute",
        "LOGIN_ACCOUNT_LIMIT": settings.get("LOGIN_ACCOUNT_LIMIT", "") or "10 per minute",
    }
    host, port = settings.get("HOST", "") or "127.0.0.1", settings.get("PORT", "") or "8000"
    numbers = {name: settings.get(name, "") or str(usual) for name, (usual, _, _) in NUMBERS.items()}
    host_names = settings.get("TRUSTED_HOSTS", "").replace(",", " ").lower().split()
    api_url = settings.get("API_URL", "") or ("" if production else "http://localhost:8000")

    problems = [
        *_choice("APP_ENV", env, "development", "production"),
        *_choice("CROSS_SITE_COOKIES", cross_site, "0", "1"),
        *_choice("DOCS", docs, "0", "1"),
        *_choice("LOG_FORMAT", log_format, "plain", "json"),
        *_secret(settings.get("SECRET_KEY", ""), production),
        *(
            "SECRET_KEY_FALLBACKS has a placeholder or a key that is too short; leave that out."
            for key in old_keys
            if _secret(key, production)
        ),
        *_database(database),
        *_storage(storage),
        *(problem for name, value in limits.items() for problem in _limit(name, value)),
        *_address(host, port),
        *(problem for name, value in numbers.items() for problem in _number(name, value)),
        *(problem for name in host_names for problem in _host_name(name)),
        *_api_url(api_url),
    ]
    if production:
        problems += _insecure_origins(origins)
        if debug:
            problems.append("debug mode is on in production; start without --debug and FLASK_DEBUG.")
    elif cross_site == "1":
        problems.append(
            "CROSS_SITE_COOKIES=1 needs https, which development has not; set it in production only."
        )
    if problems:
        raise SettingsError("the settings cannot be used:\n" + "\n".join(f"  - {p}" for p in problems))

    return {
        "APP_ENV": env,
        "SECRET_KEY": settings["SECRET_KEY"],
        "SECRET_KEY_FALLBACKS": old_keys,  # cookies that they signed stay good
        "FRONTEND_ORIGINS": origins,
        "FRONTEND_DIST": str(ROOT / (settings.get("FRONTEND_DIST", "") or "frontend/dist")),
        # where pages reach this API: only used to warn of cookies that will not travel
        "API_URL": api_url,
        "LOG_FORMAT": log_format,
        "DOCS": docs == "1",
        "SQLALCHEMY_ENGINES": {"default": engine_options(database, threads=int(numbers["THREADS"]))},
        "RATELIMIT_STORAGE_URI": storage,
        # seconds: a sign-in waits no longer for a Redis that hangs, and is counted in memory
        "RATELIMIT_STORAGE_OPTIONS": {"socket_timeout": 1} if storage.startswith("redis") else {},
        "RATELIMIT_KEY_PREFIX": PACKAGE,
        **limits,
        "HOST": host,
        "PORT": int(port),
        **{name: int(value) for name, value in numbers.items()},
        "HOST_NAMES": host_names,  # not TRUSTED_HOSTS: Flask's would refuse health checks by address
        "MAX_CONTENT_LENGTH": 1024 * 1024,
        # a page can read a 500 only with CORS headers, which a traceback page does not have
        "PROPAGATE_EXCEPTIONS": False if debug else None,
        **_cookie(production, cross_site == "1"),
        "API_TITLE": TITLE,
        "API_VERSION": "1.0",
        "OPENAPI_VERSION": "3.1.0",
        "OPENAPI_URL_PREFIX": "/api",
        "API_SPEC_OPTIONS": {"info": {"description": DESCRIPTION}},
    }


def _cookie(production: bool, cross_site: bool) -> dict[str, Any]:
    cookie = {
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_REFRESH_EACH_REQUEST": False,  # the server's row knows when a session ends
        "PERMANENT_SESSION_LIFETIME": timedelta(days=7),
    }
    if not production:  # no Secure: WebKit refuses such cookies on http://localhost
        return cookie | {"SESSION_COOKIE_NAME": f"{PACKAGE}_session", "SESSION_COOKIE_SAMESITE": "Lax"}
    return cookie | {
        # __Host-: no other host can set it (RFC 6265bis, section 4.1.3.2)
        "SESSION_COOKIE_NAME": f"__Host-{PACKAGE}_session",
        "SESSION_COOKIE_SECURE": True,
        "SESSION_COOKIE_SAMESITE": "None" if cross_site else "Lax",
        "SESSION_COOKIE_PARTITIONED": cross_site,
    }


def _choice(name: str, value: str, *choices: str) -> list[str]:
    return [] if value in choices else [f"{name}={value!r} is unknown; write {' or '.join(choices)}."]


def _secret(secret: str, production: bool) -> list[str]:
    if not secret:
        return [f"SECRET_KEY is not set; put the output of {A_NEW_KEY} into .env."]
    placeholder = re.search("change|secret|placeholder|example", secret.lower())
    if production and (placeholder or len(secret) < 32 or len(set(secret)) < 8):
        return [f"SECRET_KEY is a placeholder or too short; replace it by the output of {A_NEW_KEY}."]
    return []


def _database(url: str) -> list[str]:
    problem = problem_of_database(url)
    return [problem] if problem else []


def _storage(uri: str) -> list[str]:
    if uri.startswith("redis") and find_spec("redis") is None:
        return ["RATELIMIT_STORAGE_URI needs redis, which is not installed; run uv sync --extra redis."]
    try:
        storage_from_string(uri)
    except (ConfigurationError, AssertionError, ValueError):  # not repeated: it may hold a password
        return ["RATELIMIT_STORAGE_URI cannot be used; write memory://, or redis://localhost:6379."]
    return []


def _limit(name: str, value: str) -> list[str]:
    try:
        parse_many(value)
    except ValueError:
        return [f"{name}={value!r} is not a limit; write for example '10 per minute'."]
    return []


def _api_url(url: str) -> list[str]:
    problem = problem_of_origin(url, credentials=False) if url else None
    return [f"API_URL={url!r} {problem}."] if problem else []


def _address(host: str, port: str) -> Iterator[str]:
    try:
        ip_address(host)
    except ValueError:
        yield f"HOST={host!r} is not an IP address; write 127.0.0.1, or 0.0.0.0 for every interface."
    if not re.fullmatch("[0-9]{1,5}", port) or not 0 < int(port) < 65536:
        yield f"PORT={port[:9]!r} is not a port; write a number from 1 to 65535."


def _number(name: str, value: str) -> Iterator[str]:
    usual, least, most = NUMBERS[name]
    if not re.fullmatch("[0-9]{1,9}", value) or not least <= int(value) <= most:
        yield f"{name}={value[:9]!r} is not a number from {least} to {most}; write for example {usual}."


def _host_name(name: str) -> Iterator[str]:
    if not re.fullmatch(r"\.?[a-z0-9-]+(\.[a-z0-9-]+)*", name):
        yield (
            f"TRUSTED_HOSTS has {name!r}, which is no host name; write 'api.example.com' without scheme,"
            " port and path, or '.example.com' for it and all names under it."
        )


def _insecure_origins(origins: str) -> list[str]:
    return [
        f"FRONTEND_ORIGINS has {origin!r}, and production serves https pages only;"
        f" write {'https:' + origin[5:]!r}."
        for origin in origins.replace(",", " ").split()
        if origin.lower().startswith("http:")
    ]
