"""TS310, TS311 and TS334 to TS379: a safety rule refuses the start of a run, or warns before it."""

from __future__ import annotations

from tranship.errors.message import RefusalMessage
from tranship.model.names import Side


class TransactionPooler(RefusalMessage, frozen=True):
    code = "TS310"
    meaning = "a pooler in transaction mode stands between"
    cure = "connect to the server itself or to a session-mode port"
    about = "{database}"
    message = "{side} database {database}: a transaction-mode pooler stands in between (the backend changes)"
    hint = "connect to the server itself or to a session-mode port"
    side: Side
    database: str
