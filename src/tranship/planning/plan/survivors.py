"""Which columns of a flow lead to the rows into which others are merged."""

from __future__ import annotations

from msgspec.structs import replace

from tranship.model.expression import Coalesce, Rekeyed, SurvivorKey, Take
from tranship.model.plan import ColumnMapping, TablePlan
from tranship.model.shape import Repointing


def with_survivors(plan: TablePlan, repointing: Repointing | None) -> TablePlan:
    """Returns a plan whose references lead to survivors."""
    if repointing is None:
        return plan
    columns = tuple(_led(mapping, repointing) for mapping in plan.columns)
    return replace(plan, repointing=repointing, columns=columns)


def _led(mapping: ColumnMapping, repointing: Repointing) -> ColumnMapping:
    """Returns a mapping that leads to the survivor where its column alone refers to the merged rows."""
    of, places = mapping.expression, enumerate(repointing.parents)
    parts = [(n, one.columns) for n, one in places if mapping.column in one.only_in]
    match of:
        case Take(column=column) | Rekeyed(column=column):
            keys = [SurvivorKey(n, columns.index(column)) for n, columns in parts if column in columns]
            return replace(mapping, expression=replace(of, led=keys[0])) if keys else mapping
        case Coalesce(of=take):
            led = _led(replace(mapping, expression=take), repointing).expression
            return replace(mapping, expression=replace(of, of=led)) if isinstance(led, Take) else mapping
        case _:
            return mapping
