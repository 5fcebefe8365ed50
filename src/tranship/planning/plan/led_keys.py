"""References that follow the same rows as the keys to which they lead, where OLD declares no foreign key.

Both ends are led when rows become one, or are in NEW under another key. Rows that OLD tells apart may then
have one key in NEW, of which one alone arrives. So both ends are compared as OLD holds them.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from tranship.model.catalog import ForeignKey
from tranship.model.expression import Followed
from tranship.model.names import TableName
from tranship.model.plan import TablePlan
from tranship.planning.plan.unchanged import mapping_of
from tranship.planning.plan.wider_keys import origin


def led_key(key: ForeignKey, child: TablePlan, parents: Sequence[TablePlan]) -> ForeignKey | None:
    """Returns the key over OLD's columns that a key of NEW stands for, as if OLD declared it; None where none
    of its columns is led on both sides, or one on one side alone.
    """
    if len({parent.old for parent in parents}) != 1:
        return None
    found = {_ends(key, child, parent) for parent in parents}
    ends = found.pop() if len(found) == 1 else ()
    columns, targets = tuple(one for one, _ in ends), tuple(other for _, other in ends)
    return replace(key, columns=columns, target=parents[0].old, target_columns=targets) if ends else None


def _ends(key: ForeignKey, child: TablePlan, parent: TablePlan) -> tuple[tuple[str, str], ...]:
    """Returns the pairs of OLD's columns; none where they are not led alike."""
    ends, led = list[tuple[str, str]](), False
    for name, target in zip(key.columns, key.target_columns, strict=True):
        one, other = _led(child, name), _led(parent, target)
        if one is None or other is None or one[1] != other[1]:
            return ()
        led = led or one[1] is not None
        ends.append((one[0], other[0]))
    return tuple(ends) if led else ()


def _led(plan: TablePlan, name: str) -> tuple[str, tuple[TableName, str] | None] | None:
    """Returns OLD's column that fills one of NEW, and the column of OLD whose rows it follows; None where no
    column of OLD fills it.
    """
    mapping = mapping_of(plan, name)
    column = origin(mapping.expression) if mapping is not None else None
    if mapping is None or column is None:
        return None
    if isinstance(mapping.expression, Followed):
        followed = mapping.expression
        keys = dict(zip(followed.columns, followed.keys, strict=True))
        return column, (followed.parent.old, keys[column])
    merged = plan.repointing.parents if plan.repointing is not None else ()
    led = (
        (one.table, dict(zip(one.columns, one.keys, strict=True)))
        for one in merged
        if not one.only_in or name in one.only_in
    )
    return column, next(((table, keys[column]) for table, keys in led if column in keys), None)
