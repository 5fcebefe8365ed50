"""Statements that count a table of OLD, find where its batches begin, and tell whether it has changed.

A "source" is one heap: the table itself, or a leaf of a partitioned table.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from tranship.model.names import TableName
from tranship.model.plan import Source, TablePlan
from tranship.model.shape import Query
from tranship.sql.old.row_source import (
    cut_text,
    filter_of,
    from_source,
    heap_of,
    in_source,
    items_of_row,
    row_source,
    taken,
    unmade_row,
    where,
)
from tranship.sql.old.safe_values import computed
from tranship.sql.quote import ident, literal, relation

VERSION = "pg_catalog.hashtextextended(old.ctid::text || ' ' || old.xmin::text, 0)"
"""A 64-bit hash of a row version: where it lies and which transaction wrote it. Sums of it do not depend on
the order.
"""


def in_physical_order(select: str, plan: TablePlan) -> str:
    """Returns a batch's read in the fixed order of its rows, with joins or without.

    It is needed where NEW's sequence numbers the rows as they arrive: a join alone keeps no order.
    """
    return f"{select}\nORDER BY {row_source(plan, 0).order}"


def versions(source: Source) -> str:
    """Returns a query for ``rows`` and ``digest`` as :func:`measure` has them, at half its cost: no batches
    are found.
    """
    return f"""
        SELECT count(*) AS rows, COALESCE(sum({VERSION}), 0)::text AS digest
        {from_source(source)}{where(in_source(source))}
    """


def settings(*names_and_values: tuple[str, str]) -> str:
    """Returns a statement that sets parameters until the transaction ends, and gives the server's version."""
    values = ", ".join(
        f"pg_catalog.set_config({literal(name)}, {literal(value)}, true)" for name, value in names_and_values
    )
    return f"""
        SELECT pg_catalog.current_setting('server_version_num')::pg_catalog.int4 AS version, {values}
    """


OLDEST = "SELECT pg_catalog.txid_snapshot_xmin(pg_catalog.txid_current_snapshot())"
"""The oldest transaction that was open when the snapshot was taken, as a 64-bit number."""
PAGES = """
    SELECT pg_catalog.pg_relation_size($1::oid) / CAST(pg_catalog.current_setting('block_size') AS int8)
"""
"""The pages of a heap now: no fewer than at the time of a snapshot that this transaction reads."""

ROWS_OF_PAGE = """
    SELECT CASE WHEN c.reltuples > 0 AND c.relpages > 0 THEN c.reltuples::float8 / c.relpages END
    FROM pg_catalog.pg_class c WHERE c.oid = $1
"""
"""Rows of a page of a heap by the last VACUUM or ANALYZE; NULL: there was none, or it found no row."""


SMALL = """
    SELECT s.oid::int8 AS oid FROM pg_catalog.unnest($1::oid[]) AS s(oid)
    WHERE pg_catalog.pg_relation_size(s.oid) <= $2::int8 * pg_catalog.current_setting('block_size')::int8
      AND pg_catalog.pg_table_size(s.oid) <= $3::int8
    ORDER BY 1
"""
"""Those of some heaps ($1) that have at most $2 pages, and with TOAST at most $3 bytes."""


SIZES = """
    SELECT s.oid::int8 AS oid, pg_catalog.pg_relation_size(s.oid) AS heap,
      pg_catalog.pg_table_size(s.oid) AS whole, c.relpersistence <> 'u' AS logged
    FROM pg_catalog.unnest($1::oid[]) AS s(oid) JOIN pg_catalog.pg_class c ON c.oid = s.oid
"""
"""The bytes of some heaps ($1), alone and with TOAST and maps, and whether a crash leaves them."""


UNLOGGED = """
    SELECT c.oid::int8 AS oid FROM pg_catalog.pg_class c
    WHERE c.oid = ANY ($1::oid[]) AND c.relpersistence = 'u'
"""
"""Those of some heaps ($1) that are empty after a crash of their server."""


def count_each(sources: Sequence[Source], *, digest: bool) -> str:
    """Returns a query for ``oid``, ``rows`` and ``digest`` of several sources, as :func:`versions` has them.

    Without ``digest`` it is '0'.
    """
    hashed = f"COALESCE(sum({VERSION}), 0)::text" if digest else "'0'"
    return " UNION ALL ".join(
        f"SELECT {source.oid}::int8 AS oid, count(*) AS rows, {hashed} AS digest"
        f" {from_source(source)}{where(in_source(source))}"
        for source in sources
    )


def recent(transaction: int) -> str:
    """Returns the condition that a transaction from this one on wrote the row version ``old``."""
    return f"pg_catalog.age(old.xmin) <= pg_catalog.age('{transaction % 2**32}'::pg_catalog.xid)"


def recent_versions(source: Source, transaction: int) -> str:
    """Returns a query for ``rows``, ``recent`` as ``page_counts.count_pages`` has it over all pages, and
    ``heap``: the file of the heap (pg_relation_filenode), which another one replaces when the heap is
    rewritten.
    """
    return f"""
        SELECT count(*) AS rows, pg_catalog.pg_relation_filenode({source.oid}::oid)::text AS heap,
          COALESCE(sum({VERSION}) FILTER (WHERE {recent(transaction)}), 0)::text AS recent
        {from_source(source)}{where(in_source(source))}
    """


def heap_file(source: Source) -> str:
    """Returns a query for the file of a heap."""
    return f"SELECT pg_catalog.pg_relation_filenode({source.oid}::oid)::text"


def rewritten(source: Source, transaction: int) -> str:
    """Returns a query for whether the heap of a source may have been rewritten since a snapshot, as
    :func:`newer` tells it.
    """
    # age() compares 32-bit numbers modulo 2^32, as xmin is stored.
    since = f"pg_catalog.age('{transaction % 2**32}'::pg_catalog.xid)"
    return f"""
        SELECT COALESCE(bool_or(pg_catalog.age(c.xmin) <= {since}), true)
        FROM pg_catalog.pg_class c WHERE c.oid = {source.oid}
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
    since = f"pg_catalog.age('{transaction % 2**32}'::pg_catalog.xid)"
    return f"""
        SELECT count(*) AS rows, count(*) FILTER (WHERE pg_catalog.age(old.xmin) <= {since}) AS newer,
          ({rewritten(source, transaction)}) AS rewritten
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
    hashed = VERSION if digest else "0::bigint"
    return f"""
        SELECT count(*) AS rows, COALESCE(sum(s.hashed), 0)::text AS digest,
          COALESCE(bool_and(s.up), true) AS ascending,
          COALESCE(array_agg(s.id::text ORDER BY s.n) FILTER (WHERE (s.n - 1) % {step} = 0), '{{}}') AS firsts
        FROM (
          SELECT old.ctid AS id, pg_catalog.row_number() OVER () AS n,
            COALESCE(old.ctid > pg_catalog.lag(old.ctid) OVER (), true) AS up, {hashed} AS hashed
          {from_source(source)}{where(in_source(source))}) AS s
    """


def measure_made(
    plan: TablePlan,
    number: int,
    step: int | None,
    conditions: Sequence[str] = (),
    *,
    digest: bool,
    ordered: bool = False,
) -> str:
    """Returns a query that reads old rows once, and counts what a flow makes of them, in batches of about
    ``step`` rows; an old row's items lie in one batch.

    Its rows, in physical order, one for each batch (or one for all old rows where ``step`` is None):

    * ``rows``: the rows that the flow makes;
    * ``old_rows``, ``left_out``, ``no_items``: the old rows, those that are not taken, and those that are
      taken and make no row;
    * ``with_parent``: those that the filter selects and that are left out with their parent;
    * ``first``: the ctid that opens the batch, as text; NULL without ``step``;
    * ``ascending``, ``digest``: as :func:`measure` has them; all old rows count.

    ``ordered`` sorts by ctid: for a scan that did not ascend.
    """
    source = plan.sources[number]
    counted = made_of_row(plan, source)
    hashed = VERSION if digest else "0::bigint"
    chosen = (filter_of(plan) or "true") if plan.shape.left_with else "false"
    divisor = step or 2**62
    first = "min(s.id)::text" if step is not None else "NULL::text"
    order = "\nORDER BY old.ctid" if ordered else ""
    return f"""
        SELECT COALESCE(sum(s.made), 0)::int8 AS rows, count(*)::int8 AS old_rows,
          (count(*) FILTER (WHERE s.made IS NULL))::int8 AS left_out,
          (count(*) FILTER (WHERE s.made = 0))::int8 AS no_items,
          (count(*) FILTER (WHERE s.made IS NULL AND s.chosen))::int8 AS with_parent,
          {first} AS first, bool_and(s.up) AS ascending, sum(s.hashed) AS digest
        FROM (
          SELECT r.id, r.made, r.chosen, r.hashed, COALESCE(r.id > pg_catalog.lag(r.id) OVER (), true) AS up,
            (sum(r.made) OVER (ROWS UNBOUNDED PRECEDING) - COALESCE(r.made, 0)) / {divisor} AS n
          FROM (
            SELECT old.ctid AS id, {counted} AS made, {chosen} AS chosen, {hashed} AS hashed
            {heap_of(plan, source)}{where((*in_source(source), *conditions))}{order}) AS r
        ) AS s
        GROUP BY COALESCE(s.n, 0) ORDER BY COALESCE(s.n, 0)
    """


def made_of_row(plan: TablePlan, source: Source) -> str:
    """Returns SQL for the number of rows that a flow makes of one row ``old``; NULL: the row is left out."""
    made = (
        "1" if plan.shape.items is None else f"(SELECT CAST(count(*) AS int4) {items_of_row(plan, source)})"
    )
    made = f"CASE WHEN {unmade_row(source)} THEN 1 ELSE {made} END" if source.unmade else made
    chosen = " AND ".join(taken(plan))
    return f"CASE WHEN {chosen} THEN {made} END" if chosen else made


def raising_old_rows(plan: TablePlan, number: int) -> str:
    """Returns a DO statement that finds the old rows for which the filter raises, or what makes the items.

    It leaves ``[[ctid, whether the row is taken, SQLSTATE, message], …]``, JSON in the setting
    ``tranship.answer``. Other errors than those of values end it, as in ``rows.raising_rows``.
    """
    source = replace(plan.sources[number], unmade=())
    rows = f"{from_source(source)}{where(in_source(source))}"
    this_row = f"{heap_of(plan, source)}{where((*in_source(source), 'old.ctid = tranship_row'))}"
    chosen = " AND ".join(f"({condition}) IS TRUE" for condition in taken(plan)) or "true"
    made = made_of_row(replace(plan, shape=replace(plan.shape, filter=None, left_with=())), source)
    block = _RAISING.format(rows=rows, this_row=this_row, chosen=chosen, made=made)
    return f"DO LANGUAGE plpgsql {literal(block)}"


_RAISING = """
#variable_conflict use_column
DECLARE
  tranship_row pg_catalog.tid;
  tranship_taken pg_catalog.bool;
  tranship_answers pg_catalog.text[] := '{{}}';
BEGIN
  FOR tranship_row IN SELECT old.ctid {rows} LOOP
    tranship_taken := false;
    BEGIN
      SELECT {chosen} INTO tranship_taken {this_row};
      IF tranship_taken THEN PERFORM {made} {this_row}; END IF;
    EXCEPTION WHEN OTHERS THEN
      IF pg_catalog.left(SQLSTATE, 2) NOT IN ('21', '22', '23', 'P0') THEN RAISE; END IF;
      tranship_answers := pg_catalog.array_append(tranship_answers, CAST(pg_catalog.json_build_array(
        CAST(tranship_row AS pg_catalog.text), tranship_taken, SQLSTATE, SQLERRM) AS pg_catalog.text));
    END;
  END LOOP;
  PERFORM pg_catalog.set_config('tranship.answer',
    '[' || pg_catalog.array_to_string(tranship_answers, ',') || ']', true);
END
"""


def count_made(plan: TablePlan, number: int, conditions: Sequence[str] = ()) -> str:
    """Returns a query for the number of rows that a flow makes of one source."""
    return f"SELECT count(*) {row_source(plan, number).read(conditions)}"


def measure_query(plan: TablePlan, query: Query, step: int) -> str:
    """Returns a query for the batches of about ``step`` rows of a person's SELECT: ``first``, the address of
    the first value of each, and ``rows``, in their order.
    """
    counted = f"SELECT {cut_text(query)} AS v, count(*) AS n {row_source(plan, 0).read()} GROUP BY 1"
    running = f"SELECT c.v, c.n, sum(c.n) OVER (ORDER BY c.v) - c.n AS before FROM ({counted}) AS c"
    return f"""
        SELECT min(r.v) AS first, sum(r.n)::int8 AS rows FROM ({running}) AS r
        GROUP BY CAST(pg_catalog.trunc(r.before / {step}) AS int8) ORDER BY 1
    """


def without_key(plan: TablePlan, query: Query) -> str:
    """Returns a query for the number of rows of a person's SELECT with a NULL in their key, or in the column
    by which it is cut. It computes all columns, so that it raises where one of them does.
    """
    nulls = " OR ".join(f"old.{ident(name)} IS NULL" for name in query.never_null)
    return f"SELECT count(*) {row_source(plan, 0).heap}\nWHERE {computed('old')} OR {nulls}"


def repeated_keys(plan: TablePlan, query: Query, most: int) -> str:
    """Returns a query for some keys (``text[]``) that several rows of a person's SELECT share."""
    texts = ", ".join(f"CAST(old.{ident(name)} AS pg_catalog.text)" for name in query.key)
    keys = ", ".join(f"old.{ident(name)}" for name in query.key)
    return f"""
        SELECT ARRAY[{texts}]::pg_catalog.text[] {row_source(plan, 0).heap}
        GROUP BY {keys} HAVING count(*) > 1 ORDER BY 1 LIMIT {most}
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


def count_unseen(source: Source, seen: Sequence[str]) -> str:
    """Returns a query for the ``rows`` of a source, and how many of them do not fulfil the conditions
    ``seen`` (``unseen``).

    A row of more than 2^31 transactions ago is frozen and keeps its xmin, which then looks like one to come
    (PostgreSQL documentation, "Preventing Transaction ID Wraparound Failures"): it is not unseen.
    """
    unseen = f"pg_catalog.age(old.xmin) >= 0 AND NOT ({' AND '.join(seen)})"
    return f"""
        SELECT count(*) AS rows, count(*) FILTER (WHERE {unseen}) AS unseen
        {from_source(source)}{where(in_source(source))}
    """


def count_relation(name: TableName, *, partitioned: bool) -> str:
    """Returns a query for the number of rows of a table that a decision leaves out.

    Partitions belong to it; children by classic inheritance are tables of their own.
    """
    return f"SELECT count(*) FROM {'' if partitioned else 'ONLY '}{relation(name)} AS t"


def bytes_of(source: Source) -> str:
    """Returns a query for the bytes of a source on disk: heap and TOAST, without indexes.

    Of a source that is restricted to some rows it is their share, by the server's estimate of all rows.
    Without an estimate all bytes count, which makes batches small.
    """
    size = f"pg_catalog.pg_table_size({source.oid}::oid)"
    if source.only is None:
        return f"SELECT {size}"
    rows = len(source.only)
    whole = f"(SELECT c.reltuples FROM pg_catalog.pg_class c WHERE c.oid = {source.oid})"
    share = f"{rows} / GREATEST({whole}, {max(rows, 1)})"
    return f"SELECT CAST(CAST({size} AS pg_catalog.float8) * {share} AS pg_catalog.int8)"
