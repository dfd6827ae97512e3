"""`flask cors`, known to Flask before the application is: so it can tell why the application does not start.

It stands beside the package, which Flask imports at each command: a slip of the pen in the package would
end `flask run --debug`, which else waits for the next change.
"""

import click


class Later(click.Group):
    """The commands of the package's `cors/cli.py`, imported when one is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return self._group().list_commands(ctx)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return self._group().get_command(ctx, cmd_name)

    def _group(self) -> click.Group:
        from {{ cookiecutter.__package }}.cors.cli import commands

        return commands


cors = Later("cors", help="Which pages may call this API, and why a request is blocked.")
