"""What an old column holds that finds no place in its new table: marks of deleted rows, or a list.

Nothing of it is ever filled in: which rows come along, and into which tables, is a person's decision.
"""

from __future__ import annotations

from collections.abc import Sequence

from tranship.model.builtin_types import Family
from tranship.model.catalog import Catalog, Column, Table
from tranship.model.change import Matching
from tranship.model.count import count_of
from tranship.model.evidence import ColumnFacts
from tranship.model.names import TableName
from tranship.planning.deciding.suggest.drafts import Field
from tranship.planning.deciding.suggest.facts import Fact
from tranship.planning.deciding.suggest.guesses import reference
from tranship.planning.names.tokens import stems
from tranship.planning.names.truths import truth_of

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
    """Returns whether a flag or a moment says by its name that its rows are no longer there for the
    application.
    """
    return says_deleted(column) and column.type.leaf.family in _FLAGS | _MOMENTS


def says_deleted(column: Column) -> bool:
    """Returns whether a column's name says so, whatever it holds."""
    words = frozenset(stems(column.name))
    marks = {word for word in words if word.startswith(_MARKS)}
    return bool(marks) and words - marks <= _BESIDE


def soft_deletion(column: Column, facts: ColumnFacts | None) -> tuple[dict[str, Field], tuple[Fact, ...]]:
    """Returns the filter that leaves marked rows behind, and how many rows it is about."""
    value = reference(column)
    is_flag = column.type.leaf.family in _FLAGS
    is_truth = column.type.leaf.family is Family.BOOLEAN
    kept = f"{value} IS NOT TRUE" if is_truth else f"COALESCE({value}, 0) = 0"
    where = kept if is_flag else f"{value} IS NULL"
    evidence: list[Fact] = ["the name says that marked rows are deleted or put aside"]
    if facts is not None:
        marked = marked_rows(column, facts)
        of = count_of(facts.rows, "row") + (" (a sample)" if facts.sampled else "")
        evidence.append(f"{marked} of {of} are marked: with 'ignore' alone they would come alive in NEW")
    evidence.append("a filter needs an 'ignore' of the column beside it")
    return {"action": "filter", "where": where}, tuple(evidence)


def marked_rows(column: Column, facts: ColumnFacts) -> int:
    """Returns how many of the rows that were read a column marks: all with a moment, and all whose flag or
    word is not a no.
    """
    if column.type.leaf.family in _MOMENTS:
        return facts.filled
    unmarked = (one.rows for one in facts.values if truth_of(one.value) is False or not one.value.strip())
    return facts.filled - sum(unmarked)


def unfilled_names(matching: Matching) -> tuple[TableName, ...]:
    """Returns the new tables to which no flow leads, with a name or without."""
    filled = {pair.new for pair in matching.pairs}
    return tuple(name for name in matching.only_new if name not in filled)


def unfilled_tables(only_new: Sequence[TableName], new: Catalog) -> tuple[Table, ...]:
    """Returns the tables of NEW to which no rows go."""
    tables = (new.table(name) for name in only_new)
    return tuple(table for table in tables if table is not None)


def separator_of(facts: ColumnFacts | None) -> str | None:
    """Returns the sign between the parts of most values; None: they are no lists."""
    values = [counted.value for counted in facts.values if counted.value] if facts is not None else []
    for separator in _SEPARATORS:
        lists = sum(separator in value for value in values)
        # A sentence has commas, too: what stands between the signs of a list is short.
        short = all(len(part.split()) <= 3 for value in values for part in value.split(separator))
        if values and short and lists >= _MOST_OFTEN * len(values):
            return separator
    return None
