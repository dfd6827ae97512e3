"""Settings: read from the environment and checked by one schema. It reports all problems at once."""

import os
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from ipaddress import ip_address
from typing import Any

import marshmallow as ma
from crossorigin import origin_problem
from limits import parse_many
from limits.errors import ConfigurationError
from limits.storage import storage_from_string

from . import environment
from .database import parse_database_url
from .errors import SettingsError

TITLE = "{{ cookiecutter.project_name }}"
PACKAGE = __name__.partition(".")[0]
HOST_NAME = re.compile(r"\.?[a-z0-9-]+(\.[a-z0-9-]+)*", re.IGNORECASE)
SECRETS = {"SECRET_KEY", "SECRET_KEY_FALLBACKS", "DATABASE_URL", "RATELIMIT_STORAGE_URI"}
NEW_KEY = 'Set it to the output of python -c "import secrets; print(secrets.token_hex(32))".'
WEAK_KEY = f"is a placeholder or too short. {NEW_KEY}"
ORIGIN = "is not an origin. Set it to https://api.example.com, without a path."
ADDRESS = "is not an IP address. Set it to 127.0.0.1, or to 0.0.0.0 for every interface."
HOSTS = "has a part that is not a host name. Set it to api.example.com, or to .example.com for subdomains."
STORAGE = "cannot be used. Set it to memory://. For redis://localhost:6379, run uv sync --extra redis."


def text(default: str | None, is_valid: Callable[[str], object] = bool, error: str = "") -> ma.fields.String:
    def validate(value: str) -> None:
        try:
            valid = is_valid(value)
        except (ValueError, AssertionError, ConfigurationError) as problem:
            raise ma.ValidationError(error or str(problem)) from problem
        if not valid:
            raise ma.ValidationError(error)

    return ma.fields.String(load_default=default, validate=validate)


def choice(first: str, second: str, default: str | None = None) -> ma.fields.String:
    error = f"is not {first} or {second}. Set it to {first}."
    return ma.fields.String(load_default=default, validate=ma.validate.OneOf((first, second), error=error))


def number(default: int, minimum: int, maximum: int) -> ma.fields.Integer:
    error = f"is not a number from {minimum} to {maximum}. Set it to {default}."
    valid = ma.validate.Range(minimum, maximum, error=error)
    return ma.fields.Integer(load_default=default, validate=valid, error_messages={"invalid": error})


def rate_limit(default: str) -> ma.fields.String:
    error = f"is not a rate limit. Set it to {default}."
    return text(default, lambda value: all(limit.amount for limit in parse_many(value)), error)


def is_weak_key(key: str) -> bool:
    placeholder = "change|secret|placeholder|example"
    return len(key) < 32 or len(set(key)) < 8 or bool(re.search(placeholder, key.lower()))


def split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def is_origin(url: str) -> bool:
    return not origin_problem(url, credentials=False)


def is_storage(uri: str) -> bool:
    return not uri.startswith("async") and bool(storage_from_string(uri))


class SettingsSchema(ma.Schema):
    """Define each setting with its default. An error message is printed after the name and the value."""

    APP_ENV = choice("development", "production", default="production")
    SECRET_KEY = ma.fields.String(required=True, error_messages={"required": f"is not set. {NEW_KEY}"})
    SECRET_KEY_FALLBACKS = text("")
    FRONTEND_ORIGINS = text("")  # checked with the policies
    FRONTEND_DIST = text("frontend/dist")
    DATABASE_URL = text(f"sqlite:///{PACKAGE}.sqlite", parse_database_url)
    CROSS_SITE_COOKIES = choice("0", "1", default="0")
    API_URL = text(None, is_origin, ORIGIN)
    FRONTEND_URL = text(None, is_origin, ORIGIN)
    LOGIN_LIMIT = rate_limit("60 per minute")
    LOGIN_ACCOUNT_LIMIT = rate_limit("10 per minute")
    RATELIMIT_STORAGE_URI = text("memory://", is_storage, STORAGE)
    LOG_FORMAT = choice("plain", "json")
    TRUSTED_PROXIES = number(0, 0, 16)
    TRUSTED_HOSTS = text("", lambda names: all(map(HOST_NAME.fullmatch, split(names))), HOSTS)
    HOST = text("127.0.0.1", lambda host: "%" not in host and ip_address(host), ADDRESS)
    PORT = number(8000, 1, 65535)
    WORKERS = number(min(os.cpu_count() or 1, 256), 1, 256)
    THREADS = number(4, 1, 256)
    MAX_CONTENT_LENGTH = number(1024 * 1024, 1024, 1024**3)  # bytes
    DOCS = choice("0", "1")
    REGISTRATION = choice("0", "1")  # whether anyone can sign up

    @ma.validates_schema(skip_on_field_errors=False)
    def check_combinations(self, data: dict[str, Any], **_: Any) -> None:
        problems = {}
        if data.get("APP_ENV") == "development" and data.get("CROSS_SITE_COOKIES") == "1":
            problems["CROSS_SITE_COOKIES"] = ["needs https, which development does not have. Set it to 0."]
        if data.get("APP_ENV") == "production":
            old_keys = split(data["SECRET_KEY_FALLBACKS"])
            keys = {"SECRET_KEY": [data.get("SECRET_KEY", "")], "SECRET_KEY_FALLBACKS": old_keys}
            problems = {name: [WEAK_KEY] for name in keys if any(map(is_weak_key, keys[name]))}
            origins = re.sub(r"(?i)http://localhost:\d+", "https://app.example.com", data["FRONTEND_ORIGINS"])
            secure = re.sub("(?i)http:", "https:", origins)
            if secure != data["FRONTEND_ORIGINS"]:
                app = " In an app, set useHttpsScheme (Tauri) or androidScheme (Capacitor)."
                sentence = f"is not secure in production. Set it to {secure}." + app * ("localhost" in secure)
                problems["FRONTEND_ORIGINS"] = [sentence]
        if problems:
            raise ma.ValidationError(problems)


def load(settings: Mapping[str, str] | None = None, *, debug: bool = False) -> dict[str, Any]:
    """Return Flask's configuration, or raise SettingsError with one sentence for each problem."""
    given = {n: v for n, v in (environment.read_settings() if settings is None else settings).items() if v}
    problems = {}
    try:
        values = SettingsSchema(unknown=ma.EXCLUDE).load(given)
    except ma.ValidationError as error:
        problems = error.messages_dict
    if debug and given.get("APP_ENV", "production") == "production":
        problems["FLASK_DEBUG"] = ["is on in production. Start without --debug, and set FLASK_DEBUG=0."]
    if problems:
        shown = {name: f"={given[name]!r:.60}" for name in problems.keys() & given.keys() - SECRETS}
        lines = [f"  - {name}{shown.get(name, '')} {problems[name][0]}" for name in problems]
        raise SettingsError("\n".join(["the settings cannot be used:", *lines]))
    return get_flask_config(values)


def get_flask_config(values: dict[str, Any]) -> dict[str, Any]:
    production, storage = values["APP_ENV"] == "production", values["RATELIMIT_STORAGE_URI"]
    origins, frontend_url = values["FRONTEND_ORIGINS"], values["FRONTEND_URL"]
    if frontend_url and not production and split(origins) not in ([], ["none"]):
        origins += f",{frontend_url}" * (frontend_url not in split(origins))
    return values | {
        "PRODUCTION": production,
        "SECRET_KEY_FALLBACKS": split(values["SECRET_KEY_FALLBACKS"]),  # cookies signed with them stay valid
        "FRONTEND_DIST": str(environment.ROOT / values["FRONTEND_DIST"]),
        "FRONTEND_ORIGINS": origins,
        "FRONTEND_URL": frontend_url or "http://localhost:5173",
        "API_URL": values["API_URL"] or ("" if production else "http://localhost:8000"),
        "LOG_FORMAT": values["LOG_FORMAT"] or ("json" if production else "plain"),
        "DOCS": (values["DOCS"] or str(int(not production))) == "1",
        "REGISTRATION": (values["REGISTRATION"] or str(int(not production))) == "1",
        # seconds: if Redis does not answer by then, the limiter counts in memory
        "RATELIMIT_STORAGE_OPTIONS": {"socket_timeout": 1} if storage.startswith("redis") else {},
        "RATELIMIT_KEY_PREFIX": PACKAGE,
        "HOST_NAMES": tuple(split(values["TRUSTED_HOSTS"].lower())),
        "TRUSTED_HOSTS": None,  # Flask's own check would refuse health checks by IP address
        "MAX_JSON_LENGTH": 128 * 1024,  # a note of maximum length has 120 KiB if every character is escaped
        "SESSION_REFRESH_EACH_REQUEST": False,  # the database stores the expiry
        "PERMANENT_SESSION_LIFETIME": timedelta(days=7),
        # __Host-: no other host can set it. Not Secure in development: WebKit requires https for that
        "SESSION_COOKIE_NAME": ("__Host-" if production else "") + f"{PACKAGE}_session",
        "SESSION_COOKIE_SECURE": production,
        "SESSION_COOKIE_SAMESITE": "None" if values["CROSS_SITE_COOKIES"] == "1" else "Lax",
        "SESSION_COOKIE_PARTITIONED": values["CROSS_SITE_COOKIES"] == "1",
        "API_TITLE": TITLE,
        "API_VERSION": "1.0",
        "OPENAPI_VERSION": "3.1.0",
        "OPENAPI_URL_PREFIX": "/api",
        "API_SPEC_OPTIONS": {
            "info": {"description": "A Flask API with a CORS policy for each blueprint"},
            "servers": [{"url": ".."}],  # relative to /api/openapi.json, for a path prefix
        },
    }
