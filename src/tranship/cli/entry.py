"""Where the program begins and ends: it finds the command, and turns every failure into a message and an exit
status.
"""

from __future__ import annotations

import importlib
import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tranship import __version__
from tranship.cli.exit_status import rows

if TYPE_CHECKING:
    from tranship.cli.context import CliContext

COMMANDS = {
    "init": "Ask for the two databases, try to connect, and write a configuration.",
    "ping": "Connect to both databases and show versions, privileges, clocks and latency.",
    "analyze": "Compare the two databases, read-only, and report every change.",
    "resolve": "Write, answer or check the file with your decisions.",
    "studio": "Answer the questions on a page of this machine (needs the extra 'studio').",
    "preview": "Show ten rows of every table, before and after; it shows values and writes nothing.",
    "migrate": "Copy the rows from OLD to NEW: a dry run, unless --live.",
    "verify": "Compare what runs brought into NEW with what OLD's rows became, at any time after them.",
    "status": "Show how far the runs into NEW are.",
    "report": "Write the page of a run: rejected rows by cause, timeline, verification, certificate.",
    "doctor": "Show triggers, keys and indexes that a crashed run left disabled; --restore enables them.",
    "rollback": "Delete exactly the rows that a run wrote: a preview, unless --live.",
    "purge": "Remove the journal from NEW once every run is finished.",
    "schema": "JSON Schema of a file, for editors.",
    "explain": "Explain what an error code means and what to do about it.",
    "completion": "Print the script that completes commands and options in a shell.",
    "demo": "Run the whole workflow on two temporary servers with generated data.",
}
"""Sub-commands and their line in the help, which needs no import of their modules."""

_MANUAL = Path(__file__).resolve().parent.parent / "manual" / "index.html"
"""The manual as a site; a release has it, a checkout only after ``dev.py docs``."""
_PIPE_CLOSED = 141
"""128 and SIGPIPE, as shells give it: a command that only reads ends when nobody reads its answer."""
_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 120}


class _Commands(click.Group):
    """A group that imports the module of a command when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return load(cmd_name) if cmd_name in COMMANDS else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))
        with formatter.section("Exit status"):
            formatter.write_dl(rows())
        if _MANUAL.is_file():
            formatter.write(f"\nManual: {_MANUAL.as_uri()}\n")

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from tranship.codec import nearest

            near = nearest(args[0], COMMANDS)
            raise click.UsageError(
                f"no such command: {args[0]!r}" + (f" (did you mean {near!r}?)" if near else ""), ctx
            )
        return super().resolve_command(ctx, args)


def load(name: str) -> click.Command:
    """Returns the command of ``commands/<name>.py``."""
    # One module per call: importing all of them would take most of the 200 ms that --help may take.
    command = importlib.import_module(f"tranship.cli.commands.{name}").command
    assert isinstance(command, click.Command)
    return command


@click.group(cls=_Commands, context_settings=_SETTINGS)
@click.version_option(__version__, prog_name="tranship", message="%(prog)s %(version)s")
def _root() -> None:
    """Move the data of an old PostgreSQL database into a new one whose schema differs.

    No row of yours is written or deleted without --live; `purge` removes tranship's own record of finished
    runs. Compare with `analyze`, decide with `resolve`, read a dry run of `migrate`, then run it with --live.
    """


def main() -> int:
    """Runs the ``tranship`` command and returns the exit status."""
    from tranship.cli.context import command_of

    return _run(_root, sys.argv[1:], "tranship", ("tranship", command_of(sys.argv[1:], COMMANDS)))


def script(command: str) -> int:
    """Runs one command under the name of its classic script and returns the exit status."""
    folder, name = os.path.split(sys.argv[0])
    invocation = f"python {shlex.quote(folder or '.')}"
    from tranship.cli.respelled import respelled

    group = respelled(load(command), invocation, COMMANDS)
    group.context_settings = {**group.context_settings, **_SETTINGS}
    from tranship.cli.context import command_of

    named = command_of([command, *sys.argv[1:]], COMMANDS)
    return _run(group, sys.argv[1:], f"python {Path(folder, name)}", (invocation, named))


def _run(command: click.Command, arguments: list[str], program: str, called: tuple[str, str]) -> int:
    """Runs a command; ``called`` is the invocation and the command's name."""
    from tranship.cli.context import CliContext, wants_json

    invocation, name = called
    form = "json" if wants_json(arguments) else "text"
    call = CliContext(arguments=tuple(arguments), invocation=invocation, command=name, form=form)
    try:
        status = command.main(arguments, prog_name=program, standalone_mode=False, obj=call)
    except SystemExit:
        # click itself ends the process only where a pipe was closed: with 1, which means "rejects" here.
        status = _PIPE_CLOSED
    except Exception as error:  # noqa: BLE001 - the last resort: Python's own status 1 would mean "rejects"
        status = _failed(error, call)
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes stdout once more when it ends; without this it would complain there.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return status if isinstance(status, int) else 0


def _failed(error: Exception, call: CliContext) -> int:
    """Prints what went wrong and returns the exit status: 130 for Ctrl-C and 141 for a closed pipe, as shells
    give them.
    """
    from tranship.cli.trouble import tell, tell_unforeseen, tell_usage
    from tranship.errors import TranshipError

    if isinstance(error, click.exceptions.Exit):
        return error.exit_code
    if isinstance(error, click.ClickException):
        return tell_usage(error, call)
    if isinstance(error, click.Abort):
        return 130
    if isinstance(error, TranshipError):
        return tell(error, call)
    if isinstance(error, BrokenPipeError):
        return _PIPE_CLOSED
    return tell_unforeseen(error, call)
