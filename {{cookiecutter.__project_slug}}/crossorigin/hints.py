"""Words and facts about an application, for the messages and warnings of `crossorigin`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Flask


@dataclass(frozen=True)
class Hints:
    """What messages and warnings need to know. Every field has a neutral default."""

    settings_file: str = "the application's configuration"  # where people write settings, for example ".env"
    settings_code: str = "the code that fills app.config"  # what copies settings to app.config
    start_command: str = "flask run"  # what starts the application
    frontend_url: str | None = None  # the address of the front end in development
    api_url: str | None = None  # the address at which front ends call the API
    port: int | None = None  # the API's port on this machine
    hosts: Sequence[str] = ()  # more hosts of the API, ".example.com" includes its subdomains
    production: bool = True  # whether the rules of production apply
    one_origin: bool = False  # whether a proxy gives front end and API one origin
    api_url_setting: str | None = None  # the setting that holds `api_url`
    cross_site_setting: str | None = None  # the line that allows the session cookie from other sites
    frontend_api_url_setting: str | None = None  # the front end's setting for the API's address
    is_guarded: Callable[[str], bool] | None = None  # whether the view of an endpoint requires a sign-in
    # returns headers for the response to a preflight, from its WSGI environment
    mark_preflight: Callable[[dict[str, Any]], list[tuple[str, str]]] | None = None
    sign_in: Callable[[Flask, str], str] | None = None  # the Cookie header of a user, for `explain --as`
    find_setting: Callable[[str], str] | None = None  # where a setting is: `settings_file` or "environment"
