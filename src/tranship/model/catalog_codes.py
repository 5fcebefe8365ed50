"""The letters by which PostgreSQL's catalogs name kinds of relations and states of triggers."""

from __future__ import annotations

from enum import StrEnum


class RelationKind(StrEnum):
    """``pg_class.relkind``, as far as a comparison knows it; and a SELECT that stands for a table."""

    TABLE = "r"
    PARTITIONED_TABLE = "p"
    VIEW = "v"
    MATERIALIZED_VIEW = "m"
    FOREIGN_TABLE = "f"
    QUERY = "query"
    """No relation of the catalog: the SELECT of a flow, with its output columns (``planning/flows.py``)."""


class TriggerState(StrEnum):
    """``pg_trigger.tgenabled`` and ``pg_rewrite.ev_enabled``: in which sessions a trigger or a rule fires, by
    their ``session_replication_role``.
    """

    ORIGIN = "O"
    """In ordinary sessions, which is the default."""
    DISABLED = "D"
    REPLICA = "R"
    ALWAYS = "A"


FIRES_AS_ORIGIN = frozenset({TriggerState.ORIGIN, TriggerState.ALWAYS})
"""The states in which a trigger fires in an ordinary session."""
FIRES_AS_REPLICA = frozenset({TriggerState.REPLICA, TriggerState.ALWAYS})
"""The states in which it fires in a session whose ``session_replication_role`` is ``replica``."""
