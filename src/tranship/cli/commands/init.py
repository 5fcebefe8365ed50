"""``tranship init``."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

import click

from tranship.cli.context import CliContext, answering
from tranship.cli.exit_status import exits

if TYPE_CHECKING:
    from tranship.api import Ping
    from tranship.model.resolution import Problem

_WAYS = "pgpass, variable:NAME or command:LINE"
_URL = "postgresql://user@host:5432/database"
_OTHER_ROLE = (
    "Repeat this command after a change of the server,"
    " or with another user in the URL or another source of the password in it"
)
_OTHER_DATABASE = "Write the right name of the database into the URL of this command"


class Given(TypedDict):
    """The options as they are given."""

    old: str | None
    new: str | None
    old_password: str | None
    new_password: str | None
    old_schema: tuple[str, ...]
    new_schema: tuple[str, ...]
    connect: bool


def _checked_url(text: str) -> str:
    from tranship.config import config_from_urls
    from tranship.errors import UsageError
    from tranship.errors.codes.configuration import PasswordOnCommandLine, VariableNotSet

    try:
        config_from_urls(text, text)
    except UsageError as error:
        if error.code == PasswordOnCommandLine.code:
            raise click.BadParameter(
                "the URL holds a password. Leave it out: where it comes from is a setting of its own"
            ) from None
        if error.code != VariableNotSet.code:
            raise click.BadParameter(f"{error.message.partition(': ')[2]}; {error.hint}") from None
    return text


def _checked_way(text: str) -> str:
    kind, _, what = text.partition(":")
    if text == "pgpass" or (kind in ("variable", "command") and what):
        return text
    raise click.BadParameter(f"one of {_WAYS}; never the password itself")


def _url(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    return None if value is None else _checked_url(value)


def _way(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    return None if value is None else _checked_way(value)


_EXITS = {
    0: "the configuration is written; what stands in the way of a run is named",
    2: "nothing is written: a wrong answer, a file that exists, or a server or database that is not reached",
}


@click.command(epilog=exits(_EXITS))
@click.argument("output", type=click.Path(path_type=Path), default=Path("config/my-config.json"))
@click.option("--old", metavar="URL", callback=_url, help=f"OLD as {_URL}, without a password.")
@click.option("--new", metavar="URL", callback=_url, help="NEW in the same form.")
@click.option(
    "--old-password", metavar="WHERE", callback=_way, help=f"Where OLD's password comes from: {_WAYS}."
)
@click.option("--new-password", metavar="WHERE", callback=_way, help="The same for NEW.")
@click.option("--old-schema", metavar="NAME", multiple=True, help="Only this schema of OLD; repeatable.")
@click.option("--new-schema", metavar="NAME", multiple=True, help="Only this schema of NEW; repeatable.")
@click.option("--connect/--no-connect", default=True, show_default=True, help="Try both connections first.")
@answering
@click.pass_context
def command(context: click.Context, output: Path, **given: Unpack[Given]) -> None:
    """Ask for the two databases, try to connect, and write a configuration to OUTPUT, by default
    config/my-config.json.

    What an option answers is not asked. A password is neither asked for nor written: the file says where it
    comes from.
    """
    from tranship import api
    from tranship.cli.loop import run
    from tranship.codec import write_json
    from tranship.config import config_from_values
    from tranship.errors import UsageError
    from tranship.errors.codes.runs import SameDatabase
    from tranship.errors.codes.usage import FileThere
    from tranship.model.options import command_line

    # Asked before anything else: nobody wants to answer questions for nothing.
    if output.exists():
        raise UsageError(FileThere(output))
    for way in (given["old_password"], given["new_password"]):
        _refuse_unset(context, given, way, ())
    call = context.ensure_object(CliContext)
    words = [str(output)]
    values = {f"{side}_database": _side(context, side, given, words) for side in ("old", "new")}
    found = None
    if given["connect"]:
        config = config_from_values(values)
        found = run(lambda _: api.ping(config))
        grave = [one for one in found.problems if one.code < "TS3" or one.code == SameDatabase.code]
        if grave:
            raise UsageError(
                [_unwritten(one, command_line(call.invocation, "init", *words)) for one in grave]
            )
    try:
        write_json(output, values, replace=False)
    except FileExistsError:
        raise UsageError(FileThere(output)) from None
    _tell(call, str(output), found)


def _unwritten(problem: Problem, again: str) -> Problem:
    """Returns what keeps a connection from being made, with the command that gives the same answers again,
    and with what to change in it where the answers may be wrong.
    """
    from msgspec.structs import replace

    from tranship.errors.codes.connection import AuthenticationFailed, NoDatabase

    # An answer that the server refuses is refused again, so the command alone would not help.
    changes = {AuthenticationFailed.code: _OTHER_ROLE, NoDatabase.code: _OTHER_DATABASE}
    change = changes.get(problem.code, "With the same answers")
    way = f"nothing is written (--no-connect writes it all the same). {change}: {again}"
    return replace(problem, hint=f"{problem.hint}; {way}" if problem.hint else way)


def _side(context: click.Context, side: str, given: Given, words: list[str]) -> dict[str, object]:
    """Returns what the configuration says of one side; what no option says is asked. The options that say the
    same are appended to ``words``.
    """
    name = side.upper()
    url, way, schemas = (
        (given["old"], given["old_password"], given["old_schema"])
        if side == "old"
        else (given["new"], given["new_password"], given["new_schema"])
    )
    if url is None:
        _refuse_without_terminal(context, f"--{side}")
        url = click.prompt(f"{name} database, as {_URL}", value_proc=_checked_url, err=True)
        if way is None:
            question = f"Where {name}'s password comes from: {_WAYS}"
            way = click.prompt(question, default="pgpass", value_proc=_checked_way, err=True)
    words += [f"--{side}", str(url), f"--{side}-password", way or "pgpass"]
    words += [word for schema in schemas for word in (f"--{side}-schema", schema)]
    _refuse_unset(context, given, way, words)
    kind, _, what = (way or "pgpass").partition(":")
    secret = {"variable": {"password": f"${{{what}}}"}, "command": {"password_command": what}}.get(kind, {})
    return {"url": url, **secret, **({"schema": list(schemas)} if schemas else {})}


def _refuse_unset(context: click.Context, given: Given, way: str | None, words: Sequence[str]) -> None:
    """Refuses a variable that is not set, before more is asked: no connection could be tried with it.
    ``words`` are the answers so far.
    """
    from tranship.model.options import command_line

    kind, _, name = (way or "").partition(":")
    if given["connect"] and kind == "variable" and name not in os.environ:
        message = f"the environment variable {name} is not set: export {name}=…, or give --no-connect"
        invocation = context.ensure_object(CliContext).invocation
        again = f"; then, with the same answers: {command_line(invocation, 'init', *words)}" if words else ""
        raise click.UsageError(message + again, context)


def _refuse_without_terminal(context: click.Context, option: str) -> None:
    if not sys.stdin.isatty():
        raise click.UsageError(f"give {option} URL: nobody can be asked without a terminal", context)


def _tell(call: CliContext, output: str, found: Ping | None) -> None:
    from tranship.cli.answer import answer_json
    from tranship.cli.terminal import say
    from tranship.cli.trouble import listed
    from tranship.model.options import command_line

    problems = () if found is None else found.problems
    if call.json:
        answer_json(call, {"config_file": output}, problems=problems)
        return
    grave = dict.fromkeys(problem.code for problem in problems if not problem.warning)
    tried = "was not tried" if found is None else "works"
    if grave:
        tried += f", and what is listed below stands in the way of a live run ({', '.join(grave)})"
    following = "ping" if found is None or grave else "analyze"
    command = command_line(call.invocation, following, os.path.normpath(output))
    say(f"Configuration written to {output}; the connection {tried}. Next: {command}")
    for line in listed(problems):
        say(line)
