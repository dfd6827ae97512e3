"""`python -m {{ cookiecutter.__package }}`: serve with Granian, for production."""

import os
import sys

from . import create_app
from .errors import StartupError


def main() -> None:
    """Start the server, or say in words why the settings or policies do not allow it."""
    try:
        # once here, so that a refusal is a sentence and not the traceback of a worker
        config = create_app().config
    except StartupError as error:
        sys.exit(f"Error: {error.format_message()}")
    from granian import Granian
    from granian.constants import Interfaces

    Granian(
        f"{__package__}:create_app",
        factory=True,
        interface=Interfaces.WSGI,
        address=config["HOST"],
        port=config["PORT"],
        workers=os.cpu_count() or 1,
        blocking_threads=4,  # one would let a sign-in's hash block everybody; hundreds, the database
    ).serve()


if __name__ == "__main__":
    main()
