"""Statements around the copying: snapshot and locks, cutting, triggers, foreign keys, sequences, backends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tranship.model.catalog import ForeignKey
from tranship.model.names import TableName
from tranship.model.plan import Source
from tranship.sql.copy import from_source, in_source, where
from tranship.sql.quote import ident, literal, relation

BEGIN_SNAPSHOT = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
BEGIN_READ_ONLY = "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY"
BEGIN_BATCH = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
READ_WRITE = "SET TRANSACTION READ WRITE"
READ_ONLY = "SET TRANSACTION READ ONLY"
ORIGIN = "SET LOCAL session_replication_role = origin"
AS_ORIGIN = "SET session_replication_role = origin"
EXPORT_SNAPSHOT = "SELECT pg_catalog.pg_export_snapshot()"
REPLICA = "SET LOCAL session_replication_role = replica"
CONSTRAINTS_NOW = "SET CONSTRAINTS ALL IMMEDIATE"
SAVEPOINT = "SAVEPOINT tranship"
TO_SAVEPOINT = "ROLLBACK TO SAVEPOINT tranship"
RELEASE = "RELEASE SAVEPOINT tranship"
NO_STATEMENT_TIMEOUT = "SET statement_timeout = 0"
"""Reads no catalog: quick enough for a database whose own limit is a few milliseconds."""
LOGGED_IN = "SET ROLE NONE"
AS_BY_DEFAULT = "RESET ROLE"
BROUGHT_ALONG = (
    "SELECT pg_catalog.current_setting('synchronous_commit') AS durability,"
    " pg_catalog.current_setting('session_replication_role') AS replication_role"
)
"""What role or database set on NEW that would change what happens to rows or to commits."""
BACKEND = "SELECT pg_catalog.pg_backend_pid()"
CURRENT_XID = "SELECT pg_catalog.txid_current()"
TRY_LOCK = "SELECT pg_catalog.pg_try_advisory_lock($1)"
UNLOCK = "SELECT pg_catalog.pg_advisory_unlock($1)"


class Unit(NamedTuple):
    """How one batch begins and ends."""

    begin: str
    commit: str
    rollback: str


TRANSACTION = Unit(BEGIN_BATCH, "COMMIT", "ROLLBACK")
REHEARSED = Unit("SAVEPOINT batch", "RELEASE SAVEPOINT batch", "ROLLBACK TO SAVEPOINT batch; RELEASE SAVEPOINT batch")
"""Inside the one transaction of a rehearsal."""


def import_snapshot(snapshot: str) -> str:
    """Joins an exported snapshot; first statement of the transaction."""
    return f"SET TRANSACTION SNAPSHOT {literal(snapshot)}"


def lock_shared(relations: Sequence[TableName]) -> str:
    """ACCESS SHARE on all of them (partitions included), before the snapshot is taken."""
    return f"LOCK TABLE {', '.join(relation(name) for name in relations)} IN ACCESS SHARE MODE"


def current_snapshot(version: int) -> str:
    """The snapshot as ``text`` and the ``timeline`` (hexadecimal) it belongs to."""
    function = "pg_current_snapshot" if version >= 130000 else "txid_current_snapshot"
    return (
        f"SELECT pg_catalog.{function}()::text AS text, CASE WHEN pg_catalog.pg_is_in_recovery()"
        " THEN pg_catalog.lpad(pg_catalog.upper(pg_catalog.to_hex((SELECT timeline_id FROM pg_catalog.pg_control_checkpoint()))), 8, '0')"
        " ELSE pg_catalog.left(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 8) END AS timeline"
    )


def set_local(name: str, value: str) -> str:
    """``SET LOCAL`` of one parameter."""
    return f"SET LOCAL {ident(name)} = {literal(value)}"


def set_session(name: str, value: str) -> str:
    """``SET`` of one parameter."""
    return f"SET {ident(name)} = {literal(value)}"


def insert_defaults(table: TableName, rows: int) -> str:
    """Rows that NEW fills alone: a SELECT without columns gives every column its default."""
    return f"INSERT INTO {relation(table)} SELECT FROM pg_catalog.generate_series(1, {rows})"


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


# --- triggers -------------------------------------------------------------------------------------------------------------------

_STATES = {"O": "ENABLE TRIGGER", "D": "DISABLE TRIGGER", "R": "ENABLE REPLICA TRIGGER", "A": "ENABLE ALWAYS TRIGGER"}


def trigger_state(table: TableName, trigger: str, state: str) -> str:
    """Puts one trigger of one relation into a state of ``pg_trigger.tgenabled``; clones on partitions are addressed by themselves."""
    return f"ALTER TABLE ONLY {relation(table)} {_STATES[state]} {ident(trigger)}"


# --- foreign keys ---------------------------------------------------------------------------------------------------------------


def drop_constraint(table: TableName, name: str) -> str:
    """Drops a constraint, partitions included."""
    return f"ALTER TABLE {relation(table)} DROP CONSTRAINT {ident(name)}"


def add_foreign_key(table: TableName, key: ForeignKey, *, partitioned: bool) -> str:
    """Adds it back as it was: NOT VALID, so that writers wait only a moment (whole where either end is
    partitioned: such a table knows no other way, and a later VALIDATE forgets what stands behind each partition it refers to)."""
    definition = key.definition.removesuffix(" NOT VALID")
    late = "" if (partitioned and key.validated) or not key.enforced else " NOT VALID"
    return f"ALTER TABLE {relation(table)} ADD CONSTRAINT {ident(key.name)} {definition}{late}"


def validate_constraint(table: TableName, name: str) -> str:
    """Proves a NOT VALID constraint without keeping writers out."""
    return f"ALTER TABLE {relation(table)} VALIDATE CONSTRAINT {ident(name)}"


def comment_on_constraint(table: TableName, name: str, comment: str) -> str:
    """Gives a constraint its comment back."""
    return f"COMMENT ON CONSTRAINT {ident(name)} ON {relation(table)} IS {literal(comment)}"


def orphans(table: TableName, key: ForeignKey, xids: Sequence[int], *, limit: int) -> str:
    """Rows that these transactions wrote into NEW and that break a foreign key: ``relation``, ``id`` (ctid) and ``xmin``.

    MATCH FULL also refuses keys that are partly NULL.
    """
    pairs = " AND ".join(f"p.{ident(t)} = c.{ident(n)}" for n, t in zip(key.columns, key.target_columns, strict=True))
    present = " AND ".join(f"c.{ident(n)} IS NOT NULL" for n in key.columns)
    broken = f"({present} AND NOT EXISTS (SELECT FROM {relation(key.target)} AS p WHERE {pairs}))"
    if key.match_full and len(key.columns) > 1:
        some = " OR ".join(f"c.{ident(n)} IS NOT NULL" for n in key.columns)
        broken = f"({broken} OR (({some}) AND NOT ({present})))"
    return (
        "SELECT c.tableoid::oid::bigint AS relation, c.ctid::text AS id, c.xmin::text::bigint AS xmin\n"
        f"FROM {relation(table)} AS c WHERE {broken} AND {written_by('c', xids)} LIMIT {limit}"
    )


# --- rows we wrote --------------------------------------------------------------------------------------------------------------


def written_by(alias: str, xids: Sequence[int]) -> str:
    """Condition: one of these transactions wrote the row. A xmin has 32 bits, so have the numbers given."""
    return f"({alias}.xmin::text::bigint = ANY ({_numbers(xids)}))"


def _numbers(xids: Sequence[int]) -> str:
    return "'{" + ",".join(str(x & 0xFFFFFFFF) for x in xids) + "}'::bigint[]"


# --- sequences ------------------------------------------------------------------------------------------------------------------


def sequence_state(name: TableName) -> str:
    """One row: last_value as text, is_called."""
    return f"SELECT last_value::text AS last, is_called AS called FROM {relation(name)}"


def extreme(table: TableName, column: str, *, descending: bool) -> str:
    """The column's furthest value in the sequence's direction, as text; NULL in an empty table."""
    function = "min" if descending else "max"
    return f"SELECT pg_catalog.{function}({ident(column)})::text FROM {relation(table)}"


def restart_sequence(name: TableName, value: int) -> str:
    """Gives the sequence new storage inside the transaction, so that a rollback undoes what numbers it hands out afterwards."""
    return f"ALTER SEQUENCE {relation(name)} RESTART WITH {value}"


def set_sequence(name: TableName, value: int, *, called: bool) -> str:
    """Moves a sequence."""
    return f"SELECT pg_catalog.setval({literal(relation(name))}::pg_catalog.regclass, {value}, {'true' if called else 'false'})"


def advance_sequence(name: TableName, value: int, *, called: bool, descending: bool) -> str:
    """Moves a sequence unless it stands further by now; one row when it moved."""
    told = "true" if called else "false"
    further = f"s.last_value {'>' if descending else '<'} {value} OR (s.last_value = {value} AND s.is_called < {told})"
    moved = f"pg_catalog.setval({literal(relation(name))}::pg_catalog.regclass, {value}, {told})"
    return f"SELECT {moved} FROM {relation(name)} AS s WHERE {further}"


TRY_XML = "SELECT '<a/>'::pg_catalog.text::pg_catalog.xml IS NULL"
"""Fails with 0A000 on a server that was built without libxml."""
