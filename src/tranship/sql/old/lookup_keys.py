"""What a lookup needs from OLD: the keys that a batch looks up, and what OLD's rows will put into a lookup
table of NEW.
"""

from __future__ import annotations

from collections.abc import Sequence

from tranship.model.expression import Lookup
from tranship.model.locator import Locator
from tranship.model.plan import TablePlan
from tranship.model.progress import Batch
from tranship.sql.expression import key_text
from tranship.sql.lookup import several
from tranship.sql.old.batch import in_range
from tranship.sql.old.row_source import RowSource, among, row_source, row_sources, where
from tranship.sql.quote import ident

_MOST_SHOWN = 3
"""Ambiguous keys that are named to a person: one is enough to refuse the lookup."""


def batch_keys(plan: TablePlan, batch: Batch, lookup: Lookup) -> str:
    """Returns a query for the distinct keys of a batch's rows, as texts; keys with a NULL are never looked
    up.
    """
    return _distinct(row_source(plan, batch.source), in_range(batch.range), lookup)


def keys_of(plan: TablePlan, rows: Sequence[Locator], lookup: Lookup) -> str:
    """Returns a query for the distinct keys of chosen rows, at least one, of one source, as texts."""
    source = row_source(plan, rows[0].source)
    return _distinct(source, (among(source, rows),), lookup)


def ambiguous_to_be(plan: TablePlan, keys: Sequence[str], value: str) -> str:
    """Returns a query for some keys that will stand for different values once OLD's rows fill a lookup table
    of NEW.

    ``keys`` are SQL of canonical texts over ``old``, ``value`` is SQL of a shipped text.
    """
    named = ", ".join(f"{key} AS k{n}" for n, key in enumerate(keys))
    columns = ", ".join(f"k{n}" for n in range(len(keys)))
    reads = " UNION ALL ".join(f"SELECT {named}, {value} AS v {rows.read()}" for _, rows in row_sources(plan))
    known = where(f"k{n} IS NOT NULL" for n in range(len(keys)))
    return f"""
        SELECT {columns} FROM ({reads}) AS r{known}
        GROUP BY {columns} HAVING {several("v")} ORDER BY {columns} LIMIT {_MOST_SHOWN}
    """


def _distinct(rows: RowSource, conditions: Sequence[str], lookup: Lookup) -> str:
    keys = ", ".join(key_text(c) for c in lookup.columns)
    known = [f"old.{ident(c)} IS NOT NULL" for c in lookup.columns]
    return f"SELECT DISTINCT {keys} {rows.read((*conditions, *known))}"
