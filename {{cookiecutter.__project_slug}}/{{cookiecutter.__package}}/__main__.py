"""`python -m {{ cookiecutter.__package }}`: serve with Granian, for production."""

import contextlib
import socket
import sys

import click
from crossorigin import get_policies

from . import create_app


def main() -> None:
    """Start the server, or say in words why the settings or policies do not allow it."""
    try:
        # once here, so that a refusal is a sentence and not the traceback of a worker
        app = create_app()
        get_policies(app).check()
    except click.ClickException as error:
        sys.exit(f"Error: {error.format_message()}")
    host, port = app.config["HOST"], app.config["PORT"]
    with contextlib.suppress(OSError), socket.create_connection((host, port), timeout=1):
        # Granian would share the port with another Granian, and each would get some of the requests
        sys.exit(f"Error: port {port} is taken by another program; stop that one, or set PORT.")
    from .serve import Server

    Server(app.config).run()


if __name__ == "__main__":
    main()
