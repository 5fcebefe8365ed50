"""Statements that count what a run left in a table of NEW."""

from __future__ import annotations

from collections.abc import Sequence

NEXT_XID = "SELECT pg_catalog.txid_snapshot_xmax(pg_catalog.txid_current_snapshot())"
"""The next transaction number, 64 bits; takes none, so that a read-only session may ask."""

WRAP = 2**31
"""Transactions after which the 32 bits of an xmin no longer prove whose row it is (PostgreSQL documentation,
"Preventing Transaction ID Wraparound Failures").
"""


TOGETHER = 50
"""Tables that one statement counts: it locks each of them with its indexes."""


def each(queries: Sequence[str]) -> str:
    """Returns a query for the rows of several queries with equal columns; ``n``: which of them gave a row."""
    return " UNION ALL ".join(f"SELECT {n} AS n, q.* FROM ({one}) AS q" for n, one in enumerate(queries))


def count_written(rows: str, xids: Sequence[int], oldest: int) -> str:
    """Returns a query that counts a table's rows in one pass, grouped by the transactions that wrote them.

    ``rows`` is the FROM item of the table, without what inherits from it. The query's one row: ``whole``, the
    rows of the table; ``ours``, those that ``xids`` wrote (64-bit numbers, xmin has the lower 32 bits);
    ``others``, those that other transactions wrote, none of them before ``oldest``.
    """
    numbers = "'{" + ",".join(str(xid & 0xFFFFFFFF) for xid in xids) + "}'::bigint[]"
    later = f"NOT g.ours AND pg_catalog.age(g.xid) <= pg_catalog.age('{oldest & 0xFFFFFFFF}'::pg_catalog.xid)"
    # Groups are few where rows came by COPY; looking for a group among the numbers is cheaper than for a row.
    return f"""
        SELECT COALESCE(sum(g.n), 0)::bigint AS whole,
          COALESCE(sum(g.n) FILTER (WHERE g.ours), 0)::bigint AS ours,
          COALESCE(sum(g.n) FILTER (WHERE {later}), 0)::bigint AS others
        FROM (
          SELECT x.xid, x.n, x.xid::text::bigint = ANY ({numbers}) AS ours
          FROM (SELECT t.xmin AS xid, count(*) AS n FROM {rows} AS t GROUP BY t.xmin) AS x
        ) AS g
    """
