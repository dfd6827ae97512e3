"""Find the browsers of this machine."""

import os
import shutil
from pathlib import Path
from typing import Any

from playwright.sync_api import Playwright

# the environment variable, the system programs, and the launch options for a system program
BROWSERS: dict[str, tuple[str, list[str], dict[str, str]]] = {
    "chromium": ("CHROMIUM", ["chromium", "chromium-browser", "google-chrome"], {}),
    "firefox": ("FIREFOX", ["firefox-esr", "firefox"], {"channel": "moz-firefox"}),
    "webkit": ("WEBKIT", [], {}),
}


def launch_options(playwright: Playwright, name: str) -> dict[str, Any] | None:
    """Return the launch options of a browser: from the variable, from Playwright or from the system."""
    variable, programs, stock = BROWSERS[name]
    if named := os.environ.get(variable):
        return {**stock, "executable_path": named}
    if Path(getattr(playwright, name).executable_path).exists():
        return {}
    found = next(filter(None, map(shutil.which, programs)), None)
    return {**stock, "executable_path": found} if found else None
