"""Statements around the copying: snapshot and locks, cutting, triggers, foreign keys, sequences, backends."""

from __future__ import annotations

from collections.abc import Sequence

from tranship.model.catalog import ForeignKey
from tranship.model.names import TableName
from tranship.model.plan import Source
from tranship.sql.copy import from_source, in_source, where
from tranship.sql.quote import ident, literal, relation

BEGIN_SNAPSHOT = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
EXPORT_SNAPSHOT = "SELECT pg_catalog.pg_export_snapshot()"
REPLICA = "SET LOCAL session_replication_role = replica"
CONSTRAINTS_NOW = "SET CONSTRAINTS ALL IMMEDIATE"
SAVEPOINT = "SAVEPOINT tranship"
TO_SAVEPOINT = "ROLLBACK TO SAVEPOINT tranship"
RELEASE = "RELEASE SAVEPOINT tranship"
BACKEND = "SELECT pg_catalog.pg_backend_pid()"
TRY_LOCK = "SELECT pg_catalog.pg_try_advisory_lock($1)"
UNLOCK = "SELECT pg_catalog.pg_advisory_unlock($1)"


def import_snapshot(snapshot: str) -> str:
    """Joins an exported snapshot; first statement of the transaction."""
    return f"SET TRANSACTION SNAPSHOT {literal(snapshot)}"


def lock_shared(relations: Sequence[TableName]) -> str:
    """ACCESS SHARE on all of them (partitions included), before the snapshot is taken."""
    return f"LOCK TABLE {', '.join(relation(name) for name in relations)} IN ACCESS SHARE MODE"


def current_snapshot(version: int) -> str:
    """The snapshot as text: equal texts on one cluster mean that nothing was written in between."""
    function = "pg_current_snapshot" if version >= 130000 else "txid_current_snapshot"
    return f"SELECT pg_catalog.{function}()::text"


def set_local(name: str, value: str) -> str:
    """``SET LOCAL`` of one parameter."""
    return f"SET LOCAL {ident(name)} = {literal(value)}"


def set_session(name: str, value: str) -> str:
    """``SET`` of one parameter."""
    return f"SET {ident(name)} = {literal(value)}"


def copy_in(table: TableName, columns: Sequence[str], *, binary: bool) -> str:
    """``COPY … FROM STDIN`` with an explicit column list (a table without columns has none)."""
    names = f" ({', '.join(ident(c) for c in columns)})" if columns else ""
    return f"COPY {relation(table)}{names} FROM STDIN (FORMAT {'binary' if binary else 'text'})"


def insert_defaults(table: TableName) -> str:
    """One row that NEW fills alone."""
    return f"INSERT INTO {relation(table)} DEFAULT VALUES"


def measure(source: Source, step: int, *, digest: bool) -> str:
    """One pass over a source in physical order. Its one row: ``rows``, ``firsts`` (the ctid that opens each batch of *step* rows),
    ``ascending`` (the pass met the rows in ctid order, so that ranges between firsts hold exactly *step* rows) and ``digest``
    (order-free over ctid and xmin: equal digests of two snapshots mean the same row versions; '0' when not asked for)."""
    conditions = where(in_source(source))
    hashed = "pg_catalog.hashtextextended(old.ctid::text || ' ' || old.xmin::text, 0)" if digest else "0::bigint"
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


def count_relation(name: TableName) -> str:
    """How many rows a table left out of the plan holds, partitions included, children not (``ONLY`` would skip partitions)."""
    return f"SELECT count(*) FROM {relation(name)} AS t"


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


def add_foreign_key(table: TableName, key: ForeignKey, *, partitioned: bool, comment: str | None) -> str:
    """Adds it back as it was: NOT VALID first and validated in a second step, so that writers wait only a moment (plain where partitioned)."""
    definition = key.definition.removesuffix(" NOT VALID")
    head = f"ALTER TABLE {relation(table)} ADD CONSTRAINT {ident(key.name)} {definition}"
    parts = [head if partitioned and key.validated else f"{head} NOT VALID"]
    if key.validated and not partitioned and key.enforced:
        parts.append(f"ALTER TABLE {relation(table)} VALIDATE CONSTRAINT {ident(key.name)}")
    if comment is not None:
        parts.append(f"COMMENT ON CONSTRAINT {ident(key.name)} ON {relation(table)} IS {literal(comment)}")
    return "; ".join(parts)


def orphans(table: TableName, key: ForeignKey, *, limit: int) -> str:
    """Rows of NEW that break a foreign key: ``tableoid``, ``ctid`` and ``xmin`` as text. MATCH FULL also refuses keys that are partly NULL."""
    pairs = " AND ".join(f"p.{ident(t)} = c.{ident(n)}" for n, t in zip(key.columns, key.target_columns, strict=True))
    present = " AND ".join(f"c.{ident(n)} IS NOT NULL" for n in key.columns)
    missing = f"({present}) AND NOT EXISTS (SELECT FROM {relation(key.target)} AS p WHERE {pairs})"
    if key.match_full and len(key.columns) > 1:
        some = " OR ".join(f"c.{ident(n)} IS NOT NULL" for n in key.columns)
        missing = f"({missing}) OR (({some}) AND NOT ({present}))"
    return (
        f"SELECT c.tableoid::oid AS relation, c.ctid::text AS id, c.xmin::text::bigint AS xmin FROM {relation(table)} AS c WHERE {missing} LIMIT {limit}"
    )


# --- rows we wrote --------------------------------------------------------------------------------------------------------------


def ours(table: TableName, xids: Sequence[int], *, verb: str) -> str:
    """Rows of a table (children of classic inheritance left alone) whose xmin is one of these transactions.

    *verb* is ``DELETE`` or ``SELECT count(*)``. A xmin has 32 bits, so have the numbers given.
    """
    listed = ", ".join(str(x & 0xFFFFFFFF) for x in xids)
    return f"{verb} FROM {relation(table)} AS t WHERE t.xmin::text::bigint = ANY (ARRAY[{listed}]::bigint[])"


# --- sequences ------------------------------------------------------------------------------------------------------------------


def sequence_state(name: TableName) -> str:
    """One row: last_value as text, is_called."""
    return f"SELECT last_value::text AS last, is_called AS called FROM {relation(name)}"


def extreme(table: TableName, column: str, *, descending: bool) -> str:
    """The column's furthest value in the sequence's direction, as text; NULL in an empty table."""
    function = "min" if descending else "max"
    return f"SELECT pg_catalog.{function}({ident(column)})::text FROM {relation(table)}"


def set_sequence(name: TableName, value: int, *, called: bool) -> str:
    """Moves a sequence."""
    return f"SELECT pg_catalog.setval({literal(relation(name))}::pg_catalog.regclass, {value}, {'true' if called else 'false'})"
