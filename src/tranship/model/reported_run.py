"""What the page of a run shows: when what happened, what was rejected and why, what is verified."""

from __future__ import annotations

import datetime

from msgspec import Struct
from msgspec.structs import replace

from tranship.model.difference import Proof
from tranship.model.resolution import Problem
from tranship.model.verdict import LossCount, RejectCause


class ReportedTable(Struct, frozen=True):
    """One flow of a run."""

    label: str
    """What people call it: the flow's name, else the old table's."""
    new_table: str
    rows: int
    """Rows that the run makes of OLD's rows."""
    read: int
    """Those whose batches are done."""
    counts: tuple[tuple[str, int], ...]
    """What became of them: ``written``, ``rejected`` …"""
    left_out: int
    """Old rows of which none was made."""
    batches: int
    batches_done: int
    done: bool
    began: datetime.datetime | None = None
    """When its first batch began; None: none is done, or an earlier version of the journal does not say."""
    ended: datetime.datetime | None = None
    """When its last batch was committed so far."""
    causes: tuple[RejectCause, ...] = ()
    losses: tuple[LossCount, ...] = ()
    proof: Proof | None = None
    """What the verification of the run says; None: there was none."""
    not_asked: tuple[str, ...] = ()
    """Checks that were not possible before the run, in words for people."""
    not_alone: str | None = None
    """Why rejected rows of it could not be moved without the others; None: they could."""

    def count(self, word: str) -> int:
        """Returns the rows of one outcome."""
        return dict(self.counts).get(word, 0)

    @property
    def without_values(self) -> ReportedTable:
        """The same without values of rows, keys apart."""
        causes = tuple(replace(cause, values={}) for cause in self.causes)
        return replace(self, causes=causes, proof=self.proof.without_values if self.proof else None)


class ReportedRun(Struct, frozen=True, kw_only=True):
    """A run by its journal, with the certificate that was found for it."""

    id: str
    word: str
    """``running``, ``interrupted``, ``stopped`` or ``finished``."""
    old: str
    """OLD as the configuration names it; likewise ``new``."""
    new: str
    tool_version: str
    started: datetime.datetime
    """When its checks were done and its first batch could begin."""
    finished: datetime.datetime | None
    os_user: str
    role: str
    resolutions: str | None
    """Name of the file with the decisions, likewise its SHA-256; None: nothing was decided by hand."""
    resolutions_sha256: str | None
    snapshot: str
    plan_hash: str
    again: str
    """The command that resumes it; empty: not on record."""
    left_out: dict[str, int]
    """Rows per table that a decision leaves out."""
    switched_off: tuple[str, ...]
    rejects_of: tuple[str, ...]
    tables: tuple[ReportedTable, ...]
    rejected_elsewhere: int = 0
    """Rows of other tables that runs from the same OLD rejected and that no later one moved."""
    mixed: bool = False
    """Some tables were read in another snapshot of OLD than others, as a person allowed."""
    warnings: tuple[Problem, ...] = ()
    """What its plan warns of, such as references that keep OLD's keys; none for a run of format 1."""

    def total(self, word: str) -> int:
        """Returns the rows of one outcome in all tables."""
        return sum(table.count(word) for table in self.tables)

    @property
    def without_values(self) -> ReportedRun:
        """The same without values of rows, for terminals."""
        return replace(self, tables=tuple(table.without_values for table in self.tables))


class FoundCertificate(Struct, frozen=True):
    """A certificate beside the results that certifies a run and is as it was made."""

    page: str
    """Path of the page, or of the JSON where there is no page."""
    made: str
    sha256: str
    cells: int
