"""Keys of a new table that a shape fills: whether OLD's rows repeat what NEW takes once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec.structs import replace

from tranship.model.catalog import Table
from tranship.model.resolution import Action
from tranship.planning.deciding.resolve.tables import table_key
from tranship.planning.deciding.suggest.shapes.whole import Entry, Shape, Whole, rows, single_key


def with_keys_tried(whole: Whole, shape: Shape) -> Shape:
    """Returns a shape with what OLD's rows say of the keys of each further table that it fills, and which of
    these keys nobody has tried.
    """
    told = [line for flow in further_flows(whole, shape) for line in _of_flow(whole, *flow)]
    return replace(shape, evidence=(*shape.evidence, *dict.fromkeys(told))) if told else shape


def further_flows(whole: Whole, shape: Shape) -> Iterator[tuple[Table, Table, Sequence[Entry]]]:
    """Yields the flows of a shape into tables that nothing fills yet: old table, new table, entries."""
    before = whole.old.table(shape.table)
    for table in whole.unfilled if before is not None else ():
        for key, entries in shape.entries.items():
            if before is not None and key.endswith(f" -> {table_key(table.name, whole.new)}"):
                yield before, table, entries


def _of_flow(whole: Whole, before: Table, table: Table, entries: Sequence[Entry]) -> Iterator[str]:
    actions = {entry["action"] for entry in entries}
    if Action.MERGE in actions:
        # Rows that have such a key in common have become one.
        return
    filled = filled_columns(before, table, entries)
    for columns in dict.fromkeys(key.columns for key in table.keys):
        # What is computed for a key of one column is a number or an id of its own.
        own = columns == (single_key(table),) and filled.get(columns[0]) is None
        if own or not filled.keys() >= set(columns):
            continue
        olds = _copied(columns, filled) if Action.ROWS not in actions else ()
        if not _holds_once(before, olds):
            yield _told(whole, before, columns, olds)


def _copied(columns: Sequence[str], filled: Mapping[str, str | None]) -> tuple[str, ...]:
    """Returns the old columns of a key; none where an expression fills one of its columns."""
    olds = tuple(old for name in columns if (old := filled[name]) is not None)
    return olds if len(olds) == len(columns) else ()


def filled_columns(before: Table, table: Table, entries: Sequence[Entry]) -> dict[str, str | None]:
    """Returns the new columns that a flow fills, each with the old one; None: an expression. Columns of one
    name belong together without an entry.
    """
    found: dict[str, str | None] = {
        c.name: c.name for c in table.columns if before.column(c.name) is not None
    }
    for entry in entries:
        name, old = entry.get("new_column"), entry.get("old_column")
        if isinstance(name, str):
            found[name] = old if isinstance(old, str) else None
    return found


def _holds_once(before: Table, olds: Sequence[str]) -> bool:
    """Returns whether a key of OLD says that no two rows have all of these values in common."""
    return any(set(key.columns) <= set(olds) for key in before.keys)


def _told(whole: Whole, before: Table, columns: Sequence[str], olds: Sequence[str]) -> str:
    taken = f"NEW takes each ({', '.join(columns)}) once"
    facts = whole.evidence.of(before.name, olds[0]) if len(olds) == 1 else None
    if facts is None or (facts.sampled and facts.filled == facts.distinct):
        return f"{taken}, which was not tried on OLD's rows: a dry run names those that repeat another's"
    repeated = facts.filled - facts.distinct
    of = " (a sample)" if facts.sampled else ""
    if repeated:
        verb = "repeats" if repeated == 1 else "repeat"
        return f"{taken}, and {rows(repeated)} of OLD{of} {verb} another's: such rows would be rejected"
    return f"{taken}, and no row of OLD repeats another's"
