"""How many values conversions changed, for the first line of a run's end."""

from __future__ import annotations

from collections.abc import Iterable

from tranship.model.count import count_of
from tranship.model.expression import Loss
from tranship.model.verdict import LossCount
from tranship.report.verification import grouped

_SAME_MOMENT = Loss.ZONE
"""A moment that is written with a zone, or without, is still the moment that was decided."""


def changed_values(losses: Iterable[LossCount], *, done: bool) -> str:
    """Returns a sentence about the values that OLD holds otherwise, with a space before it; empty where there
    are none. ``done``: they are in NEW.
    """
    lost = [one for one in losses if one.loss != _SAME_MOMENT.value and one.rows]
    if not lost:
        return ""
    values = count_of(sum(one.rows for one in lost), "value", write=grouped)
    how = ", ".join(dict.fromkeys(one.loss for one in lost))
    return f" Conversions {'changed' if done else 'change'} {values} ({how}), listed below."
