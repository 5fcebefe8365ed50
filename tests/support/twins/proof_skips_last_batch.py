"""The last batch of each flow is not compared."""

from __future__ import annotations

from collections.abc import Sequence

from tranship.execution import verify
from tranship.execution.proof import compare
from tranship.execution.proof.compare import TableSums
from tranship.execution.verification import tables
from tranship.server.journal import BatchRow


def break_it() -> None:
    """In this process."""
    real = compare.differing

    def lenient(done: Sequence[BatchRow], there: TableSums) -> list[BatchRow]:
        return real(done[:-1], there)

    verify.differing = lenient
    tables.differing = lenient
