"""Every note of a run has its sentence, and rejected rows are worded without values
unless they are asked for.
"""

from __future__ import annotations

import datetime
from typing import get_args

import pytest
from msgspec.structs import replace

from tranship.model.flow import FlowId
from tranship.model.names import Side, TableName
from tranship.model.notes import (
    AlreadyMigrated,
    BatchDivided,
    CopiedAnew,
    FollowerBehind,
    FoundRestored,
    IndexesStillRemoved,
    IndexesToRemove,
    IndexRebuilding,
    IndexRebuilt,
    IndexRemoved,
    LargerBatches,
    LockAwaited,
    LockBlocked,
    LockWaitEnded,
    LookingForWrites,
    MomentOfRun,
    NoRejectsLeft,
    NotAnalyzed,
    Note,
    NothingToMove,
    NotMovedYet,
    NotRestored,
    RejectedRowsGone,
    ResultUnwritten,
    ResultWritten,
    Resumed,
    Retrying,
    RollbackFirst,
    RollingBack,
    SequencesNotRestored,
    SnapshotReplaced,
    UnchangedSoFar,
    WaitingForWriters,
    Warned,
)
from tranship.model.progress import RowRejected
from tranship.model.reasons import ServerSaid
from tranship.model.resolution import Problem
from tranship.model.undo import Back, Gone
from tranship.report.notes import words
from tranship.report.rejects import key_words, reason_words

T = TableName("public", "city")
FLOW = FlowId(T, TableName("public", "town"))
NOON = datetime.datetime(2026, 3, 1, 12, 5, tzinfo=datetime.UTC)
NOTES: dict[Note, str] = {
    Warned(Problem("TS343", "new", "NEW leaves room for 2 streams, not 4")): "⚠ TS343 NEW leaves room for 2",
    Warned(Problem("TS316", "$.resolutions.t[0] (t.a), line 7", "it is a comment")): (
        "⚠ TS316 $.resolutions.t[0] (t.a), line 7: it is a comment"
    ),
    ResultWritten("results/x.json"): "Result: results/x.json",
    ResultUnwritten(
        "cannot write x.json: no space", '{\n  "run": 1\n}'
    ): 'rejected rows. Result: { "run": 1 }',
    AlreadyMigrated(): "already migrated",
    NothingToMove(): "no table of OLD is moved",
    NoRejectsLeft(): "no rejected rows are left",
    NotMovedYet(("public.a", "public.b")): "that no finished run moved: public.a, public.b",
    RejectedRowsGone(
        FLOW, 2, ('{"id": 1}',)
    ): "public.city: 2 rejected rows are no longer in OLD and are left out:",
    Resumed(NOON, 3): "resuming the run of 2026-03-01 12:05: 3 batches are left",
    RollbackFirst(): "finished first",
    RollingBack(NOON): "unfinished run of 2026-03-01 12:05",
    Retrying(
        "NEW", "ConnectionResetError: gone", 1.26
    ): "NEW: ConnectionResetError: gone; trying again in 1.3 s",
    BatchDivided(
        FLOW, 7, 500, 501, slow=True
    ): "public.city batch 7 is copied in parts of 500 and 501 rows: batches take",
    LargerBatches(12.4, 200_000): "takes 12 ms, so batches have up to 200000 rows (--batch-size N",
    FollowerBehind("standby s1", 5 * 1024**3): "standby s1 is 5120 MB behind NEW",
    WaitingForWriters(
        (T,), (17, 18)
    ): "foreign keys are proven after the transactions that write to public.city: 17, 18",
    NotAnalyzed((T,), "the role does not own it"): "(the role does not own it); let the owner run ANALYZE",
    NotAnalyzed((T,) * 6, "x"): "public.city, public.city, public.city, public.city, public.city, …",
    WaitingForWriters((T,), ()): "public.city: prepared ones",
    SequencesNotRestored((T,)): "could not set them back: public.city",
    MomentOfRun("TIMESTAMPTZ '2026-01-31'", True): "run.started is TIMESTAMPTZ '2026-01-31' for all rows",
    MomentOfRun(
        "TIMESTAMPTZ '2026-01-31'", False
    ): "the present moment here, TIMESTAMPTZ '2026-01-31'; a live",
    SnapshotReplaced(): "resuming from the journal",
    LookingForWrites(2, 90): "2 tables (90 rows)",
    UnchangedSoFar(4): "4 tables to go",
    CopiedAnew(): "not one point in time",
    LockBlocked(
        11, "anna", None, "idle", 30, "city"
    ): "process 11 (anna, application hidden, idle) on city, in its",
    LockAwaited(Side.NEW, 11, "anna", "psql", "idle", 30, "public.city"): (
        "waiting for a lock on public.city in NEW, held or asked for by process 11 (anna, psql, idle), in its"
    ),
    LockWaitEnded(Side.OLD, 0, 70.4): "the wait for a prepared transaction in OLD is over, after 70 s",
    IndexesToRemove(T, ("a", "b")): "keeps writers out of this table: a, b",
    IndexRemoved("index a of public.city"): "index a of public.city is removed until",
    IndexRebuilding("index a of public.city"): "rebuilding index a of public.city",
    IndexRebuilt("index a of public.city", 2.04): "index a of public.city rebuilt in 2.0 s",
    IndexesStillRemoved(2): "2 indexes are removed",
    FoundRestored(
        "index i of t", Back("j", "CREATE\nINDEX")
    ): "under the name j, in another form: CREATE\\u000aINDEX",
    FoundRestored("index i of t", Gone("the table")): "the table was dropped meanwhile",
    NotRestored("OSError: no"): "switched on again (OSError: no)",
}


def test_every_note_is_tried() -> None:
    unions = get_args(Note)
    assert {type(note) for note in NOTES} == set(unions)


@pytest.mark.parametrize("note", NOTES, ids=lambda note: type(note).__name__)
def test_a_note_is_one_line(note: Note) -> None:
    assert NOTES[note] in words(note)
    assert "\n" not in words(note)


def test_a_rejected_row_is_named_by_its_key_and_its_short_reason() -> None:
    row = RowRejected(FLOW, '{"a": 1, "b": "x"}', "(1,2)", "mail", "23505", "mail_key", None)
    assert (key_words(row), reason_words(row)) == ("a=1, b=x", "mail: duplicate key (23505 mail_key)")
    held = replace(row, what="HeldByNew")
    said = "column mail: NEW already holds another row with the same key (23505 mail_key)"
    assert reason_words(held, lead="column ") == said
    null = replace(row, sqlstate="23502", constraint=None, what="NullRefused")
    assert reason_words(null, lead="column ") == "NULL in mail, which is NOT NULL (23502)"
    place = RowRejected(FLOW, "", "(1,2)", None, "57014", None, ServerSaid("the server's words"))
    assert (key_words(place), reason_words(place)) == ("row (1,2)", "the server's words")
    assert key_words(RowRejected(FLOW, "", "", None, "23502", None, None)) == "a row without a key"
