"""Rows of NEW by the transactions that wrote them."""

from __future__ import annotations

from collections.abc import Sequence

from tranship.model.catalog import Table
from tranship.model.catalog_codes import RelationKind
from tranship.sql.quote import relation


def written_by(alias: str, xids: Sequence[int]) -> str:
    """Returns the condition that one of these transactions wrote the row.

    ``xids`` are 64-bit numbers with the epoch, as ``txid_current()`` gives them; xmin holds the lower 32 bits
    (PostgreSQL documentation, "Transactions and Identifiers").
    """
    numbers = "'{" + ",".join(str(x & 0xFFFFFFFF) for x in xids) + "}'::bigint[]"
    return f"({alias}.xmin::text::bigint = ANY ({numbers}))"


def relation_to_read(table: Table) -> str:
    """Returns NEW's table as its constraints see it: with partitions, without inheritance children, and
    without the rows that are on their way out. It is a FROM item that needs an alias.
    """
    only = "" if table.kind == RelationKind.PARTITIONED_TABLE else "ONLY "
    return staying(table, f"{only}{relation(table.name)}")


def staying(table: Table, item: str) -> str:
    """Returns a FROM item over a table, without the rows that are on their way out."""
    if not table.leaving:
        return item
    kept = f"NOT {written_by('t', table.leaving)}"
    return f"(SELECT t.tableoid AS tableoid, t.ctid AS ctid, t.* FROM {item} AS t WHERE {kept})"
