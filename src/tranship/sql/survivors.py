"""How SQL names the row that OLD holds beside the row ``old`` whose references lead to survivors."""

from __future__ import annotations

from collections.abc import Sequence

from tranship.model.expression import SurvivorKey
from tranship.sql.quote import ident

UNLED = "tranship_row"
"""The alias of a row whose references are not led to survivors yet."""


def survivor(parents: int) -> str:
    """Returns the alias of the join that finds the survivor of a row of merged parents."""
    return f"tranship_survivor_{parents}"


def own_or_survivor(value: str, led: SurvivorKey | None) -> str:
    """Returns SQL for a part of a row's own key, or of the key of the row into which it is merged."""
    if led is None:
        return value
    alias = survivor(led.parents)
    return f"CASE WHEN {alias}.found THEN {alias}.s{led.part} ELSE {value} END"


def over_own_row(condition: str, columns: Sequence[str]) -> str:
    """Returns a condition over ``old`` as OLD holds the row, in a query in which references of ``old`` lead
    to survivors; ``columns`` are all of the table.
    """
    named = [f"{UNLED}.{name} AS {name}" for name in (*map(ident, columns), "ctid", "tableoid", "xmin")]
    # The alias inside hides the one outside. The planner makes one expression of it, without a scan.
    return f"(SELECT {condition} FROM (SELECT {', '.join(named)}) AS old)"
