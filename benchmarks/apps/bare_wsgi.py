"""A WSGI function with a constant response to preflights. It shows the limit of the server."""

from collections.abc import Callable
from typing import Any

HEADERS = [
    ("Access-Control-Allow-Origin", "https://app.example.com"),
    ("Access-Control-Allow-Credentials", "true"),
    ("Access-Control-Allow-Methods", "DELETE, GET, HEAD, PATCH, POST, PUT"),
    ("Access-Control-Allow-Headers", "Content-Type, If-Match"),
    ("Access-Control-Max-Age", "600"),
    ("Vary", "Origin"),
]


def create_app() -> Callable[..., list[bytes]]:
    """Return the WSGI function, for servers that need a factory."""

    def app(_environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        start_response("204 No Content", HEADERS)
        return []

    return app
