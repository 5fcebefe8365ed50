"""The words of a predicted reject, close to the server's own; SQLSTATE and constraint are the contract.

Row values stand in them: they go to the rejects file and the journal alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.json import decode

from tranship.execution.probe.questions import Failure
from tranship.model.catalog import ForeignKey, Table
from tranship.model.expression import Lookup
from tranship.model.locator import Locator
from tranship.model.plan import ColumnMapping
from tranship.model.verdict import Reject

_SHOWN = 200
"""Characters of a value that a reason quotes."""
_LONGEST = 1000
"""Characters of the server's own words that are kept: they may quote a value of any size."""


def quoted(value: str) -> str:
    """A value in quotes, cut where it is long, undecodable bytes as ``\\x``."""
    shown = value if len(value) <= _SHOWN else value[:_SHOWN] + "…"
    return f"'{shown.encode('utf-8', 'backslashreplace').decode()}'"


def gap(row: Locator, mapping: ColumnMapping, value: str) -> Reject:
    """A value without an entry in the mapping or lookup."""
    match mapping.expression:
        case Lookup(table=table, keys=keys):
            reason = f"no entry in lookup table {table} for {', '.join(keys)} = {quoted(value)}"
        case _:
            reason = f"no entry in the value mapping for {quoted(value)}"
    return Reject(row, "22023", reason, column=mapping.column)


def untranslatable(row: Locator, column: str, character: str, encoding: str) -> Reject:
    """A character that NEW's encoding lacks, or a byte of a SQL_ASCII database that is no UTF8."""
    if "\ud800" <= character <= "\udfff":
        reason = f'invalid byte sequence for encoding "UTF8": 0x{ord(character) - 0xDC00:02x}'
        return Reject(row, "22021", reason, column=column)
    sequence = " ".join(f"0x{byte:02x}" for byte in character.encode())
    reason = f'character with byte sequence {sequence} in encoding "UTF8" has no equivalent in encoding "{encoding}"'
    return Reject(row, "22P05", reason, column=column)


def refused(row: Locator, column: str | None, value: str | None, failure: Failure) -> Reject:
    """What NEW itself said, with the value where its words lack it."""
    reason = failure.message if len(failure.message) <= _LONGEST else failure.message[:_LONGEST] + "…"
    if value is not None and value not in failure.message:
        reason = f"{reason}: {quoted(value)}"
    return Reject(
        row, failure.sqlstate, reason, column=failure.column or column, constraint=failure.constraint
    )


def null(row: Locator, column: str, table: Table) -> Reject:
    """NULL where NEW takes none."""
    declared = table.column(column)
    if declared is not None and not declared.not_null:
        return Reject(
            row,
            "23502",
            f"domain {declared.type.text} of column {column} does not allow null values",
            column=column,
        )
    return Reject(
        row,
        "23502",
        f'null value in column "{column}" of relation "{table.name.name}" violates not-null constraint',
        column=column,
    )


def check(row: Locator, name: str, columns: Sequence[str], relation: str) -> Reject:
    """A CHECK that is false."""
    reason = f'new row for relation "{relation}" violates check constraint "{name}"'
    return Reject(row, "23514", reason, column=_only(columns), constraint=name)


def routing(row: Locator, table: Table) -> Reject:
    """No partition takes the row."""
    return Reject(row, "23514", f'no partition of relation "{table.name.name}" found for row')


def existing(row: Locator, constraint: str, columns: Sequence[str], held: str, *, exclusion: bool) -> Reject:
    """A row of NEW holds the place."""
    reason = f"{_violated(constraint, exclusion)}: NEW already holds the row {held}"
    return Reject(
        row, "23P01" if exclusion else "23505", reason, column=_only(columns), constraint=constraint
    )


def collision(
    row: Locator, constraint: str, columns: Sequence[str], winner: str, *, exclusion: bool
) -> Reject:
    """Another row of OLD comes first."""
    reason = f"{_violated(constraint, exclusion)}: the row {winner} of OLD comes first"
    return Reject(
        row, "23P01" if exclusion else "23505", reason, column=_only(columns), constraint=constraint, rank=1
    )


def parent(
    row: Locator, key: ForeignKey, table: Table, value: str | None, *, gone: bool, rank: int = 0
) -> Reject:
    """No parent in NEW; ``gone``: there was one in OLD and it is rejected itself."""
    reason = f'insert or update on table "{table.name.name}" violates foreign key constraint "{key.name}": '
    if value is None:
        reason += "MATCH FULL does not allow mixing of null and nonnull key values"
    else:
        shown = f"Key ({', '.join(key.columns)})={value}"
        absent = f'{shown} is not present in table "{key.target.name}"'
        reason += f"{absent} because its parent was rejected" if gone else absent
    return Reject(row, "23503", reason, column=_only(key.columns), constraint=key.name, rank=rank)


def key_shown(text: str | None) -> str | None:
    """A canonical key as the server writes keys: ``(1, a)``; None stays None."""
    return "(" + ", ".join(decode(text, type=list[str])) + ")" if text is not None else None


def _violated(constraint: str, exclusion: bool) -> str:
    if exclusion:
        return f'conflicting key value violates exclusion constraint "{constraint}"'
    return f'duplicate key value violates unique constraint "{constraint}"'


def _only(columns: Sequence[str]) -> str | None:
    return columns[0] if len(columns) == 1 else None
