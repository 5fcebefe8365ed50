"""Statements that count a table of OLD, find where its batches begin, and tell whether it has changed.

A "source" is one heap: the table itself, or a leaf of a partitioned table.
"""

from __future__ import annotations

from tranship.model.names import TableName
from tranship.model.plan import Source
from tranship.sql.old.batch import from_source, in_source, where
from tranship.sql.quote import relation

_VERSION = "pg_catalog.hashtextextended(old.ctid::text || ' ' || old.xmin::text, 0)"
"""A 64-bit hash of a row version: where it lies and which transaction wrote it. Sums of it do not depend on
the order.
"""


def in_physical_order(select: str) -> str:
    """Returns a batch's read in ctid order, with joins or without.

    It is needed where NEW's sequence numbers the rows as they arrive: a join alone keeps no order.
    """
    return f"{select}\nORDER BY old.ctid"


def versions(source: Source) -> str:
    """Returns a query for ``rows`` and ``digest`` as :func:`measure` has them, at half its cost: no batches
    are found.
    """
    return f"""
        SELECT count(*) AS rows, COALESCE(sum({_VERSION}), 0)::text AS digest
        {from_source(source)}{where(in_source(source))}
    """


def newer(source: Source, transaction: int) -> str:
    """Returns a query that shows whether a source changed since a snapshot, at a third of the cost of
    :func:`versions`.

    Its one row:

    * ``rows``: how many there are now;
    * ``newer``: how many of them a transaction from ``transaction`` on wrote;
    * ``rewritten``: whether such a transaction wrote the relation's row in ``pg_class``, as every rewrite of
      the heap does (VACUUM FULL, CLUSTER, ALTER TABLE): a rewrite moves rows and keeps their xmin.

    ``transaction`` is a 64-bit number with the epoch. xmin has 32 bits, so ages are compared, and a row that
    is more than 2^31 transactions old counts as newer. That is the safe side: the caller then compares every
    row version.
    """
    # age() compares 32-bit numbers modulo 2^32, as xmin is stored.
    since = f"pg_catalog.age('{transaction % 2**32}'::pg_catalog.xid)"
    rewritten = f"""
        SELECT COALESCE(bool_or(pg_catalog.age(c.xmin) <= {since}), true)
        FROM pg_catalog.pg_class c WHERE c.oid = {source.oid}
    """
    return f"""
        SELECT count(*) AS rows, count(*) FILTER (WHERE pg_catalog.age(old.xmin) <= {since}) AS newer,
          ({rewritten}) AS rewritten
        {from_source(source)}{where(in_source(source))}
    """


def measure(source: Source, step: int, *, digest: bool) -> str:
    """Returns a query that reads a source once, in physical order, and cuts it into batches of ``step`` rows.

    Its one row:

    * ``rows``: their number;
    * ``firsts``: the ctid that opens each batch, as ``text[]``;
    * ``ascending``: the scan met the rows in ctid order, so ranges between neighbouring ``firsts`` hold
      exactly ``step`` rows. A synchronized scan starts in the middle of a large table and does not
      (PostgreSQL documentation, "synchronize_seqscans");
    * ``digest``: the sum of all row versions' hashes, as text; '0' without ``digest``. Equal digests of two
      snapshots mean the same row versions.
    """
    # Hashing is a large part of the cost of the pass, so it is left out unless the digest is wanted.
    hashed = _VERSION if digest else "0::bigint"
    return f"""
        SELECT count(*) AS rows, COALESCE(sum(s.hashed), 0)::text AS digest,
          COALESCE(bool_and(s.up), true) AS ascending,
          COALESCE(array_agg(s.id::text ORDER BY s.n) FILTER (WHERE (s.n - 1) % {step} = 0), '{{}}') AS firsts
        FROM (
          SELECT old.ctid AS id, pg_catalog.row_number() OVER () AS n,
            COALESCE(old.ctid > pg_catalog.lag(old.ctid) OVER (), true) AS up, {hashed} AS hashed
          {from_source(source)}{where(in_source(source))}) AS s
    """


def measure_sorted(source: Source, step: int) -> str:
    """Returns a query for ``firsts`` as :func:`measure` has them, by sorting: for a scan that did not
    ascend.
    """
    return f"""
        SELECT COALESCE(array_agg(s.id::text ORDER BY s.n), '{{}}') AS firsts
        FROM (
          SELECT old.ctid AS id, pg_catalog.row_number() OVER (ORDER BY old.ctid) AS n
          {from_source(source)}{where(in_source(source))}) AS s
        WHERE (s.n - 1) % {step} = 0
    """


def count(source: Source) -> str:
    """Returns a query for the number of rows that a source shows."""
    return f"SELECT count(*) {from_source(source)}{where(in_source(source))}"


def count_relation(name: TableName, *, partitioned: bool) -> str:
    """Returns a query for the number of rows of a table that a decision leaves out.

    Partitions belong to it; children by classic inheritance are tables of their own.
    """
    return f"SELECT count(*) FROM {'' if partitioned else 'ONLY '}{relation(name)} AS t"


def bytes_of(source: Source) -> str:
    """Returns a query for the bytes of a source on disk: heap and TOAST, without indexes."""
    return f"SELECT pg_catalog.pg_table_size({source.oid}::oid)"
