"""Statements that lock tables of OLD, export a snapshot of it and join that snapshot (PostgreSQL
documentation, "Snapshot Synchronization Functions").
"""

from __future__ import annotations

from collections.abc import Sequence

from tranship.model.names import TableName
from tranship.sql.quote import literal, relation

BEGIN_SNAPSHOT = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
"""Export and import need REPEATABLE READ; READ ONLY lets OLD be a standby and proves that nothing is written.
"""
EXPORT_SNAPSHOT = "SELECT pg_catalog.pg_export_snapshot()"


def import_snapshot(snapshot: str) -> str:
    """Returns the statement that joins an exported snapshot. It has to be the first one of its
    transaction.
    """
    return f"SET TRANSACTION SNAPSHOT {literal(snapshot)}"


def lock_shared(relations: Sequence[TableName]) -> str:
    """Returns ACCESS SHARE on all these tables, partitions included. It comes before the statement that takes
    the snapshot.

    The lock keeps DROP, TRUNCATE and rewrites away until the transaction ends, which a snapshot alone does
    not.
    """
    return f"LOCK TABLE {', '.join(relation(name) for name in relations)} IN ACCESS SHARE MODE"


def current_snapshot(version: int) -> str:
    """Returns a query for the snapshot as ``text`` and the ``timeline`` (8 hexadecimal digits) it belongs to.

    ``version`` is ``server_version_num``: the function has its present name since 13.
    """
    function = "pg_current_snapshot" if version >= 130000 else "txid_current_snapshot"
    # A standby may not ask for its current WAL position, so its timeline comes from the control file. A
    # primary's name of a WAL file begins with the timeline (PostgreSQL documentation, "Write-Ahead Logging –
    # WAL Internals").
    return f"""
        SELECT pg_catalog.{function}()::text AS text,
          CASE WHEN pg_catalog.pg_is_in_recovery()
            THEN pg_catalog.lpad(pg_catalog.upper(pg_catalog.to_hex((
              SELECT timeline_id FROM pg_catalog.pg_control_checkpoint()))), 8, '0')
            ELSE pg_catalog.left(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 8)
          END AS timeline
    """
