"""What speaks for a flow or a filter where an old column finds no place in its new table.

Nothing of it is ever filled in: which rows come along, and into which tables, is a person's decision.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from tranship.model.builtin_types import Family
from tranship.model.catalog import Catalog, Column, Table
from tranship.model.evidence import ColumnFacts
from tranship.model.names import TableName
from tranship.planning.deciding.suggest.drafts import Field
from tranship.planning.deciding.suggest.facts import Fact
from tranship.planning.deciding.suggest.guesses import reference, text_literal
from tranship.planning.names.families import family
from tranship.planning.names.tokens import stems

_MARKS = ("delet", "archiv", "remov", "trash")
"""How the words begin by which applications mark rows that are no longer theirs (soft deletion)."""
_BESIDE = frozenset(stems("is has was at on by date time timestamp flag soft"))
"""Words that may stand beside them; a name with further ones means something else."""
_FLAGS = frozenset({Family.BOOLEAN, Family.INTEGER})
_MOMENTS = frozenset({Family.TIMESTAMP, Family.DATE})
_SEPARATORS = (",", ";", "|")
_MOST_OFTEN = 0.5
"""The part of the values seen that must hold a separator before a list is proposed."""


def marks_deleted(column: Column) -> bool:
    """Returns whether a column's name says that its rows are no longer there for the application."""
    words = frozenset(stems(column.name))
    marks = {word for word in words if word.startswith(_MARKS)}
    return bool(marks) and words - marks <= _BESIDE and column.type.leaf.family in _FLAGS | _MOMENTS


def soft_deletion(column: Column, facts: ColumnFacts | None) -> tuple[dict[str, Field], tuple[Fact, ...]]:
    """Returns the filter that leaves marked rows behind, and how many rows it is about."""
    value = reference(column)
    is_flag = column.type.leaf.family in _FLAGS
    is_truth = column.type.leaf.family is Family.BOOLEAN
    kept = f"{value} IS NOT TRUE" if is_truth else f"COALESCE({value}, 0) = 0"
    where = kept if is_flag else f"{value} IS NULL"
    evidence: list[Fact] = ["the name says that marked rows are deleted or put aside"]
    if facts is not None:
        marked = _marked(facts) if is_flag else facts.filled
        of = f"{facts.rows} rows" + (" (a sample)" if facts.sampled else "")
        evidence.append(f"{marked} of {of} are marked: with 'ignore' alone they would come alive in NEW")
    evidence.append("a filter needs an 'ignore' of the column beside it")
    return {"action": "filter", "where": where}, tuple(evidence)


def _marked(facts: ColumnFacts) -> int:
    unmarked = sum(counted.rows for counted in facts.values if counted.value in ("f", "false", "0"))
    return facts.filled - unmarked


def elsewhere(
    before: Table, name: str, unfilled: Sequence[Table], facts: ColumnFacts | None
) -> Iterator[Fact]:
    """Yields the flows that could take an old column: into a new table that nothing fills and that has a
    column of its name (one table becomes two), or that takes the parts of a list (one row becomes several).
    """
    for table in unfilled:
        if table.column(name) is not None:
            same = sum(before.column(column.name) is not None for column in table.columns)
            yield (
                f"NEW's {table.name}, which nothing fills, has a column of this name and {same} in all: "
                f"a key {_key(before.name, table.name)} with its entries would fill it"
            )
    column = before.column(name)
    separator = _separator(facts)
    if column is not None and separator is not None:
        yield from (_list(before, column, table, separator) for table in unfilled if _takes_items(table))


def unfilled_tables(only_new: Sequence[TableName], new: Catalog) -> tuple[Table, ...]:
    """Returns the tables of NEW to which no rows go."""
    tables = (new.table(name) for name in only_new)
    return tuple(table for table in tables if table is not None)


def _separator(facts: ColumnFacts | None) -> str | None:
    """Returns the sign between the parts of most values; None: they are no lists."""
    values = [counted.value for counted in facts.values if counted.value] if facts is not None else []
    for separator in _SEPARATORS:
        lists = sum(separator in value for value in values)
        # A sentence has commas, too: what stands between the signs of a list is short.
        short = all(len(part.split()) <= 3 for value in values for part in value.split(separator))
        if values and short and lists >= _MOST_OFTEN * len(values):
            return separator
    return None


def _takes_items(table: Table) -> bool:
    """Returns whether a table refers to another one and has one text of its own."""
    referring = {name for key in table.foreign_keys for name in key.columns}
    own = [c for c in table.columns if c.name not in referring and not c.filled_by_server]
    return bool(referring) and len(own) == 1 and family(own[0].type) == "text"


def _list(before: Table, column: Column, table: Table, separator: str) -> str:
    pattern = text_literal(rf"\s*[{separator}]\s*")
    entry = {
        "action": "rows",
        "from": f"regexp_split_to_table({reference(column)}, {pattern}) AS item(value)",
        "where": "item.value <> ''",
    }
    return (
        f"its values are lists between {separator!r}, and NEW's {table.name} takes one text for each: "
        f"{_key(before.name, table.name)}: [{json.dumps(entry, ensure_ascii=False)}, …]"
    )


def _key(old: TableName, new: TableName) -> str:
    return json.dumps(f"{old.name} -> {new.name}", ensure_ascii=False)
