"""Statements that delete from NEW exactly the rows that a run wrote, and that show what stands beside them.

A run's rows are known by ``xmin``: the journal holds the transaction number of each batch.
"""

from __future__ import annotations

from collections.abc import Sequence

from tranship.model.catalog import ForeignKey
from tranship.model.names import TableName
from tranship.sql.foreign_keys import Ends, lacks_parent, matches_parent
from tranship.sql.new.transactions import written_by
from tranship.sql.new.transactions import written_since as later
from tranship.sql.quote import ident, relation

PAGES = """
    SELECT (pg_catalog.pg_relation_size($1::oid) / pg_catalog.current_setting('block_size')::bigint)::bigint
"""
"""$1: OID of a relation. Its heap in pages of ``block_size`` bytes."""
MAY_DELETE = """
    SELECT pg_catalog.bool_and(
        pg_catalog.has_table_privilege(leaf, 'SELECT') AND pg_catalog.has_table_privilege(leaf, 'DELETE'))
    FROM pg_catalog.unnest($1::oid[]) AS listed (leaf)
"""
"""$1: OIDs of relations. Whether this role may delete from each of them by its own name."""


def count_ours(table: TableName, xids: Sequence[int]) -> str:
    """Returns a query for the number of rows of a table that these transactions wrote."""
    return count_in(relation(table), xids)


def count_in(rows: str, xids: Sequence[int]) -> str:
    """Returns the same query for a FROM item of a table."""
    return f"SELECT count(*) FROM {rows} AS t WHERE {written_by('t', xids)}"


def delete_together(tables: Sequence[tuple[TableName, Sequence[int]]]) -> str:
    """Returns one statement that deletes the rows from all these tables. Its one row holds the counts ``n0``,
    ``n1`` …

    Foreign keys are checked when the statement ends, so tables that refer to each other in a cycle can be
    emptied.
    """
    parts = [
        f"d{n} AS (DELETE FROM {relation(name)} AS t WHERE {written_by('t', xids)} RETURNING 1)"
        for n, (name, xids) in enumerate(tables)
    ]
    counts = ", ".join(f"(SELECT count(*) FROM d{n}) AS n{n}" for n in range(len(tables)))
    return f"WITH {', '.join(parts)} SELECT {counts}"


def delete_pages(leaf: TableName, xids: Sequence[int], first: int, end: int) -> str:
    """Returns a statement that deletes the rows on pages ``first`` ≤ page < ``end`` of one relation.

    ``leaf`` is no partitioned table: a range of ctids means pages of one heap, and is read as a TID range
    scan.
    """
    pages = f"t.ctid >= '({first},0)'::pg_catalog.tid AND t.ctid < '({end},0)'::pg_catalog.tid"
    return f"DELETE FROM ONLY {relation(leaf)} AS t WHERE {pages} AND {written_by('t', xids)}"


def whole_rows_identify(table: TableName) -> str:
    """Returns a statement for a person: with it, rows can be deleted from a published table that has no
    key.
    """
    return f"ALTER TABLE {relation(table)} REPLICA IDENTITY FULL;"


def detach_partition(above: TableName, table: TableName) -> str:
    """Returns a statement for a person that makes a partition a table of its own."""
    return f"ALTER TABLE {relation(above)} DETACH PARTITION {relation(table)};"


def rename_table(present: TableName, name: TableName) -> str:
    """Returns statements for a person that give a table its name and schema back."""
    moved = TableName(name.schema, present.name)
    schema = f"ALTER TABLE {relation(present)} SET SCHEMA {ident(name.schema)}; "
    rename = f"ALTER TABLE {relation(moved)} RENAME TO {ident(name.name)};"
    return (schema if moved != present else "") + (rename if moved != name else "")


def written_since(rows: str, key: Sequence[str], xids: Sequence[int], oldest: int, limit: int) -> str:
    """Returns a query for keys (one ``text[]`` each) of rows that others wrote since the run began, in key
    order.

    ``rows`` is the FROM item of the table (``named_to_read``). ``oldest`` is the run's first transaction in
    the table; ``limit`` is the most rows to name.
    """
    kinds = {"tableoid": "::pg_catalog.regclass"}
    texts = ", ".join(f"t.{ident(column)}{kinds.get(column, '')}::pg_catalog.text" for column in key)
    order = ", ".join(f"t.{ident(column)}" for column in key)
    return f"""
        SELECT ARRAY[{texts}] AS key FROM {rows} AS t
        WHERE {later("t", oldest)} AND NOT {written_by("t", xids)}
        ORDER BY {order} LIMIT {limit}
    """


def parentless(ends: Ends, key: ForeignKey) -> str:
    """Returns a query for the number of a child's rows, whoever wrote them, whose parent is missing."""
    return f"SELECT count(*) FROM {ends.children} AS c WHERE {lacks_parent(key, ends.parents)}"


def foreign_children(
    ends: Ends, key: ForeignKey, child_xids: Sequence[int], parent_xids: Sequence[int]
) -> str:
    """Returns a query for the number of a child's rows that others wrote and whose parent the run wrote."""
    return f"SELECT count(*) {_of_others(ends, key, child_xids, parent_xids)}"


def foreign_children_named(
    ends: Ends,
    key: ForeignKey,
    columns: Sequence[str],
    child_xids: Sequence[int],
    parent_xids: Sequence[int],
    limit: int,
) -> str:
    """Returns a query for the values of ``columns`` (one ``text[]`` each) of the first of these rows, in
    their order.
    """
    texts = ", ".join(f"c.{ident(column)}::pg_catalog.text" for column in columns)
    order = ", ".join(f"c.{ident(column)}" for column in columns)
    of_others = _of_others(ends, key, child_xids, parent_xids)
    return f"SELECT ARRAY[{texts}] AS key {of_others} ORDER BY {order} LIMIT {limit}"


def _of_others(ends: Ends, key: ForeignKey, child_xids: Sequence[int], parent_xids: Sequence[int]) -> str:
    return f"""
        FROM {ends.children} AS c JOIN {ends.parents} AS p ON {matches_parent(key)}
        WHERE {written_by("p", parent_xids)} AND NOT {written_by("c", child_xids)}
    """
