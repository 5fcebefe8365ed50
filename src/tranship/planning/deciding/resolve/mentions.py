"""Which columns and tables the SQL of decisions names, as far as its text tells. Pure.

Without a server nobody can say what an expression uses. A run asks the server (``analysis/uses.py``); what
``resolve validate`` takes for settled here, a run may still ask about.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from tranship.model.change import Comparison
from tranship.model.names import ColumnRef, TableName
from tranship.model.resolution import Answers, Resolution
from tranship.planning.deciding.resolve.open_changes import left_behind

_NOT_NAMES = re.compile(r"\b[eE]'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/", re.DOTALL)
_WHOLE_ROW = re.compile(r"\bold\b(?!\s*\.\s*[\w\"])", re.IGNORECASE)


def with_mentions(answers: Answers, comparison: Comparison) -> Answers:
    """Returns the answers with the columns and tables that nobody decides about and that SQL names from which
    values of NEW come, and with the tables of OLD in which values are looked up; ``comparison`` was made with
    these answers.
    """
    texts = [(d.old_table, text) for d in answers.decisions for text in _producing(d.resolution)]
    looked_up = [name for d in answers.decisions for name in _in_old(d.resolution)]
    if not texts and not looked_up:
        return answers
    bare = [(table, _NOT_NAMES.sub(" ", text)) for table, text in texts]
    columns, tables = left_behind(comparison, answers)
    used = tuple(ref for ref in columns if any(_uses(*one, ref) for one in bare))
    return replace(answers, used=used, read=_named(tables, [*looked_up, *(text for _, text in bare)]))


def _named(tables: Iterable[TableName], texts: Sequence[str]) -> tuple[TableName, ...]:
    return tuple(table for table in tables if any(names(text, table.name) for text in texts))


def _in_old(entry: Resolution) -> tuple[str, ...]:
    """Returns the table of OLD in which an entry looks values up."""
    lookup = entry.lookup_table
    return (lookup.table,) if lookup is not None and lookup.database == "old" else ()


def _producing(entry: Resolution) -> tuple[str, ...]:
    """Returns the texts of an entry from which values of NEW come."""
    texts = (entry.transform_sql, *entry.key_sql, entry.items, entry.query)
    return tuple(text for text in texts if text is not None)


def _uses(table: TableName, text: str, ref: ColumnRef) -> bool:
    if ref.table == table:
        return names(text, ref.column) or _WHOLE_ROW.search(text) is not None
    return names(text, ref.table.name) and names(text, ref.column)


def names(text: str, name: str) -> bool:
    """Returns whether a text of SQL holds a name."""
    return re.search(rf"(?<![\w$]){re.escape(name)}(?![\w$])", text, re.IGNORECASE) is not None
