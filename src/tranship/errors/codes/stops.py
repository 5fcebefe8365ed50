"""TS400 to TS429: the run stopped after its start. What is committed stays, and the same command resumes."""

from __future__ import annotations

from tranship.errors.message import StopMessage


class SnapshotGone(StopMessage, frozen=True):
    code = "TS410"
    meaning = "the snapshot of OLD is lost"
    cure = "the same command resumes"
    message = "the snapshot of OLD is lost: every connection that held it was closed"
    hint = "run the same command again"
