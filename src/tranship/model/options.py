"""The options of a run, and the command lines that messages tell people to run next."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from enum import StrEnum
from pathlib import PurePath

from msgspec import Struct

from tranship.model.visible import shell_word


class RebuildIndexes(StrEnum):
    """Whether indexes of NEW are removed before a load and rebuilt after it."""

    AUTO = "auto"
    """Where it pays."""
    NEVER = "never"
    ALWAYS = "always"
    """Wherever it is safe."""


class Verify(StrEnum):
    """How a run proves that NEW holds what OLD's rows become."""

    OFF = "off"
    """Not at all, beyond the counts that every run keeps."""
    COUNTS = "counts"
    """By the number of rows that each transaction of the run left in NEW."""
    HASH = "hash"
    """By the hashes of all rows, each side's by its own server where both print values alike."""
    FULL = "full"
    """By the hashes of all rows, with every value sent to NEW once more and printed there."""


class NewSnapshot(StrEnum):
    """Which tables to read from a new snapshot of OLD when the run's own is lost."""

    UNFINISHED = "unfinished"
    ALL = "all"


_SCRIPTS = {
    "analyze": "db_migration_tool.py",
    "resolve": "manual_resolutions.py",
    "migrate": "data_migrator.py",
}


def command_line(invocation: str, command: str, *arguments: str) -> str:
    """Returns a command to copy into a shell, in the way in which this program was called.

    Args:
        invocation: ``tranship``, or how the classic scripts are called: ``python scripts``.
        command: ``migrate``, ``resolve generate``, ``status`` …
        arguments: what follows; each is quoted where a shell needs it.

    A command without a classic script is called as a module of the same checkout, because whoever calls the
    scripts need not have installed the package.
    """
    words = command.split()
    if invocation == "tranship":
        return _joined("tranship", *words, *arguments)
    if words[0] not in _SCRIPTS:
        package = os.path.normpath(PurePath(shlex.split(invocation)[1], "..", "src"))
        module = _joined("python", "-m", "tranship", *words, *arguments)
        return f"PYTHONPATH={shell_word(package)} {module}"
    return f"{invocation}/{_SCRIPTS[words[0]]} {_joined(*words[1:], *arguments)}".rstrip()


def pattern_words(only: Sequence[str], never: Sequence[str]) -> tuple[str, ...]:
    """Returns the options that choose the same tables again."""
    return tuple(
        word for option, given in (("-t", only), ("-T", never)) for name in given for word in (option, name)
    )


def _joined(*words: str) -> str:
    return " ".join(map(shell_word, words))


FIRST_OF_EACH_CAUSE = 10_000
"""Rejected rows of one cause of one table that a dry run writes, unless it is asked for all: they show what
is wrong, and a file with a million rows shows no more.
"""


REJECTS_ONLY = "--rejects-only"

_CHANGES = "migration_changes.json"


def naming_by(changes: str, prefix: str | None = None) -> tuple[str, ...]:
    """Returns the options of a command that follows the one which wrote a changes file: those under which
    this file is the default, else its path beside ``prefix``.
    """
    folder, name = os.path.split(os.path.normpath(changes))
    own = name.removesuffix(f"_{_CHANGES}") if name != _CHANGES else None
    if name not in (_CHANGES, f"{own}_{_CHANGES}") or prefix not in (None, own):
        return (*(("--prefix", prefix) if prefix else ()), "--changes-file", changes)
    return MigrateOptions(prefix=own, results_dir=folder or ".").naming


def naming(prefix: str | None, results_dir: str) -> tuple[str, ...]:
    """Returns the options that say where files lie and how they are named, for the next command."""
    named = ("--prefix", prefix) if prefix else ()
    return (*named, "--results-dir", results_dir) if results_dir != "results" else named


USUAL_BATCH = 50_000
"""Rows of a batch where nobody names a number."""


class MigrateOptions(Struct, frozen=True, kw_only=True):
    """Options of ``migrate``; paths are relative to the working directory."""

    live: bool = False
    """False: a dry run."""
    prefix: str | None = None
    """Goes before the names of all result files, with an underscore; None: ``migration``."""
    results_dir: str = "results"
    resolutions: str | None = None
    """Path of the file with a person's decisions; None: there are none."""
    changes_file: str | None = None
    """None: the default file where it exists, else the run compares the databases itself."""
    batch_size: int | None = None
    """Rows of one committed batch. None: :data:`USUAL_BATCH`, or more where the way to NEW is long."""
    jobs: int = 4
    """Streams that copy at the same time, each with a connection to OLD and one to NEW."""
    engine: str | None = None
    """Address of the Dask cluster whose workers copy; None: this process copies."""
    max_rejects: str | None = None
    """``N`` rows or ``P%`` of the rows read; None: no bound."""
    rebuild_indexes: RebuildIndexes = RebuildIndexes.AUTO
    verify: Verify = Verify.HASH
    sample: str | None = None
    """``P%`` of the batches, whose rows are compared; None: all are."""
    new_in_use: bool = False
    """Others write to NEW meanwhile: rows that they added or changed are told and do not count as wrong."""
    restart: bool = False
    """Delete what an unfinished run wrote, then start over."""
    again: bool = False
    """Move rows a second time: those that a finished run moved under other decisions, and, where a run starts
    over, those of which others changed the first copy.
    """
    rejects_only: bool = False
    """Move only the rows that finished runs rejected, under the present decisions."""
    new_snapshot: NewSnapshot | None = None
    """None: refuse to resume without the old snapshot where OLD was written to."""
    take_over: bool = False
    """End the sessions of another run that holds the lock."""
    allow_empty_old: bool = False
    """Go on where OLD holds no row and NEW does."""
    all_rejects: bool = False
    """A dry run writes every row that would be rejected to its file, not only the first of each cause."""
    rehearse: bool = False
    """Copy in one transaction that is rolled back."""
    analyze: bool = True
    """Gather the statistics of the tables that were filled, at the end."""
    profile: bool = False
    """The result says where the time went."""
    show_values: bool = False
    """Messages may show values of rows."""
    arguments: tuple[str, ...] = ()
    """The command line as given, for the result file."""
    invocation: str = "tranship"
    """How the program was called, for `command_line`: hints name the next command in the same words."""
    databases: tuple[str, ...] = ()
    """The words that name the two databases on the command line (the configuration file, or two URLs), for
    the next command.
    """

    @property
    def most_rejects(self) -> int | None:
        """Rows of each cause of one table that the rejects file of the run gets; None: all."""
        return None if self.live or self.rehearse or self.all_rejects else FIRST_OF_EACH_CAUSE

    @property
    def naming(self) -> tuple[str, ...]:
        """The options that say where files lie and how they are named, for the next command."""
        return naming(self.prefix, self.results_dir)

    @property
    def batch_rows(self) -> int:
        """The rows of one committed batch."""
        return self.batch_size if self.batch_size is not None else USUAL_BATCH

    @property
    def live_again(self) -> str:
        """The command line that moves the same rows live, or resumes doing so."""
        return self.again_with("--live", *([REJECTS_ONLY] if self.rejects_only else []))

    @property
    def live_after_dry(self) -> str:
        """The command line of the live run that a dry run looked at: without what was chosen for it, it would
        be refused.
        """
        snapshot = ["--new-snapshot", str(self.new_snapshot)] if self.new_snapshot is not None else []
        rejects = [REJECTS_ONLY] if self.rejects_only else []
        return self.again_with("--live", *rejects, *snapshot, *(["--again"] if self.again else []))

    def again_with(self, *more: str) -> str:
        """Returns the command line of the same run with further options."""
        given = [*self.databases, *self.naming]
        for name, value in (("--resolutions", self.resolutions), ("--changes-file", self.changes_file)):
            given += [name, value] if value is not None else []
        return command_line(self.invocation, "migrate", *given, *more)


def only_rejects(live: str) -> str:
    """Returns the command line that moves only rejected rows, of one that moves rows live."""
    return live if live.endswith(f" {REJECTS_ONLY}") else f"{live} {REJECTS_ONLY}"


def reject_bound(options: MigrateOptions, rows: int) -> int | None:
    """Returns ``--max-rejects`` as a number of rows, a percentage being one of ``rows``; None: no bound."""
    text = options.max_rejects
    if text is None:
        return None
    # Rounded down: 2 % of 60 rows bound the rejects at 1.
    return int(rows * float(text[:-1]) / 100) if text.endswith("%") else int(text)
