"""Short words for the terminal, without row values."""

from __future__ import annotations

import json

from tranship.model.flow import FlowId
from tranship.model.locator import Locator
from tranship.model.progress import RowRejected
from tranship.model.verdict import Reject, RejectRecord
from tranship.sql.ctid import render

ALREADY = "already migrated: an earlier run moved every table under the same plan"
_SAYS = {
    "23502": "NULL in a NOT NULL column",
    "23503": "foreign key: the parent is missing",
    "23505": "duplicate key",
    "23514": "check or partition refuses it",
    "23P01": "exclusion constraint",
    "22023": "no entry in the mapping or lookup",
    "22001": "too long",
    "22003": "out of range",
    "22P02": "not readable as the new type",
    "22P05": "not in NEW's encoding",
    "22021": "not in NEW's encoding",
}


def short_reason(reject: Reject | RejectRecord) -> str:
    """What happened, by SQLSTATE and constraint."""
    words = _SAYS.get(reject.sqlstate, f"SQLSTATE {reject.sqlstate}")
    return f"{words} ({reject.constraint})" if reject.constraint is not None else words


def reason_key(sqlstate: str, constraint: str | None, column: str | None) -> str:
    """What rejects are grouped by in reports: ``23505 users_email_key``."""
    return " ".join(filter(None, (sqlstate, constraint or column)))


def terminal_key(key: bytes | None, row: Locator) -> str:
    """``id=3``; the physical place where there is no key."""
    return named_by(key) if key is not None else f"row {render(row.address)}"


def named_by(key: bytes) -> str:
    """``id=3``, of a key as JSON."""
    return ", ".join(f"{name}={value}" for name, value in json.loads(key).items())


def would_reject(flow: FlowId, record: RejectRecord, *, show_values: bool) -> RowRejected:
    """What a dry run says of a row that the live run would reject."""
    key = "no key" if record.key is None else named_by(bytes(record.key))
    return RowRejected(flow, key, record.column, record.reason if show_values else short_reason(record))
