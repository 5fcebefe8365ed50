"""Which columns and tables the SQL of decisions names, as far as its text tells. Pure.

Without a server nobody can say what an expression uses. A run asks the server (``analysis/uses.py``); what
``resolve validate`` takes for settled here, a run may still ask about.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from tranship.model.names import ColumnRef, TableName
from tranship.model.plan import TablePlan
from tranship.planning.plan.person_sql import person_sql

_NOT_NAMES = re.compile(r"\b[eE]'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/", re.DOTALL)
_WHOLE_ROW = re.compile(r"\bold\b(?!\s*\.\s*[\w\"])", re.IGNORECASE)


def mentioned(
    plans: Sequence[TablePlan], columns: Iterable[ColumnRef], tables: Iterable[TableName]
) -> tuple[tuple[ColumnRef, ...], tuple[TableName, ...]]:
    """Returns those of the columns and tables that SQL names from which values of NEW come."""
    texts = [(plan.old, one.text) for plan in plans for one in person_sql(plan) if one.produces_values]
    bare = [(table, _NOT_NAMES.sub(" ", text)) for table, text in texts]
    named = tuple(name for name in tables if any(_names(text, name.name) for _, text in bare))
    return tuple(ref for ref in columns if any(_uses(*one, ref) for one in bare)), named


def _uses(table: TableName, text: str, ref: ColumnRef) -> bool:
    if ref.table == table:
        return _names(text, ref.column) or _WHOLE_ROW.search(text) is not None
    return _names(text, ref.table.name) and _names(text, ref.column)


def _names(text: str, name: str) -> bool:
    return re.search(rf"(?<![\w$]){re.escape(name)}(?![\w$])", text, re.IGNORECASE) is not None
