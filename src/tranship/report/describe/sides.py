"""Draws old and new tables beside each other: which old column fills which new one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from msgspec import Struct

from tranship.model.catalog import Catalog, Column, Table
from tranship.model.change import Change, ChangeClass, Comparison, TablePair
from tranship.model.names import TableName
from tranship.planning.types.wording import type_words
from tranship.report.document import Cell, Link, Sides, Tone

_TONES = {
    ChangeClass.SAFE: Tone.GOOD,
    ChangeClass.TRANSFORMABLE: Tone.CHANGED,
    ChangeClass.BREAKING: Tone.BAD,
}
# From harmless to grave: the gravest change colours a column.
_WEIGHT = (Tone.PLAIN, Tone.GOOD, Tone.CHANGED, Tone.BAD)


class Joined(Struct, frozen=True):
    """Several old columns that fill a new one, or are asked to."""

    sources: tuple[str, ...]
    new: str
    open: bool
    """A person is still asked."""


Joins = Mapping[tuple[TableName, str], Sequence[Joined]]
"""By old table and the name of its flow."""


def table_sides(
    comparison: Comparison, old: Catalog, new: Catalog, joins: Joins = MappingProxyType({})
) -> tuple[Sides, ...]:
    """Returns a drawing for every pair of tables with a change, in the order of the pairs."""
    by_table: dict[str, list[Change]] = {}
    for change in comparison.changes:
        by_table.setdefault(change.table, []).append(change)
    drawn = []
    for pair in comparison.matching.pairs:
        before, after, changes = old.table(pair.old), new.table(pair.new), by_table.get(str(pair.old), [])
        if before is not None and after is not None and changes:
            drawn.append(_sides(pair, before, after, changes, joins.get((pair.old, pair.name), ())))
    return tuple(drawn)


def _sides(
    pair: TablePair, before: Table, after: Table, changes: Sequence[Change], joins: Sequence[Joined]
) -> Sides:
    worst_old = _worst((c.old_column, c) for c in changes)
    worst_new = _worst((c.new_column, c) for c in changes)
    return Sides(
        left_title=str(pair.old),
        right_title=str(pair.new),
        left=tuple(_cell(c, worst_old) for c in before.columns),
        right=tuple(_cell(c, worst_new) for c in after.columns),
        links=tuple(_links(pair, (before, after), changes, joins)),
    )


def _worst(pairs: Iterator[tuple[str | None, Change]]) -> dict[str, Tone]:
    worst: dict[str, Tone] = {}
    for column, change in pairs:
        if column is not None:
            worst[column] = max(worst.get(column, Tone.PLAIN), _TONES[change.cls], key=_WEIGHT.index)
    return worst


def _cell(column: Column, worst: Mapping[str, Tone]) -> Cell:
    return Cell(
        column.name,
        type_words(column.type) + (" NOT NULL" if column.refuses_null else ""),
        worst.get(column.name, Tone.PLAIN),
    )


def _links(
    pair: TablePair, tables: tuple[Table, Table], changes: Sequence[Change], joins: Sequence[Joined]
) -> Iterator[Link]:
    left, right = ({c.name: n for n, c in enumerate(table.columns)} for table in tables)
    for (a, b), (tone, words) in _drawn(pair, changes, joins).items():
        if a in left and b in right:
            yield Link(left[a], right[b], tone, words)


def _drawn(
    pair: TablePair, changes: Sequence[Change], joins: Sequence[Joined]
) -> dict[tuple[str, str], tuple[Tone, str]]:
    """Returns how the line between each pair of columns is drawn, and what it says."""
    drawn: dict[tuple[str, str], tuple[Tone, str]] = {}
    for (a, b), found in _changes_of_pairs(pair, changes).items():
        tone = max((_TONES[c.cls] for c in found), key=_WEIGHT.index, default=Tone.PLAIN)
        drawn[a, b] = tone, "; ".join(c.description for c in found) or f"{a} → {b}"
    for one in joins:
        # The change of a join names its first column alone: all of them go the same way.
        look = Tone.BAD if one.open else Tone.CHANGED, f"{', '.join(one.sources)} → {one.new}"
        drawn |= {(name, one.new): look for name in one.sources}
    return drawn


def _changes_of_pairs(pair: TablePair, changes: Sequence[Change]) -> dict[tuple[str, str], list[Change]]:
    """Returns every pair of columns with its changes: first those that correspond, then others that a change
    connects.
    """
    found: dict[tuple[str, str], list[Change]] = {(p.old, p.new): [] for p in pair.columns}
    for change in changes:
        if change.old_column is not None and change.new_column is not None:
            found.setdefault((change.old_column, change.new_column), []).append(change)
    return found
