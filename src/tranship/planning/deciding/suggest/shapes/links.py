"""A reference that becomes a table of links: an old row leads to one row, a new one may lead to many."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from tranship.model.catalog import Column, ForeignKey, Table
from tranship.model.names import TableName
from tranship.planning.deciding.suggest.facts import Fact
from tranship.planning.deciding.suggest.shapes.one_to_many import reference_to
from tranship.planning.deciding.suggest.shapes.whole import (
    KEY_WORDS,
    Entry,
    PairOfTables,
    Shape,
    Whole,
    copied,
    needed,
    rows,
    single_key,
)
from tranship.planning.matching.scope import quoted
from tranship.planning.names.families import family
from tranship.planning.names.tokens import stems


def links(whole: Whole) -> Iterator[Shape]:
    """Yields references whose values a new table takes that refers to both tables and needs nothing else."""
    for one in whole.pairs:
        for table in whole.unfilled:
            own = reference_to(table, one)
            others = _others(table, own) if own is not None else []
            if own is not None and len(others) == 1:
                yield from _links(whole, one, (table, own), others[0])


def _others(table: Table, own: ForeignKey) -> list[ForeignKey]:
    """Returns the references of a table of links beside the one to the table whose column vanished; none
    where its rows need something else.
    """
    others = [key for key in table.foreign_keys if key.columns != own.columns and len(key.columns) == 1]
    given = {*own.columns, *(column for key in others for column in key.columns)}
    return others if {column.name for column in needed(table)} <= given else []


def _links(
    whole: Whole, one: PairOfTables, child: tuple[Table, ForeignKey], other: ForeignKey
) -> Iterator[Shape]:
    (table, own), primary = child, single_key(one.before)
    leading = {column.name: why for column in one.gone if (why := _leads_there(whole, one, column, other))}
    column = _meant(list(leading), other)
    if primary is None or column is None:
        return
    entries: list[Entry] = [
        {"action": "filter", "where": f"old.{quoted(column)} IS NOT NULL"},
        copied(primary, own.columns[0]),
        copied(column, other.columns[0]),
    ]
    facts = whole.evidence.of(one.before.name, column)
    filled = [f"{facts.filled} of {rows(facts.rows)} have one"] if facts is not None else []
    refers = f"NEW's {table.name}, which nothing fills, refers to {own.target} and to {other.target}"
    question = f"Does '{column}' of '{one.pair.old.name}' become rows of '{table.name.name}'?"
    evidence = (leading[column], refers, *filled)
    yield Shape(question, evidence, one.into(table, entries), one.pair.old, (column,))


def _meant(leading: Sequence[str], other: ForeignKey) -> str | None:
    """Returns the old column that a table of links takes; of two that lead to one table, such as author and
    reviewer, the name of the reference tells which one is meant. None where none does.
    """
    named = [column for column in leading if _called(column) == _called(other.columns[0])]
    found = leading if len(leading) == 1 else named
    return found[0] if len(found) == 1 else None


def _leads_there(whole: Whole, one: PairOfTables, column: Column, other: ForeignKey) -> Fact | None:
    """Returns in words why an old column leads to the rows of the other new table; None: it does not."""
    ends = _ends(whole, other)
    declared = [key for key in one.before.foreign_keys if key.columns == (column.name,)]
    if declared:
        led = [key for key in declared if (key.target, key.target_columns[0]) in ends]
        return f"'{column.name}' refers to OLD's {led[0].target}, whose rows become those" if led else None
    types = {family(end.type) for end in ends.values()}
    if not _is_called(column.name, other) or family(column.type) not in types:
        return None
    return f"'{column.name}' is called like '{other.columns[0]}', which refers to {other.target}"


def _ends(whole: Whole, other: ForeignKey) -> Mapping[tuple[TableName, str], Column]:
    """Returns the old columns that fill the column to which a new reference leads."""
    return {
        (flow.pair.old, column.name): column
        for flow in whole.pairs
        for column in flow.before.columns
        if flow.pair.new == other.target and flow.fed_by(column.name) == other.target_columns[0]
    }


def _is_called(column: str, other: ForeignKey) -> bool:
    """Returns whether a column is called like a reference, or like the table to which it leads."""
    spoken = _called(column)
    return bool(spoken) and spoken in (_called(other.columns[0]), _called(other.target.name))


def _called(name: str) -> frozenset[str]:
    """Returns the words of a name that say to what a reference leads."""
    return frozenset(stems(name)) - KEY_WORDS
