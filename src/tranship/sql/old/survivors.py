"""The rows that a flow merges into others, each with the row that survives."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from tranship.model.catalog import Table
from tranship.model.plan import TablePlan
from tranship.model.shape import Merge
from tranship.sql.old.batch import key_terms
from tranship.sql.old.merged import key_known, survivor_first
from tranship.sql.old.row_source import whole_table
from tranship.sql.quote import ident


def merged_rows(plan: TablePlan, old: Table, merge: Merge) -> str:
    """Returns a query for the rows that are merged into others: ``relation`` (OID) and ``id`` of each, then
    ``into_relation`` and ``into_id`` of its survivor. The relation of a query's rows is 0.

    Rows that ``keep`` calls equal survive in OLD key order, and those of one old row by their numbers.
    """
    rows = whole_table(plan)
    relation, window = _relation(plan), _window(plan, old, merge)
    return f"""
        SELECT m.relation, m.id, m.into_relation, m.into_id FROM (
          SELECT {relation} AS relation, {rows.id} AS id,
            pg_catalog.first_value({relation}) OVER w AS into_relation,
            pg_catalog.first_value({rows.id}) OVER w AS into_id
          {rows.read(key_known(merge))}
          WINDOW w AS ({window})) AS m
        WHERE m.relation <> m.into_relation OR m.id <> m.into_id
        ORDER BY m.relation, m.id
    """


def values_lost(
    plan: TablePlan, old: Table, merge: Merge, columns: Sequence[str], loosely: AbstractSet[str]
) -> str:
    """Returns a query for the rows that are merged into others and hold a value in some old ``columns`` that
    the row which stays does not: ``rows`` of them in any column, and the rows of each, ``c0`` …

    Values are compared by a hash of their text (64 bits), so that a sort holds no large value; in columns
    that are compared ``loosely``, without case and blanks.
    """
    rows = whole_table(plan)
    relation, window = _relation(plan), _window(plan, old, merge)
    texts = {name: f"CAST(old.{ident(name)} AS pg_catalog.text)" for name in columns}
    texts |= {name: _loose(texts[name]) for name in loosely}
    values = [f'pg_catalog.hashtextextended({texts[name]} COLLATE pg_catalog."C", 0)' for name in columns]
    own = ", ".join(
        f"{value} AS v{n}, pg_catalog.first_value({value}) OVER w AS s{n}" for n, value in enumerate(values)
    )
    lost = [f"m.v{n} IS NOT NULL AND m.v{n} IS DISTINCT FROM m.s{n}" for n in range(len(values))]
    counts = ", ".join(f"pg_catalog.count(*) FILTER (WHERE {one}) AS c{n}" for n, one in enumerate(lost))
    return f"""
        SELECT pg_catalog.count(*) FILTER (WHERE {" OR ".join(lost)}) AS rows, {counts} FROM (
          SELECT {relation} AS relation, {rows.id} AS id,
            pg_catalog.first_value({relation}) OVER w AS into_relation,
            pg_catalog.first_value({rows.id}) OVER w AS into_id, {own}
          {rows.read(key_known(merge))}
          WINDOW w AS ({window})) AS m
        WHERE m.relation <> m.into_relation OR m.id <> m.into_id
    """


def _loose(text: str) -> str:
    return f"pg_catalog.lower(pg_catalog.regexp_replace({text}, '\\s+', '', 'g'))"


def _relation(plan: TablePlan) -> str:
    """Returns the relation of a row as a number; the rows of a query lie in no heap."""
    heap = plan.shape.in_a_heap
    return f"CAST({'old.tableoid' if heap else '0'} AS pg_catalog.int8)"


def _window(plan: TablePlan, old: Table, merge: Merge) -> str:
    places = [part.value for part in whole_table(plan).parts]
    return survivor_first(merge, [*key_terms(plan, old), _relation(plan), *places])
