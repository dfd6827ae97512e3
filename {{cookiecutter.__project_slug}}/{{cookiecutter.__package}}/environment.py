"""Where settings come from: the environment, then `.env`, then a running dev.py."""

import os
import socket
from io import StringIO
from pathlib import Path
from urllib.parse import urlsplit

from dotenv import dotenv_values

from .errors import SettingsError

SOURCE = Path(__file__).resolve().parent.parent
# `.env` and the database are beside the code, or in the working directory of an installed package
ROOT = SOURCE if (SOURCE / "pyproject.toml").exists() else Path.cwd()


def read_settings() -> dict[str, str | None]:
    """Return the settings of all sources."""
    file = ROOT / ".env"
    try:
        content = file.read_text("utf-8") if file.exists() else ""
    except (OSError, UnicodeDecodeError) as error:
        fix = "Copy .env.example to .env, and save it as UTF-8."
        raise SettingsError(f"{file} cannot be read ({error}). {fix}") from error
    settings = dotenv_values(stream=StringIO(content)) | os.environ
    return read_addresses() | settings if settings.get("APP_ENV") == "development" else settings


def read_addresses() -> dict[str, str | None]:
    """Return API_URL and FRONTEND_URL of a running dev.py. Ignore the file of one that was killed."""
    urls = dotenv_values(ROOT / "instance" / "dev.env")
    try:
        socket.create_connection(("localhost", urlsplit(urls.get("API_URL")).port or 0), timeout=1).close()
    except OSError:
        return {}
    return urls


def find_setting(name: str) -> str:
    """Return the source of a setting. Compare values, because `flask` copies `.env` into the environment."""
    value = os.environ.get(name)
    return ".env" if value in (None, dotenv_values(ROOT / ".env").get(name)) else "environment"
