"""Statements around the copying: snapshot and locks, cutting, triggers, foreign keys, sequences, backends."""

from __future__ import annotations

from typing import NamedTuple

from tranship.model.names import TableName
from tranship.sql.quote import ident, literal, relation

BEGIN_READ_ONLY = "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY"
BEGIN_BATCH = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
READ_WRITE = "SET TRANSACTION READ WRITE"
READ_ONLY = "SET TRANSACTION READ ONLY"
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
REHEARSED = Unit(
    "SAVEPOINT batch", "RELEASE SAVEPOINT batch", "ROLLBACK TO SAVEPOINT batch; RELEASE SAVEPOINT batch"
)
"""Inside the one transaction of a rehearsal."""


def set_local(name: str, value: str) -> str:
    """``SET LOCAL`` of one parameter."""
    return f"SET LOCAL {ident(name)} = {literal(value)}"


def set_session(name: str, value: str) -> str:
    """``SET`` of one parameter."""
    return f"SET {ident(name)} = {literal(value)}"


def insert_defaults(table: TableName, rows: int) -> str:
    """Rows that NEW fills alone: a SELECT without columns gives every column its default."""
    return f"INSERT INTO {relation(table)} SELECT FROM pg_catalog.generate_series(1, {rows})"


# --- triggers -------------------------------------------------------------------------------------------------------------------


# --- foreign keys ---------------------------------------------------------------------------------------------------------------


# --- rows we wrote --------------------------------------------------------------------------------------------------------------


# --- sequences ------------------------------------------------------------------------------------------------------------------


TRY_XML = "SELECT '<a/>'::pg_catalog.text::pg_catalog.xml IS NULL"
"""Fails with 0A000 on a server that was built without libxml."""
