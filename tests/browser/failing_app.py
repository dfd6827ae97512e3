"""The generated project with an additional view that fails. The Python of the project runs it.

`flask --app "failing_app.py:create_app('my_lab_api')" run`
"""

import importlib
from typing import Any


def fails() -> None:
    """Raise an error."""
    raise RuntimeError("a mistake in a view")


def create_app(package: str) -> Any:
    """Create the application of a package, with `POST /api/auth/fails` in its blueprint auth."""
    importlib.import_module(f"{package}.auth").auth.add_url_rule("/fails", view_func=fails, methods=["POST"])
    return importlib.import_module(package).create_app()
