"""Foreign keys of OLD that name a parent by more columns than those that fill NEW's key.

Two old rows that differ only in such a further column, a tenant for example, have equal keys in NEW. Which of
them is the parent of a row can be told by OLD's key alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from tranship.model.catalog import ForeignKey
from tranship.model.expression import Coalesce, Expression, Followed, MapValues, Rekeyed, Take
from tranship.model.names import TableName
from tranship.model.plan import TablePlan
from tranship.planning.plan.unchanged import mapping_of


def leading_key(
    key: ForeignKey,
    child: TablePlan,
    declared: Sequence[ForeignKey],
    parents: Sequence[TablePlan],
    columns: Collection[str | None],
) -> ForeignKey | None:
    """Returns the key of OLD that names the parents of a key of NEW, which ``columns`` of OLD fill; None
    without one. Of several, one over just these columns comes first, and of these one that leads to the
    columns which fill NEW's key.
    """
    there, origins = set[TableName]().union(*map(read_by, parents)), origins_of(child, key)
    exact = [
        held
        for held in declared
        if held.enforced and set(held.columns) == set(columns) and held.target in there
    ]
    alike = (
        held
        for held in exact
        for parent in parents
        if held.target in read_by(parent) and _pairs_alike(key, held, origins, parent)
    )
    leading = next(alike, None) or next(iter(exact), None)
    return leading or wider_key(key, child, declared, parents)


def wider_key(
    key: ForeignKey, child: TablePlan, declared: Iterable[ForeignKey], parents: Sequence[TablePlan]
) -> ForeignKey | None:
    """Returns the key of OLD, of those that the child's table declares, that names the parents of a key of
    NEW by further columns; None without one.

    It leads to the old table of one of the parents' flows, and pairs the columns that fill NEW's key as these
    flows do. A column of NEW's key that no old column fills, such as a constant, is passed over.
    """
    origins = origins_of(child, key)
    filling = set(origins.values())
    computed = len(origins) < len(key.columns)
    for held in declared if origins else ():
        wider = filling < set(held.columns) or (computed and filling == set(held.columns))
        above = [parent for parent in parents if held.target in read_by(parent)]
        named = held.enforced and not held.period and wider
        if named and any(_pairs_alike(key, held, origins, parent) for parent in above):
            return held
    return None


def origins_of(child: TablePlan, key: ForeignKey) -> Mapping[str, str]:
    """Returns, by column of a key of NEW, the old column whose values arrive there or say which does."""
    filled = ((name, mapping_of(child, name)) for name in key.columns)
    found = ((name, origin(mapping.expression)) for name, mapping in filled if mapping is not None)
    return {name: column for name, column in found if column is not None}


def origin(expression: Expression) -> str | None:
    """Returns the old column that an expression takes, maps or leads elsewhere; None where it does not."""
    match expression:
        case (
            Take(column=column)
            | Coalesce(of=Take(column=column))
            | MapValues(column=column)
            | Rekeyed(column=column)
            | Followed(of=Take(column=column))
            | Followed(of=Rekeyed(column=column))
        ):
            return column
        case _:
            return None


def read_by(plan: TablePlan) -> set[TableName]:
    """Returns the old tables whose rows a flow reads: its own, its partitions and inheritance children."""
    return {plan.old, *(source.relation for source in plan.sources)}


def _pairs_alike(key: ForeignKey, held: ForeignKey, origins: Mapping[str, str], parent: TablePlan) -> bool:
    """Returns whether a flow fills the columns to which NEW's key leads from those to which OLD's leads."""
    partners = dict(zip(held.columns, held.target_columns, strict=True))
    targets = dict(zip(key.columns, key.target_columns, strict=True))
    mappings = {name: mapping_of(parent, targets[name]) for name in origins}
    return all(
        mapping is not None and origin(mapping.expression) == partners[origins[name]]
        for name, mapping in mappings.items()
    )
