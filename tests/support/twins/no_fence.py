"""Nobody asks whether another run took over."""

from __future__ import annotations

from tranship.execution.copying import batch as worker
from tranship.execution.copying import orphans
from tranship.execution.copying import tables as groups
from tranship.execution.switches import sequences


async def _unfenced(*_: object) -> None:
    return None


def break_it() -> None:
    """In this process."""
    for module in (worker, groups, orphans, sequences):
        setattr(module, "fence", _unfenced)  # noqa: B010
