"""What every comparison of a verification is given, and what it finds."""

from __future__ import annotations

from collections.abc import Mapping

import asyncpg
from msgspec import Struct

from tranship.execution.context import Job, Journalled
from tranship.execution.proof.compare import Subject
from tranship.execution.verification.old_now import OldNow, OldSide
from tranship.model.catalog import Catalog
from tranship.model.difference import Difference, RowsBefore, SecondOpinion
from tranship.model.plan import Plan
from tranship.model.verification import VerifyOptions
from tranship.server.journal import Journal

_NOTHING = Catalog("", 0, ())
"""The catalog of an OLD of which nothing is read."""


class Scene(Struct, frozen=True):
    """What every comparison needs."""

    new: asyncpg.Connection
    """Outside of any transaction."""
    journal: Journal
    catalog: Catalog
    """Of NEW."""
    identity: str
    """The journal's key for NEW."""
    options: VerifyOptions
    old: OldNow
    plans: Mapping[str, Plan]
    """By run, as it was decided."""
    places: Mapping[str, tuple[Journalled, ...]]
    """By run: where the journal says where its children are led."""

    def job(self, run: str, old: OldSide | None = None) -> Job:
        """Returns the job of a run's flows; without OLD it serves to compare sums only."""
        catalog = old.catalog if old is not None else _NOTHING
        return Job(Plan(()), catalog, self.catalog, journalled=self.places.get(run, ()))


class Found(Struct):
    """What was found out about a flow."""

    differences: list[Difference]
    of: Subject | None = None
    """What was compared; None: nothing was."""
    changed_in_old: int = 0
    """Rows of batches that differ which OLD changed since."""
    updated_later: int = 0
    """Rows that a later run gave other values, as its decisions say."""
    second_opinion: SecondOpinion | None = None
    rows_before: RowsBefore | None = None
    why: str = ""
    """How the rows were compared, or why no more is known."""
    proven: bool = True
    """Whether the rows could be compared."""
