"""`python -m {{ cookiecutter.__package }}`: serve with Granian, for production."""

import socket

import click
from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings

from . import create_production_app, logs


@click.command()
def main() -> None:
    """Start the production server."""
    app = create_production_app()  # here too: in a worker, an error would be a traceback
    host, port = app.config["HOST"], app.config["PORT"]
    try:
        # two Granian servers can share a port, and each would get some of the requests
        socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET).close()
    except OSError as error:
        message = f"cannot listen on HOST={host}, PORT={port}: {error.strerror}. Set another HOST or PORT."
        raise click.ClickException(message) from error
    Granian(
        f"{__package__}:create_production_app",
        factory=True,
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        workers=app.config["WORKERS"],
        blocking_threads=app.config["THREADS"],
        backpressure=1024,  # connections of each worker, idle ones included
        http1_settings=HTTP1Settings(header_read_timeout=10_000, max_buffer_size=64 * 1024),
        respawn_failed_workers=True,
        workers_kill_timeout=20,  # seconds that a graceful shutdown waits for requests
        log_dictconfig=logs.get_granian_config(app.config["LOG_FORMAT"]),
    ).serve()


if __name__ == "__main__":
    main()
