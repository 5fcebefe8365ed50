"""What must come of a case, as ``outcome.json`` or a fence ``json outcome`` says it;
a key that nobody reads is an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Literal

import msgspec

Kind = Literal["success", "partial", "refuse"]
STATUS: dict[str, int] = {"success": 0, "partial": 1, "refuse": 3}
_ROW_WORDS = ("why", "reason_contains", "sqlstate", "constraint")


class Login(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The account that tranship uses on one side."""

    user: str
    password: str = "secret"


class SecondRun(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A further run of a shared case: on fresh databases as somebody else, or simply again."""

    outcome: Kind
    expect: str
    connect_new_as: Login | None = None
    error_contains: tuple[str, ...] = ()
    why: str = ""
    also_acceptable: str = ""


class DryRun(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the dry run and the rehearsal come to, where that is not what the live run comes to."""

    outcome: Kind
    exit: int | None = None
    rejected: dict[str, list[dict[str, Any]]] = {}
    rejected_count: dict[str, int] | None = None
    error_contains: tuple[str, ...] = ()
    already_there: dict[str, int] | None = None
    """Rows per table that NEW held before the run, tables without any left out;
    None: nothing is said of them.
    """
    kept: dict[str, int] | None = None
    """Rows per table for which NEW's own row stays, likewise."""
    updated: dict[str, int] | None = None
    """Rows per table whose values replace those of NEW's row, likewise."""
    merged: dict[str, int] | None = None
    """Rows per table that are merged into others, likewise."""

    left_out: dict[str, int] | None = None
    """Rows per flow that a filter left out, flows without any left out; None: nothing is said of them."""

    @property
    def status(self) -> int:
        """The exit status that is expected."""
        return STATUS[self.outcome] if self.exit is None else self.exit

    @property
    def counts(self) -> dict[str, int]:
        """The number of rejected rows per table (``schema.table``, or the name of a flow), tables without
        rejects left out.
        """
        counted = self.rejected_count or {table: len(rows) for table, rows in self.rejected.items()}
        return {table: rows for table, rows in counted.items() if rows}


class Outcome(DryRun, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The whole expectation of one migration."""

    dry_run: DryRun | None = None
    options: tuple[str, ...] = ()
    """Further options of every ``migrate``."""
    reason_contains: str = ""
    """One of these, separated by ``|``, stands in every reject's reason;
    ``the …``: the reason quotes the row's value.
    """
    breaking: tuple[str, ...] | None = None
    """Exactly these (``table`` or ``table.column``) need a decision."""
    automatic: tuple[str, ...] = ()
    """These are converted or renamed without a decision; a name that is breaking, too,
    once its pairing is decided.
    """
    questions: dict[str, str | dict[str, Any] | None] | None = None
    """What ``resolve generate`` writes, by ``table`` or ``table.column``: the action that is filled in,
    keys of the whole entry, or null where the question stays open.
    """
    undecided: str = ""
    """``refuse``: without the resolutions the live run is refused."""
    must_report: tuple[str, ...] = ()
    must_not_report: tuple[str, ...] = ()
    new_constraints_to_show: tuple[str, ...] = ()
    # Keys of shared cases alone.
    second_run: SecondRun | None = None
    connect_old_as: Login | None = None
    connect_new_as: Login | None = None
    # Sentences for people.
    also_acceptable: str = ""
    connect: str = ""
    needs: str = ""
    more: str = ""
    rejected_rule: str = ""

    @property
    def dry(self) -> DryRun:
        """The expectation of the dry run and of the rehearsal."""
        return self.dry_run or self

    @property
    def undecided_refused(self) -> bool:
        """Whether the run must be refused without the resolutions."""
        return self.undecided.startswith("refuse")


def read_outcome(text: str | bytes) -> Outcome:
    """Returns the expectation.

    Raises:
        msgspec.ValidationError: a key is unknown or a value of the wrong type.
    """
    return msgspec.json.decode(text, type=Outcome)


def row_values(row: dict[str, Any]) -> dict[str, Any]:
    """Returns the columns that identify an expected reject; the other keys say why it is rejected."""
    return {key: value for key, value in row.items() if key not in _ROW_WORDS}


def row_reasons(row: dict[str, Any]) -> dict[str, str]:
    """Returns what an expected reject says about its reason: ``why``, ``reason_contains``,
    ``sqlstate``, ``constraint``.
    """
    return {key: str(value) for key, value in row.items() if key in _ROW_WORDS}


def names(listed: tuple[str, ...]) -> Iterator[str]:
    """Yields each name of a list; ``t.a-e`` and ``t.c1 .. t.c300`` stand for all names between."""
    for name in listed:
        letters = re.fullmatch(r"(.+\.)(\w)-(\w)", name)
        numbers = re.fullmatch(r"(.+?)(\d+) \.\. \1(\d+)", name)
        if letters:
            yield from (letters[1] + chr(code) for code in range(ord(letters[2]), ord(letters[3]) + 1))
        elif numbers:
            yield from (f"{numbers[1]}{n}" for n in range(int(numbers[2]), int(numbers[3]) + 1))
        else:
            yield name
