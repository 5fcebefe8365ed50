"""Statements that count, measure and fingerprint a table of OLD and read it in physical order."""

from __future__ import annotations

from tranship.model.names import TableName
from tranship.model.plan import Source
from tranship.sql.old.batch import from_source, in_source, where
from tranship.sql.quote import relation


def in_physical_order(select: str) -> str:
    """A batch's read in the order the rows lie in, joins or not: where NEW's sequence numbers the rows as they come."""
    return f"{select}\nORDER BY old.ctid"


_VERSION = "pg_catalog.hashtextextended(old.ctid::text || ' ' || old.xmin::text, 0)"
"""A row version: where it lies and who wrote it."""


def versions(source: Source) -> str:
    """``rows`` and ``digest`` as :func:`measure` has them, for half its cost: nothing is cut."""
    return f"SELECT count(*) AS rows, COALESCE(sum({_VERSION}), 0)::text AS digest\n{from_source(source)}{where(in_source(source))}"


def newer(source: Source, transaction: int) -> str:
    """``rows``, ``newer`` (of them, those written by a transaction from ``transaction`` on; very old ones count, too, once their number is used
    again) and ``rewritten`` (so is the heap's own definition: a rewrite moves rows and keeps who wrote them). A third of what :func:`versions` costs.
    """
    since = f"pg_catalog.age('{transaction % 2**32}'::pg_catalog.xid)"
    rewritten = f"SELECT COALESCE(bool_or(pg_catalog.age(c.xmin) <= {since}), true) FROM pg_catalog.pg_class c WHERE c.oid = {source.oid}"
    return (
        f"SELECT count(*) AS rows, count(*) FILTER (WHERE pg_catalog.age(old.xmin) <= {since}) AS newer, ({rewritten}) AS rewritten\n"
        f"{from_source(source)}{where(in_source(source))}"
    )


def measure(source: Source, step: int, *, digest: bool) -> str:
    """One pass over a source in physical order. Its one row: ``rows``, ``firsts`` (the ctid that opens each batch of *step* rows),
    ``ascending`` (the pass met the rows in ctid order, so that ranges between firsts hold exactly *step* rows) and ``digest``
    (order-free over ctid and xmin: equal digests of two snapshots mean the same row versions; '0' when not asked for)."""
    conditions = where(in_source(source))
    hashed = _VERSION if digest else "0::bigint"
    return (
        "SELECT count(*) AS rows, COALESCE(sum(s.hashed), 0)::text AS digest, COALESCE(bool_and(s.up), true) AS ascending,\n"
        f" COALESCE(array_agg(s.id::text ORDER BY s.n) FILTER (WHERE (s.n - 1) % {step} = 0), '{{}}') AS firsts\n"
        "FROM (SELECT old.ctid AS id, pg_catalog.row_number() OVER () AS n,\n"
        f"  COALESCE(old.ctid > pg_catalog.lag(old.ctid) OVER (), true) AS up, {hashed} AS hashed\n"
        f"  {from_source(source)}{conditions}) AS s"
    )


def measure_sorted(source: Source, step: int) -> str:
    """As :func:`measure`, in ctid order by sorting: where the scan itself did not ascend."""
    conditions = where(in_source(source))
    return (
        "SELECT COALESCE(array_agg(s.id::text ORDER BY s.n), '{}') AS firsts FROM (\n"
        f"  SELECT old.ctid AS id, pg_catalog.row_number() OVER (ORDER BY old.ctid) AS n\n  {from_source(source)}{conditions}) AS s\n"
        f"WHERE (s.n - 1) % {step} = 0"
    )


def count(source: Source) -> str:
    """How many rows a source shows."""
    return f"SELECT count(*) {from_source(source)}{where(in_source(source))}"


def count_relation(name: TableName, *, partitioned: bool) -> str:
    """How many rows a table that is left out holds; children of classic inheritance are tables of their own."""
    return f"SELECT count(*) FROM {'' if partitioned else 'ONLY '}{relation(name)} AS t"


def bytes_of(source: Source) -> str:
    """Heap and TOAST of a source."""
    return f"SELECT pg_catalog.pg_table_size({source.oid}::oid)"
