"""How many old values a conversion would change: OLD counts them before anything is decided."""

from __future__ import annotations

from collections.abc import Mapping

from tranship.analysis.asker import Asker
from tranship.analysis.sampling import percent_read
from tranship.model.catalog import Catalog
from tranship.model.evidence import ChangedValues
from tranship.model.expression import Loss
from tranship.model.names import Side
from tranship.planning.deciding.data_questions import LossQuestion
from tranship.sql.changed_values import changing
from tranship.sql.quote import ident
from tranship.sql.types.values import changes

_SAID_OTHERWISE = (Loss.ZONE, Loss.DATE_ORDER)
"""How NEW's settings read a value: the question about the column says it in its own words."""


async def changed_values(
    asker: Asker, catalogs: Mapping[Side, Catalog], question: LossQuestion
) -> tuple[ChangedValues, ...]:
    """Returns what changes in how many rows; nothing where OLD cannot tell, because NEW reads a text, or
    where it gave no answer.
    """
    before = catalogs[Side.OLD].table(question.old.table)
    after = catalogs[Side.NEW].table(question.new.table)
    source = before.column(question.old.column) if before is not None else None
    target = after.column(question.new.column) if after is not None else None
    if before is None or source is None or target is None:
        return ()
    zone, value = catalogs[Side.OLD].timezone, f"old.{ident(source.name)}"
    every = changes(value, source.type, target.type, zone)
    found = [one for one in every if one[0] not in _SAID_OTHERWISE]
    percent = percent_read(before)
    if not found:
        return ()
    rows = await asker.ask(
        Side.OLD, f"values of {question.old} that change", changing(before, found, percent)
    )
    return tuple(
        ChangedValues(question.old, question.new, loss.value, int(str(row[f"n{n}"])), percent is not None)
        for row in rows or ()
        for n, (loss, _) in enumerate(found)
    )
