"""Foreign keys of OLD whose two ends a person's expressions turn into the same key of NEW.

``old.customer_id % 100`` in a child and ``old.id % 100`` in its parent write the same reference in other
words, so that OLD's key still says whose child a row is. Another expression is a decision about the reference
itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from tranship.model.catalog import ForeignKey
from tranship.model.expression import Expression, Sql
from tranship.model.plan import TablePlan
from tranship.planning.plan.unchanged import mapping_of
from tranship.planning.plan.wider_keys import origin, read_by

_COLUMN: Final = re.compile(r'\bold\s*\.\s*("(?:[^"]|"")+"|\w+)', re.IGNORECASE)
_SPACE: Final = re.compile(r"\s+")


def computed_key(
    key: ForeignKey, child: TablePlan, declared: Sequence[ForeignKey], parents: Sequence[TablePlan]
) -> ForeignKey | None:
    """Returns the key of OLD, of those that the child's table declares, from which both ends of a key of NEW
    are computed alike; None without one.
    """
    for held in declared:
        above = [parent for parent in parents if held.target in read_by(parent)]
        if held.enforced and above and all(_alike(key, held, child, parent) for parent in above):
            return held
    return None


def _alike(key: ForeignKey, held: ForeignKey, child: TablePlan, parent: TablePlan) -> bool:
    partners = dict(zip(held.columns, held.target_columns, strict=True))
    ends = [
        (mapping_of(child, name), mapping_of(parent, target))
        for name, target in zip(key.columns, key.target_columns, strict=True)
    ]
    pairs = [(one.expression, other.expression) for one, other in ends if one and other]
    computed = any(isinstance(one, Sql) for one, _ in pairs)
    return computed and len(pairs) == len(ends) and all(_same(*pair, partners) for pair in pairs)


def _same(child: Expression, parent: Expression, partners: Mapping[str, str]) -> bool:
    match child, parent:
        case Sql(text=one), Sql(text=other):
            renamed = _renamed(one, partners)
            return renamed is not None and renamed == _renamed(
                other, {name: name for name in partners.values()}
            )
        case _:
            taken = origin(child)
            return taken is not None and origin(parent) == partners.get(taken)


def _renamed(text: str, names: Mapping[str, str]) -> str | None:
    """Returns an expression with other names of columns, as one line; None where it reads another column."""
    read = [_name(found[1]) for found in _COLUMN.finditer(text)]
    if not read or not names.keys() >= set(read):
        return None
    renamed = _COLUMN.sub(lambda found: f'old."{names[_name(found[1])]}"', text)
    return _SPACE.sub(" ", renamed).strip()


def _name(written: str) -> str:
    """Returns the column that a name in SQL means: without quotes it is folded to small letters."""
    return written[1:-1].replace('""', '"') if written.startswith('"') else written.lower()
