"""Statements that change how NEW treats our rows: the replication role, the states of triggers, constraints dropped and added again."""

from __future__ import annotations

from tranship.model.catalog import ForeignKey
from tranship.model.names import TableName
from tranship.sql.quote import ident, literal, relation

ORIGIN = "SET LOCAL session_replication_role = origin"


AS_ORIGIN = "SET session_replication_role = origin"


REPLICA = "SET LOCAL session_replication_role = replica"


_STATES = {
    "O": "ENABLE TRIGGER",
    "D": "DISABLE TRIGGER",
    "R": "ENABLE REPLICA TRIGGER",
    "A": "ENABLE ALWAYS TRIGGER",
}


def trigger_state(table: TableName, trigger: str, state: str) -> str:
    """Puts one trigger of one relation into a state of ``pg_trigger.tgenabled``; clones on partitions are addressed by themselves."""
    return f"ALTER TABLE ONLY {relation(table)} {_STATES[state]} {ident(trigger)}"


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
