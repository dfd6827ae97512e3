"""What an application tells `crossorigin` about itself: words for messages, and facts for warnings."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Flask


@dataclass(frozen=True)
class Hints:
    """What messages and warnings need to know; every field has a neutral default."""

    settings_file: str = "the application's configuration"  # where people write settings, for example ".env"
    settings_code: str = "the code that fills app.config"  # what passes settings on
    start_command: str = "flask run"  # what starts the application
    frontend_url: str | None = None  # the address of the front end in development
    api_url: str | None = None  # the address at which front ends call the API
    port: int | None = None  # the API's port on this machine
    hosts: Sequence[str] = ()  # further hosts of the API, ".example.com" with those below it
    production: bool = True  # whether these are production's rules
    one_origin: bool = False  # whether front end and API have one origin, because of a proxy
    api_url_setting: str | None = None  # the setting that holds `api_url`
    cross_site_setting: str | None = None  # the line that lets the session cookie go to other sites
    frontend_api_url_setting: str | None = None  # the front end's setting for the API's address
    is_guarded: Callable[[str], bool] | None = None  # whether the view of an endpoint requires a sign-in
    # headers for the answer to a preflight, from its WSGI environment
    mark_preflight: Callable[[dict[str, Any]], list[tuple[str, str]]] | None = None
    sign_in: Callable[[Flask, str], str] | None = None  # the Cookie header of a user, for `explain --as`
    find_setting: Callable[[str], str] | None = None  # where it is set: `settings_file` or "environment"
