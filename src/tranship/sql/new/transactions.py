"""Rows of NEW by the transactions that wrote them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tranship.model.catalog import Catalog, Partition, Table
from tranship.model.catalog_codes import RelationKind
from tranship.model.names import TableName
from tranship.sql.quote import relation


def written_by(alias: str, xids: Sequence[int]) -> str:
    """Returns the condition that one of these transactions wrote the row.

    ``xids`` are 64-bit numbers with the epoch, as ``txid_current()`` gives them; xmin holds the lower 32 bits
    (PostgreSQL documentation, "Transactions and Identifiers").
    """
    return f"({alias}.xmin = ANY ({_listed(xids)}))"


def _listed(xids: Sequence[int]) -> str:
    return "'{" + ",".join(str(x & 0xFFFFFFFF) for x in xids) + "}'::pg_catalog.xid[]"


def written_since(alias: str, oldest: int) -> str:
    """Returns the condition that transaction ``oldest`` or a later one wrote the row."""
    number = f"'{oldest & 0xFFFFFFFF}'::pg_catalog.xid"
    return f"pg_catalog.age({alias}.xmin) <= pg_catalog.age({number})"


def since(alias: str) -> str:
    """Returns the condition that transaction $1 (32 bits) or a later one wrote the row."""
    return f"pg_catalog.age({alias}.xmin) <= pg_catalog.age(CAST($1 AS pg_catalog.xid))"


class Extent(NamedTuple):
    """A stretch of a table: all rows between two ctids, in each partition where there are some."""

    first: tuple[int, int]
    last: tuple[int, int]
    rows: int

    def within(self, alias: str) -> str:
        """Returns the condition that a row lies there, which is a TID range scan since PostgreSQL 14."""
        first, last = (f"'({page},{line})'::pg_catalog.tid" for page, line in (self.first, self.last))
        return f"{alias}.ctid >= {first} AND {alias}.ctid <= {last}"


def written_by_others(alias: str, xids: Sequence[int]) -> str:
    """Returns the condition that none of these transactions wrote the row."""
    # A long list is looked up by its hash, by which PostgreSQL 14 evaluates = ANY but not <> ALL.
    return f"CASE WHEN {written_by(alias, xids)} THEN false ELSE true END"


def extents(table: Table, known: Sequence[int], apart: Sequence[int]) -> str:
    """Returns a query for the ``first`` and the ``last`` ctid and the number of the ``rows`` of each known
    transaction (``xid``, 32 bits) and of all others together (NULL), none before $1 (32 bits) and none of
    those that are set ``apart``.
    """
    ends = "pg_catalog.min(t.ctid) AS first, pg_catalog.max(t.ctid) AS last, pg_catalog.count(*) AS rows"
    kept = f"{since('t')} AND {written_by_others('t', apart)}"
    # By the transaction alone: to compare each row's with a list of 200 takes four times as long.
    each = f"SELECT t.xmin, {ends} FROM {relation_to_read(table)} AS t WHERE {kept} GROUP BY t.xmin"
    number = "CAST(CAST(h.xmin AS pg_catalog.text) AS pg_catalog.int8)"
    both = "pg_catalog.min(h.first) AS first, pg_catalog.max(h.last) AS last"
    return f"""
        SELECT CASE WHEN {written_by("h", known)} THEN {number} END AS xid, {both},
          CAST(pg_catalog.sum(h.rows) AS pg_catalog.int8) AS rows
        FROM ({each}) AS h GROUP BY 1
    """


def relation_to_read(table: Table) -> str:
    """Returns NEW's table as its constraints see it: with partitions, without inheritance children, and
    without the rows that are on their way out. It is a FROM item that needs an alias.
    """
    only = "" if table.kind == RelationKind.PARTITIONED_TABLE else "ONLY "
    return staying(table, f"{only}{relation(table.name)}")


def rows_of_partition(table: Table, leaf: Partition) -> str:
    """Returns the rows of one partition, read through its table, which the role may read in any case."""
    kept = f" AND NOT {written_by('t', table.leaving)}" if table.leaving else ""
    columns = "t.tableoid AS tableoid, t.ctid AS ctid, t.xmin AS xmin, t.*"
    return f"(SELECT {columns} FROM {relation(table.name)} AS t WHERE t.tableoid = {leaf.oid}{kept})"


def named_to_read(catalog: Catalog, name: TableName) -> str:
    """Returns the same for the table of this name. The kind of a table that the catalog does not hold, such
    as a partition, is not known: its name is the item.
    """
    table = catalog.table(name)
    return relation_to_read(table) if table is not None else relation(name)


def staying(table: Table, item: str) -> str:
    """Returns a FROM item over a table, without the rows that are on their way out."""
    if not table.leaving:
        return item
    kept = f"NOT {written_by('t', table.leaving)}"
    return f"(SELECT t.tableoid AS tableoid, t.ctid AS ctid, t.* FROM {item} AS t WHERE {kept})"
