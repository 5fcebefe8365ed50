"""The journal in NEW, which alone says what a run has done.

Begin with `nouns` (what it holds), then `store`, `batch_rows` and `predictions` (how it is read and written),
then `access` (whether there is one that may be trusted; how it is made, upgraded and removed), and `shared`
(what workers in other processes find). The SQL lies in ``sql/new/journal``. What a journal means for a run is
decided in ``execution``, not here.
"""

from tranship.server.journal.access import (
    earlier_format,
    find_journal,
    missing_rights,
    prepare_journal,
    refuse_unfinished,
    remove_journal,
)
from tranship.server.journal.leads import Lead, leads_of_keys, some_leads, write_leads
from tranship.server.journal.nouns import (
    BatchReject,
    BatchRow,
    Chain,
    DecidedBy,
    Findings,
    Predicted,
    RejectRow,
    RelationIdentity,
    RolledBack,
    Run,
    RunStatus,
    SequenceMove,
    TaskRow,
    Undo,
    bound,
    flow_name_text,
    hashes,
    name_from,
    name_text,
    old_columns,
)
from tranship.server.journal.shared import SharedRun, SharedTask, rejects_of_batch, shared_run, shared_task
from tranship.server.journal.store import Journal

__all__ = [
    "BatchReject",
    "BatchRow",
    "Chain",
    "DecidedBy",
    "Findings",
    "Journal",
    "Lead",
    "Predicted",
    "RejectRow",
    "RelationIdentity",
    "RolledBack",
    "Run",
    "RunStatus",
    "SequenceMove",
    "SharedRun",
    "SharedTask",
    "TaskRow",
    "Undo",
    "bound",
    "earlier_format",
    "find_journal",
    "flow_name_text",
    "hashes",
    "leads_of_keys",
    "missing_rights",
    "name_from",
    "name_text",
    "old_columns",
    "prepare_journal",
    "refuse_unfinished",
    "rejects_of_batch",
    "remove_journal",
    "shared_run",
    "shared_task",
    "some_leads",
    "write_leads",
]
