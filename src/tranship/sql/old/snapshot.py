"""Statements that lock tables of OLD, export its snapshot and import it."""

from __future__ import annotations

from collections.abc import Sequence

from tranship.model.names import TableName
from tranship.sql.quote import literal, relation

BEGIN_SNAPSHOT = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


EXPORT_SNAPSHOT = "SELECT pg_catalog.pg_export_snapshot()"


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
