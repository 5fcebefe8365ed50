"""Statements that change how NEW treats rows while they are loaded: replication role, trigger states, foreign
keys.
"""

from __future__ import annotations

from tranship.model.names import TableName
from tranship.sql.quote import ident, literal, relation

# In the role `replica` ordinary triggers and the triggers of foreign keys do not fire; in `origin`, the
# default, they do (PostgreSQL documentation, "session_replication_role"). SET LOCAL: no other session, and
# nothing after the batch.
ORIGIN = "SET LOCAL session_replication_role = origin"
REPLICA = "SET LOCAL session_replication_role = replica"
AS_ORIGIN = "SET session_replication_role = origin"
"""For the whole session: where the role or the database has another default."""


_STATES = {"O": "ENABLE", "D": "DISABLE", "R": "ENABLE REPLICA", "A": "ENABLE ALWAYS"}
"""``pg_trigger.tgenabled`` and ``pg_rewrite.ev_enabled``, and the words that lead there."""


def trigger_state(table: TableName, trigger: str, state: str) -> str:
    """Returns a statement that puts one trigger of one relation into a state of ``pg_trigger.tgenabled``.

    ``ONLY``: a trigger's clones on partitions may have states of their own, so each is addressed by itself.
    """
    return f"ALTER TABLE ONLY {relation(table)} {_STATES[state]} TRIGGER {ident(trigger)}"


def rule_state(table: TableName, rule: str, state: str) -> str:
    """Returns a statement that puts one rule of one relation into a state of ``pg_rewrite.ev_enabled``."""
    return f"ALTER TABLE {relation(table)} {_STATES[state]} RULE {ident(rule)}"


def keep_triggers_out(table: TableName) -> str:
    """Returns a statement after which nobody makes or enables a trigger or a rule of the table until the
    transaction ends.
    """
    return f"LOCK TABLE {relation(table)} IN ROW EXCLUSIVE MODE"


def drop_constraint(table: TableName, name: str) -> str:
    """Returns a statement that drops a constraint, also from the table's partitions."""
    return f"ALTER TABLE {relation(table)} DROP CONSTRAINT {ident(name)}"


def validate_constraint(table: TableName, name: str) -> str:
    """Returns a statement that proves a NOT VALID constraint; readers and writers go on meanwhile."""
    return f"ALTER TABLE {relation(table)} VALIDATE CONSTRAINT {ident(name)}"


def comment_on_constraint(table: TableName, name: str, comment: str) -> str:
    """Returns a statement that gives a constraint its comment back: dropping it has dropped the comment."""
    return f"COMMENT ON CONSTRAINT {ident(name)} ON {relation(table)} IS {literal(comment)}"


def hold_and_drop_check(table: TableName, name: str, holder: TableName) -> str:
    """Returns statements that drop a CHECK, once an empty table holds a copy of it."""
    held = f"CREATE TABLE {relation(holder)} (LIKE {relation(table)} INCLUDING CONSTRAINTS)"
    return f"{held}; {drop_constraint(table, name)}"
