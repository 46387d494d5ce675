"""The command line ``scriptrunner``: one command per file, loaded when it is used."""

import importlib
from collections.abc import Sequence
from typing import NamedTuple

import click

from scriptrunner import __version__


class Place(NamedTuple):
    """Where a command lives, and the line that ``--help`` shows without loading it."""

    module: str
    name: str
    words: str


#: In the order of the help page.
COMMANDS = {
    "serve": Place("serve", "serve", "Serve the API and the dashboard."),
    "run": Place("client", "run", "Run a script and follow its output."),
    "ps": Place("client", "ps", "List runs."),
    "logs": Place("client", "logs", "Print what a run wrote."),
    "stop": Place("client", "stop", "Ask a run to end."),
    "kill": Place("client", "kill", "End all processes of a run at once."),
    "task": Place("tasks", "task", "Make, look at and run scheduled tasks."),
    "token": Place("tokens", "token", "Make, list and revoke access tokens."),
    "advisories": Place(
        "advisories", "advisories", "Fetch and show the list of known vulnerabilities."
    ),
}


class LazyGroup(click.Group):
    """A group whose commands are imported only when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's name
        """Return the names of all commands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Load a command."""
        place = COMMANDS.get(cmd_name)
        if place is None:
            return None
        module = importlib.import_module(f"scriptrunner.cli.{place.module}")
        command: click.Command = getattr(module, place.name)
        return command

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's name
        formatter: click.HelpFormatter,
    ) -> None:
        """Write the list of commands from the table."""
        with formatter.section("Commands"):
            formatter.write_dl(
                [(name, place.words) for name, place in COMMANDS.items()]
            )


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="Script Runner")
def cli() -> None:
    """Run Python scripts through Script Runner, and keep every run.

    `serve` starts the service; the other commands talk to a running one, at the address
    in WEBAPI_URL (http://127.0.0.1:9000), with the token in WEBAPI_TOKEN if it needs one.
    """


def main(args: Sequence[str] | None = None, *, program: str = "scriptrunner") -> int:
    """Run the command line and return its exit code.

    Args:
        args: Arguments without the program's name; by default those of the process.
        program: Name shown in help texts.
    """
    try:
        result = cli.main(
            args=None if args is None else list(args),
            prog_name=program,
            standalone_mode=False,
        )
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.exceptions.Abort:
        return 130
    except click.ClickException as error:
        error.show()
        return error.exit_code
    return result if isinstance(result, int) else 0
