"""The rows that the page of a dry run shows: those of flows that change values."""

from __future__ import annotations

from tranship.analysis.prepare import Prepared, Sketch
from tranship.api.preview import preview_of
from tranship.config import Config
from tranship.errors import TranshipError
from tranship.execution.resilience.stop_reasons import BROKEN
from tranship.model.expression import Rule, Take
from tranship.model.plan import ColumnMapping, TablePlan
from tranship.model.preview import ShownRows

_SECONDS = 10.0
"""For all flows together: a dry run of hundreds of tables is read by its counts."""


async def shown_rows(config: Config, prepared: Prepared) -> ShownRows:
    """Returns some rows, before and after, of each flow of a plan that does more than copy them. That they
    cannot be read ends no dry run, and is said.
    """
    plans = [plan for plan in prepared.plan.tables if _changes(plan)]
    if not plans:
        return ShownRows()
    found = Sketch(prepared.sides, prepared.plan, prepared.answers, ())
    try:
        tables = await preview_of(config, found, plans, seconds=_SECONDS)
    except (TranshipError, *BROKEN) as error:
        return ShownRows(why=str(error))
    return ShownRows(tables, len(plans) - len(tables))


def _changes(plan: TablePlan) -> bool:
    made = plan.shape.query is not None or plan.shape.items is not None
    return made or any(map(_is_changed, plan.columns))


def _is_changed(mapping: ColumnMapping) -> bool:
    match mapping.expression:
        case Take(column=column, conversion=conversion, led=None):
            return column != mapping.column or conversion.rule is not Rule.SAME
        case _:
            return True
