"""Where settings come from: the environment, then `.env`, then a running dev.py."""

import os
import socket
from io import StringIO
from pathlib import Path
from urllib.parse import urlsplit

from dotenv import dotenv_values

from .errors import SettingsError

SOURCE = Path(__file__).resolve().parent.parent
# `.env` and the database are beside the code, or in the folder that an installed package is started in
ROOT = SOURCE if (SOURCE / "pyproject.toml").exists() else Path.cwd()


def read_settings() -> dict[str, str | None]:
    """Return every setting that is written anywhere."""
    file = ROOT / ".env"
    try:
        written = file.read_text("utf-8") if file.exists() else ""
    except (OSError, UnicodeDecodeError) as error:
        fix = "Copy .env.example to .env, and save it as UTF-8."
        raise SettingsError(f"{file} cannot be read ({error}). {fix}") from error
    settings = dotenv_values(stream=StringIO(written)) | os.environ
    return read_addresses() | settings if settings.get("APP_ENV") == "development" else settings


def read_addresses() -> dict[str, str | None]:
    """Return API_URL and FRONTEND_URL of a running dev.py: no API listens if its file was left behind."""
    found = dotenv_values(ROOT / "instance" / "dev.env")
    try:
        socket.create_connection(("localhost", urlsplit(found.get("API_URL")).port or 0), timeout=1).close()
    except OSError:
        return {}
    return found


def find_setting(name: str) -> str:
    """Return where a setting comes from: `flask` copies `.env` into the environment, which wins."""
    value = os.environ.get(name)
    return ".env" if value in (None, dotenv_values(ROOT / ".env").get(name)) else "environment"
