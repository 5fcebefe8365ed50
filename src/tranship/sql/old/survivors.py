"""The rows that a flow merges into others, each with the row that survives."""

from __future__ import annotations

from tranship.model.catalog import Table
from tranship.model.plan import TablePlan
from tranship.model.shape import Merge
from tranship.sql.old.batch import key_terms
from tranship.sql.old.merged import key_known, survivor_first
from tranship.sql.old.row_source import whole_table


def merged_rows(plan: TablePlan, old: Table, merge: Merge) -> str:
    """Returns a query for the rows that are merged into others: ``relation`` (OID) and ``id`` of each, then
    ``into_relation`` and ``into_id`` of its survivor. The relation of a query's rows is 0.

    Rows that ``keep`` calls equal survive in OLD key order, and those of one old row by their numbers.
    """
    rows = whole_table(plan)
    # The rows of a query lie in no heap.
    relation = (
        "CAST(old.tableoid AS pg_catalog.int8)" if plan.shape.in_a_heap else "CAST(0 AS pg_catalog.int8)"
    )
    places = [part.value for part in rows.parts]
    window = survivor_first(merge, [*key_terms(plan, old), relation, *places])
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
