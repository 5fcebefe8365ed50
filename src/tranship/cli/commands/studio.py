"""``tranship studio``."""

from __future__ import annotations

import getpass
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

import click

from tranship.cli.context import WholeNumber, databases, results
from tranship.cli.exit_status import WRONG_OR_UNREACHED, exits

if TYPE_CHECKING:
    from tranship.config import Config
    from tranship.studio.people import Person
    from tranship.studio.runs import RunOptions


class Given(TypedDict):
    """The options as they are given."""

    prefix: str | None
    results_dir: str
    resolutions: str | None
    port: int
    invitations: tuple[str, ...]
    allow_live: bool


_EXITS = {
    2: WRONG_OR_UNREACHED,
    3: "refused: a privilege is missing, or the resolutions file has entries that cannot be kept",
    130: "ended by Ctrl-C; by SIGTERM it is 143",
}


@click.command(no_args_is_help=True, epilog=exits(_EXITS))
@databases
@results
@click.option(
    "--resolutions",
    metavar="FILE",
    help="File with the decisions.  [default: results/[P_]manual_resolutions.json]",
)
@click.option(
    "--port",
    type=WholeNumber(0, 65535),
    metavar="PORT",
    default=0,
    help="Port to listen on.  [default: a free one]",
)
@click.option(
    "--invite",
    "invitations",
    multiple=True,
    metavar="ROLE:NAME",
    help="Print one more link, for an editor or an approver; repeatable.",
)
@click.option("--allow-live", is_flag=True, help="Let approvers start live runs from the page.")
def command(config: tuple[str, ...], **given: Unpack[Given]) -> None:
    """Answer the questions about the databases of CONFIG on a page of this machine: with evidence, values of
    rows, and what an answer makes of ten real rows. Both servers read an expression or a value that a person
    gives before it is saved, once it is decided where the rows of its table go, and what one of them refuses
    is saved only on demand.

    It listens on the loopback (127.0.0.1) and sends nothing anywhere. Each person gets an own link that works
    once; others come through an SSH tunnel that keeps the port. Without a changes file it runs `analyze`
    first, and without a resolutions file `resolve generate`. It needs the extra `studio`.
    """
    from tranship.cli.loop import run
    from tranship.cli.start import load
    from tranship.cli.terminal import say

    serve, options_of = _libraries()
    invited = _invited(given["invitations"])
    loaded = load(config)
    changes, decisions = run(lambda _: _files(loaded, given))
    options = options_of(
        config=config,
        resolutions=decisions,
        changes=changes,
        results_dir=given["results_dir"],
        prefix=given["prefix"],
        new_database=loaded.new.database,
        allow_live=given["allow_live"],
    )

    def tell(person: Person, link: str) -> None:
        say(f"{person.role.value} {person.name}: {link}")

    say("Each link works once. Ctrl-C ends the studio; a run that it started goes on.")
    run(lambda _: serve(loaded, options, invited, given["port"], tell))


def _libraries() -> tuple[Callable[..., Any], Callable[..., RunOptions]]:
    """Returns what serves the page, and what makes its options.

    Raises:
        UsageError: the extra is not installed.
    """
    from tranship.errors import UsageError
    from tranship.errors.codes.studio import NoStudio

    try:
        from tranship.studio.runs import RunOptions
        from tranship.studio.serve import serve
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing == "tranship":
            raise
        raise UsageError(NoStudio(missing)) from None
    return serve, RunOptions


def _invited(invitations: tuple[str, ...]) -> list[Person]:
    """Returns who gets a link: whoever starts the studio, and those who are invited.

    Raises:
        UsageError: an invitation names no role.
    """
    from tranship.errors import UsageError
    from tranship.errors.codes.studio import WrongInvitation
    from tranship.studio.people import Person, Role

    people = [Person(getpass.getuser(), Role.APPROVER)]
    for given in invitations:
        role, _, name = given.partition(":")
        if role not in (one.value for one in Role) or not name.strip():
            raise UsageError(WrongInvitation(given))
        people.append(Person(name.strip(), Role(role)))
    return people


async def _files(config: Config, given: Given) -> tuple[Path, Path]:
    """Returns the changes file and the resolutions file; those that do not exist yet are made."""
    from tranship import api
    from tranship.cli.terminal import note
    from tranship.codec import write_json

    prefix, results_dir, resolutions = given["prefix"], given["results_dir"], given["resolutions"]
    changes = api.result_path(results_dir, prefix, "migration_changes.json")
    if not changes.exists():
        note(f"comparing the two databases; the changes are written to {changes}")
        await api.analyze(config, prefix=prefix, results_dir=results_dir)
    usual = api.result_path(results_dir, prefix, "manual_resolutions.json")
    path = Path(resolutions) if resolutions is not None else usual
    if path == usual and not path.exists():
        await api.suggest(changes, prefix=prefix, results_dir=results_dir)
    if not path.exists():
        # Nothing is open; decisions can be added to the file.
        write_json(path, {"resolutions": {}}, replace=False)
    return changes, path
