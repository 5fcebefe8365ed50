"""Whether a shape can be taken as it stands, and what it leaves without a value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from tranship.model.catalog import Table
from tranship.planning.deciding.suggest.shapes.once import filled_columns, further_flows
from tranship.planning.deciding.suggest.shapes.whole import Entry, Shape, Whole, needed


def is_takeable(shape: Shape) -> bool:
    """Returns whether no flow of a shape fills a column of NEW twice: such entries are refused (TS325)."""
    filled = Counter(
        (key, column)
        for key, own in shape.entries.items()
        for entry in own
        if (column := entry.get("new_column")) is not None
    )
    return all(times == 1 for times in filled.values())


def with_lacking_values(whole: Whole, shape: Shape) -> Shape:
    """Returns a shape with the columns of each further table that need a value and that it does not fill."""
    told = [line for flow in further_flows(whole, shape) for line in _lacking(*flow)]
    return replace(shape, evidence=(*shape.evidence, *told)) if told else shape


def _lacking(before: Table, table: Table, entries: Sequence[Entry]) -> Iterator[str]:
    filled = filled_columns(before, table, entries)
    names = [column.name for column in needed(table) if column.name not in filled]
    if names:
        listed = ", ".join(map(repr, names))
        yield f"NEW's {table.name} needs a value of {listed}, too: it is asked for once this is taken"
