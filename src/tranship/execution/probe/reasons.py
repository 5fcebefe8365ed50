"""Predicted rejects: SQLSTATE, column and constraint as the server would give them, and the reason as a
value.

Row values stand in reasons: they go to the rejects file and the journal alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec.json import decode
from msgspec.structs import replace

from tranship.execution.probe.questions import Failure
from tranship.model.catalog import ForeignKey, Table
from tranship.model.expression import Lookup
from tranship.model.locator import Locator
from tranship.model.plan import ColumnMapping, TablePlan
from tranship.model.reasons import (
    CheckViolated,
    ComesSecond,
    DomainRefusesNull,
    EmptyPeriod,
    HeldBefore,
    HeldByAnother,
    HeldByNew,
    HeldOtherwise,
    InvalidByte,
    LookupGap,
    LookupIsAnother,
    MappingGap,
    NoEquivalent,
    NoParentInOld,
    NoPartition,
    NotChangeable,
    NullRefused,
    OldCannotCompute,
    ParentElsewhere,
    ParentIsAnother,
    ParentKeyChanged,
    ParentMerged,
    ParentMissing,
    Reason,
    ServerSaid,
)
from tranship.model.verdict import Reject
from tranship.sql.new.unique_indexes import UniqueIndex

_SHOWN = 200
"""Most characters of a value that a reason keeps."""
_LONGEST = 1000
"""Most characters of a server's message that are kept: it may quote a value of any size."""


def _cut(value: str, most: int = _SHOWN) -> str:
    return value if len(value) <= most else value[:most] + "…"


def gap(row: Locator, mapping: ColumnMapping, value: str, *, gone: bool = False) -> Reject:
    """Returns the reject of a value without an entry in the mapping or lookup. ``gone``: the entry's row is
    rejected itself.
    """
    match mapping.expression:
        case Lookup(table=table, keys=keys):
            lacking: Reason = LookupGap(table, keys, _cut(value), gone)
        case _:
            lacking = MappingGap(_cut(value))
    return Reject(row, "22023", lacking, column=mapping.column)


def untranslatable(row: Locator, column: str, character: str, encoding: str) -> Reject:
    """Returns the reject of a character that NEW's encoding lacks, or of a byte that is no UTF-8."""
    if "\ud800" <= character <= "\udfff":
        return Reject(row, "22021", InvalidByte(ord(character) - 0xDC00), column=column)
    return Reject(row, "22P05", NoEquivalent(character, encoding), column=column)


def refused(row: Locator, column: str | None, value: str | None, failure: Failure) -> Reject:
    """Returns the reject of a value or a row that NEW refuses, with NEW's message."""
    lacking = value is not None and value not in failure.message
    reason = ServerSaid(
        _cut(failure.message, _LONGEST), _cut(value) if value is not None and lacking else None
    )
    return Reject(
        row, failure.sqlstate, reason, column=failure.column or column, constraint=failure.constraint
    )


def null(row: Locator, column: str, table: Table) -> Reject:
    """Returns the reject of a NULL in a NOT NULL column."""
    declared = table.column(column)
    if declared is not None and not declared.not_null:
        return Reject(row, "23502", DomainRefusesNull(column, declared.type.text), column=column)
    return Reject(row, "23502", NullRefused(column, table.name.name), column=column)


def check(row: Locator, name: str, columns: Sequence[str], relation: str) -> Reject:
    """Returns the reject of a row that violates a CHECK."""
    return Reject(row, "23514", CheckViolated(name, relation), column=_only(columns), constraint=name)


def empty_period(row: Locator, column: str, relation: str) -> Reject:
    """Returns the reject of a row whose key without overlaps has an empty period."""
    return Reject(row, "23514", EmptyPeriod(column, relation), column=column)


def routing(row: Locator, table: Table) -> Reject:
    """Returns the reject of a row that no partition takes."""
    return Reject(row, "23514", NoPartition(table.name.name))


def existing(row: Locator, index: UniqueIndex, held: str, *, decided: bool) -> Reject:
    """Returns the reject of a row whose key a row of NEW has. ``decided``: as `HeldByNew` has it."""
    constraint, columns, exclusion = index.constraint, index.shown, index.exclusion
    reason = HeldByNew(constraint, exclusion, held, decided)
    return Reject(
        row, "23P01" if exclusion else "23505", reason, column=_only(columns), constraint=constraint
    )


def held_before(row: Locator, constraint: str | None, held: str) -> Reject:
    """Returns the reject of a row that NEW held before the run, where such rows are unwanted."""
    return Reject(row, "23505", HeldBefore(held), constraint=constraint)


def held_otherwise(row: Locator, constraint: str | None, held: str, columns: Sequence[str]) -> Reject:
    """Returns the reject of a row that NEW held before the run with other values in some columns."""
    reason = HeldOtherwise(held, tuple(columns))
    return Reject(row, "23505", reason, column=_only(columns), constraint=constraint)


def held_by_another(row: Locator, constraint: str | None, held: str) -> Reject:
    """Returns the reject of a row whose row in NEW belongs to another row of OLD."""
    return Reject(row, "23505", HeldByAnother(held), constraint=constraint, rank=1)


def not_changeable(row: Locator, constraint: str | None, held: str, columns: Sequence[str]) -> Reject:
    """Returns the reject of a row for which NEW's row would have to change its key."""
    reason = NotChangeable(held, tuple(columns))
    return Reject(row, "23505", reason, column=_only(columns), constraint=constraint)


def collision(
    row: Locator, constraint: str, columns: Sequence[str], winner: tuple[str, str], *, exclusion: bool
) -> Reject:
    """Returns the reject of a row whose key an earlier row of OLD has: ``winner``, with the name of its flow
    if that is another one.
    """
    reason = ComesSecond(constraint, exclusion, *winner)
    return Reject(
        row, "23P01" if exclusion else "23505", reason, column=_only(columns), constraint=constraint, rank=1
    )


def parent(
    row: Locator, key: ForeignKey, table: Table, value: str | None, *, gone: bool, rank: int = 0
) -> Reject:
    """Returns the reject of a row without a parent. ``gone``: OLD has a parent, which is rejected itself."""
    reason = ParentMissing(table.name.name, key.name, key.columns, value, key.target.name, gone)
    return Reject(row, "23503", reason, column=_only(key.columns), constraint=key.name, rank=rank)


def parent_left_out(missing: Reject) -> Reject:
    """Returns the reject of a row without a parent that says of the parent that a filter leaves it out."""
    assert isinstance(missing.reason, ParentMissing)
    return replace(missing, reason=replace(missing.reason, left_out=True))


def another_parent(
    row: Locator, key: ForeignKey, table: Table, value: str | None, *, rank: int = 0
) -> Reject:
    """Returns the reject of a row whose parent is rejected while NEW has another row under its key."""
    reason = ParentIsAnother(table.name.name, key.name, key.columns, value, key.target.name)
    return Reject(row, "23503", reason, column=_only(key.columns), constraint=key.name, rank=rank)


def parent_merged(row: Locator, key: ForeignKey, table: Table, value: str | None, *, rank: int = 0) -> Reject:
    """Returns the reject of a row whose parent is merged into another row, to which it is not led."""
    reason = ParentMerged(table.name.name, key.name, key.columns, value, key.target.name)
    return Reject(row, "23503", reason, column=_only(key.columns), constraint=key.name, rank=rank)


def parent_elsewhere(
    row: Locator, key: ForeignKey, table: Table, value: str | None, *, rank: int = 0
) -> Reject:
    """Returns the reject of a row whose parent NEW held before the run under another key."""
    reason = ParentElsewhere(table.name.name, key.name, key.columns, value, key.target.name)
    return Reject(row, "23503", reason, column=_only(key.columns), constraint=key.name, rank=rank)


def parent_key_changed(
    row: Locator, key: ForeignKey, table: Table, value: str | None, *, rank: int = 0
) -> Reject:
    """Returns the reject of a row that keeps OLD's key while its parent gets another one."""
    reason = ParentKeyChanged(table.name.name, key.name, key.columns, value, key.target.name)
    return Reject(row, "23503", reason, column=_only(key.columns), constraint=key.name, rank=rank)


def no_parent_in_old(
    row: Locator, key: ForeignKey, table: Table, value: str | None, *, rank: int = 0, left_out: bool = False
) -> Reject:
    """Returns the reject of a row without a parent that is moved while NEW has a row under its key.
    ``left_out``: OLD has a parent, which a filter leaves out.
    """
    reason = NoParentInOld(table.name.name, key.name, key.columns, value, key.target.name, left_out)
    return Reject(row, "23503", reason, column=_only(key.columns), constraint=key.name, rank=rank)


def looked_up_another(row: Locator, column: str, lookup: Lookup) -> Reject:
    """Returns the reject of a row that looks up what a rejected row would have been."""
    return Reject(row, "22023", LookupIsAnother(lookup.table, lookup.keys), column=column)


def too_large(row: Locator, size: object, largest: object) -> Reject:
    """Returns the reject of a row that does not fit a page, in the server's words."""
    return Reject(row, "54000", ServerSaid(f"row is too big: size {size}, maximum size {largest}"))


def too_wide(row: Locator, index: str) -> Reject:
    """Returns the reject of a row that does not fit an index."""
    reason = ServerSaid(f'index row size exceeds the maximum of a B-tree for index "{index}"')
    return Reject(row, "54000", reason, constraint=index)


def unmade(plan: TablePlan) -> Iterator[Reject]:
    """Yields the rejects of old rows that cannot be taken apart."""
    for number, source in enumerate(plan.sources):
        for one in source.unmade:
            yield Reject(Locator(number, one.address), one.sqlstate, OldCannotCompute(one.message))


def key_shown(text: str | None) -> str | None:
    """Returns a canonical key as the server prints keys: ``(1, a)``."""
    return "(" + ", ".join(decode(text, type=list[str])) + ")" if text is not None else None


def _only(columns: Sequence[str]) -> str | None:
    return columns[0] if len(columns) == 1 else None
