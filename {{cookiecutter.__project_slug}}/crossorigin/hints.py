"""What an application tells `crossorigin` about itself: words for messages, and facts for warnings."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Flask


@dataclass(frozen=True)
class Hints:
    """What messages and warnings need to know; every field has a neutral default.

    Attributes:
        settings_file: where people write settings, for example ".env".
        start_command: what starts the application, for example "uv run dev.py".
        frontend_url: the address of the front end in development.
        api_url: the address at which front ends call the API.
        production: whether these are production's rules.
        one_origin: whether front end and API have one origin, because of a proxy.
        api_url_setting: the setting that holds `api_url`.
        cross_site_setting: the line that lets the session cookie go to other sites.
        frontend_api_url_setting: the front end's setting that holds the address of the API.
        is_guarded: tells whether the view of an endpoint requires a signed-in user.
        mark_preflight: returns headers for the answer to a preflight, given its WSGI environment.
        sign_in: returns a client that is signed in as a user; for the command line alone.
    """

    settings_file: str = "the application's configuration"
    start_command: str = "flask run"
    frontend_url: str | None = None
    api_url: str | None = None
    production: bool = True
    one_origin: bool = False
    api_url_setting: str | None = None
    cross_site_setting: str | None = None
    frontend_api_url_setting: str | None = None
    mark_preflight: Callable[[dict[str, Any]], list[tuple[str, str]]] | None = None
    is_guarded: Callable[[str], bool] | None = None
    sign_in: Callable[[Flask, str], Any] | None = None
