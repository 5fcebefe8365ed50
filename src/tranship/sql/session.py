"""Statements around the copying itself: transactions, savepoints, session settings, backends and advisory
locks.
"""

from __future__ import annotations

from typing import NamedTuple

from tranship.model.names import TableName
from tranship.sql.quote import ident, literal, relation

# READ COMMITTED on NEW: a batch has to see what other batches committed since it began (its parents' rows,
# the journal's epoch). OLD is read in one exported snapshot instead (`sql/old/snapshot.py`).
BEGIN_READ_ONLY = "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY"
BEGIN_BATCH = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"

# Inside a rehearsal, data checks run in the rehearsal's own transaction, which must not write meanwhile.
READ_WRITE = "SET TRANSACTION READ WRITE"
READ_ONLY = "SET TRANSACTION READ ONLY"

# Deferred constraints fail here, while the batch still knows its rows, and not at COMMIT.
CONSTRAINTS_NOW = "SET CONSTRAINTS ALL IMMEDIATE"

# A savepoint is released after a rollback to it, too: it survives the rollback, and each further one of the
# same name would only hide it and keep a subtransaction open (PostgreSQL documentation, "ROLLBACK TO
# SAVEPOINT").
SAVEPOINT = "SAVEPOINT tranship"
TO_SAVEPOINT = "ROLLBACK TO SAVEPOINT tranship"
RELEASE = "RELEASE SAVEPOINT tranship"

NO_STATEMENT_TIMEOUT = "SET statement_timeout = 0"
"""The first statement of a session: it reads no catalog, so a database whose own limit is a few milliseconds
lets it pass.
"""

SAMPLE_TIMEOUT = "SET LOCAL statement_timeout = '5s'"
"""Bounds what is only measured."""

AS_LOGIN_ROLE = "SET ROLE NONE"
"""Acts as the role that logged in, whatever role ``ALTER ROLE … SET role`` gives it."""
AS_DEFAULT_ROLE = "RESET ROLE"
"""Acts again as the role that the session began with."""

DEFAULT_PATH = "SET LOCAL search_path TO DEFAULT"
"""Until the transaction ends, names in values (``regclass``) are read as in batches."""

_HIDE_PATH = """
    SELECT pg_catalog.set_config('tranship.path', pg_catalog.current_setting('search_path'), {local}),
      pg_catalog.set_config('search_path', '', {local})
"""
_SHOW_PATH = """
    SELECT pg_catalog.set_config('search_path', pg_catalog.current_setting('tranship.path'), {local})
"""

CLOCK = "SELECT pg_catalog.clock_timestamp()"
BACKEND = "SELECT pg_catalog.pg_backend_pid()"
CURRENT_ROLE = "SELECT CURRENT_USER::pg_catalog.text"
VERSION = "SELECT pg_catalog.current_setting('server_version_num')::pg_catalog.int4"
"""The version as a number, 170002: what a server calls itself in words may be anything."""
SERVER_ENCODING = "SELECT pg_catalog.current_setting('server_encoding')"
CURRENT_XID = "SELECT pg_catalog.txid_current()"
TRY_LOCK = "SELECT pg_catalog.pg_try_advisory_lock($1)"
UNLOCK = "SELECT pg_catalog.pg_advisory_unlock($1)"

TRY_XML = "SELECT '<a/>'::pg_catalog.text::pg_catalog.xml IS NULL"
"""Fails with SQLSTATE 0A000 on a server that was built without libxml."""


class Unit(NamedTuple):
    """The statements with which one batch begins and ends."""

    begin: str
    commit: str
    rollback: str


TRANSACTION = Unit(BEGIN_BATCH, "COMMIT", "ROLLBACK")
"""A live run: one transaction per batch."""
REHEARSAL = Unit(
    "SAVEPOINT batch", "RELEASE SAVEPOINT batch", "ROLLBACK TO SAVEPOINT batch; RELEASE SAVEPOINT batch"
)
"""A rehearsal: one savepoint per batch inside the one transaction that is rolled back at the end."""


def hide_path(*, local: bool) -> tuple[str, str]:
    """Returns two statements: one empties the search_path, the other puts it back.

    With ``local`` both hold until the transaction ends, as a ``SET LOCAL`` before them does.
    """
    word = "true" if local else "false"
    # A target list is evaluated from left to right: the path is kept before it is emptied.
    return _HIDE_PATH.format(local=word), _SHOW_PATH.format(local=word)


RESET_PAGE_COST = "SET LOCAL random_page_cost TO DEFAULT"


def set_local(name: str, value: str) -> str:
    """Returns ``SET LOCAL`` of one parameter: it holds until the transaction ends."""
    return f"SET LOCAL {ident(name)} = {literal(value)}"


def insert_defaults(table: TableName, rows: int) -> str:
    """Returns an INSERT of ``rows`` rows that NEW fills alone.

    ``INSERT … DEFAULT VALUES`` adds a single row. A SELECT without columns gives every column its default in
    each of its rows (PostgreSQL documentation, "INSERT").
    """
    return f"INSERT INTO {relation(table)} SELECT FROM pg_catalog.generate_series(1, {rows})"


def explained_read(table: TableName) -> str:
    """Returns an EXPLAIN of a read of a table or view: planned under row-level security, never executed."""
    return f"EXPLAIN SELECT FROM {relation(table)}"


SERVER_STARTED = """
    SELECT CAST(pg_catalog.date_part('epoch', pg_catalog.pg_postmaster_start_time()) AS pg_catalog.text)
"""
"""When the server was started: another text after each start."""
