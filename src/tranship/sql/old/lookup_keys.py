"""What a lookup needs from OLD: the keys that a batch looks up, and what OLD's rows will put into a lookup
table of NEW.
"""

from __future__ import annotations

from collections.abc import Sequence

from tranship.model.expression import Followed, Lookup, Rekeyed
from tranship.model.locator import Locator
from tranship.model.plan import TablePlan
from tranship.model.progress import Batch
from tranship.sql.expression import lookup_values
from tranship.sql.joins import followed_key, key_texts
from tranship.sql.lookup import several
from tranship.sql.new_keys import key_text
from tranship.sql.old.batch import in_range
from tranship.sql.old.row_source import RowSource, among, row_source, row_sources, where, without
from tranship.sql.quote import ident

_MOST_SHOWN = 3
"""Ambiguous keys that are named to a person: one is enough to refuse the lookup."""


def batch_keys(
    plan: TablePlan, batch: Batch, lookup: Lookup | Followed | Rekeyed, excluded: Sequence[Locator] = ()
) -> str:
    """Returns a query for the distinct keys of a batch's rows, as texts; keys with a NULL are never looked
    up. ``excluded`` are rows of the batch whose keys nobody needs.
    """
    rows = row_source(plan, batch.source, batch.range)
    return _distinct(rows, (*in_range(batch.range, plan), *without(rows, excluded)), lookup)


def keys_of(plan: TablePlan, rows: Sequence[Locator], lookup: Lookup | Followed | Rekeyed) -> str:
    """Returns a query for the distinct keys of chosen rows, at least one, of one source, as texts."""
    source = row_source(plan.unrestricted, rows[0].source)
    return _distinct(source, (among(source, rows),), lookup)


def keys_by_row(plan: TablePlan, rows: Sequence[Locator], lookup: Lookup) -> str:
    """Returns a query for the keys, as texts, of chosen rows, at least one, of one source: id, then the
    parts of the key.
    """
    source = row_source(plan.unrestricted, rows[0].source)
    texts = ", ".join(key_texts(lookup))
    return f"SELECT {source.id} AS id, {texts} {source.read((among(source, rows),))}"


def rows_with_keys(plan: TablePlan, lookup: Lookup, excluded: Sequence[Locator]) -> str:
    """Returns a query for the rows, but for the excluded ones, that look up one of the given keys: source
    position, id.

    Its parameters are ``text[]``, one for each key column, with the texts that :func:`batch_keys` gives.
    """
    terms = key_texts(lookup)
    given = ", ".join(f"${n + 1}::pg_catalog.text[]" for n in range(len(terms)))
    columns = [f"k{n}" for n in range(len(terms))]
    wanted = f"SELECT * FROM ROWS FROM (pg_catalog.unnest({given})) AS w({', '.join(columns)})"
    on = " AND ".join(f"wanted.{name} OPERATOR(pg_catalog.=) r.{name}" for name in columns)
    named = ", ".join(f"{term} AS {name}" for term, name in zip(terms, columns, strict=True))
    reads = []
    for number, rows in row_sources(plan):
        kept = without(rows, [row for row in excluded if row.source == number])
        # OFFSET 0: expressions are computed for the rows that are left alone.
        read = f"SELECT {rows.id} AS id, {named} {rows.read(kept)}\nOFFSET 0"
        reads.append(f"SELECT {number}, r.id FROM ({read}) AS r JOIN ({wanted}) AS wanted ON {on}")
    return " UNION ALL ".join(reads)


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


def _given(column: str) -> str:
    return f"old.{ident(column)} IS NOT NULL"


def _distinct(rows: RowSource, conditions: Sequence[str], lookup: Lookup | Followed | Rekeyed) -> str:
    if isinstance(lookup, Lookup) and lookup.key_sql:
        # OFFSET 0: expressions, which may raise, are computed for the rows that are left alone.
        names = [f"k{n}" for n in range(len(lookup.keys))]
        terms = ", ".join(f"{t} AS {name}" for t, name in zip(key_texts(lookup), names, strict=True))
        known = where(f"{name} IS NOT NULL" for name in names)
        read = f"SELECT {terms} {rows.read(conditions)}\nOFFSET 0"
        return f"SELECT DISTINCT {', '.join(names)} FROM ({read}) AS r{known}"
    if isinstance(lookup, Rekeyed):
        return f"SELECT DISTINCT {key_text(lookup)} {rows.read((*conditions, _given(lookup.column)))}"
    if isinstance(lookup, Lookup):
        texts, values = key_texts(lookup), lookup_values(lookup)
    else:
        texts, values = (followed_key(lookup),), tuple(f"old.{ident(c)}" for c in lookup.columns)
    given = [f"{value} IS NOT NULL" for value in values]
    return f"SELECT DISTINCT {', '.join(texts)} {rows.read((*conditions, *given))}"
