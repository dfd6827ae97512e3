"""`python -m crossorigin explain METHOD URL --origin …`: explain a request to any API."""

from .doctor.cli import commands

commands(prog_name="python -m crossorigin")
