"""Rows of which NEW holds one for each row of a table that is merged: what two merged rows had each, such as
a profile, cannot both arrive.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tranship.codec.entry_fields import plain_json
from tranship.codec.jsonc import JsonValue
from tranship.errors.codes.followers import OnePartEach
from tranship.model.catalog import Catalog, Table
from tranship.model.expression import Coalesce, Rekeyed, Take
from tranship.model.plan import ColumnMapping, TablePlan
from tranship.model.resolution import Problem
from tranship.model.shape import MergedParents


def one_part_each(plans: Sequence[TablePlan], new: Catalog) -> Iterator[Problem]:
    """Yields a warning for each flow that leaves to the order of OLD's keys which of them arrives."""
    for plan in plans:
        after = new.table(plan.new)
        if after is None or plan.repointing is None or plan.shape.merge is not None:
            continue
        for parents in plan.repointing.parents:
            key = _key_of_one(after, _leading(plan.columns, parents))
            if key:
                yield _warning(plan, parents, key)


def _leading(columns: Sequence[ColumnMapping], parents: MergedParents) -> set[str]:
    """Returns the columns of NEW that lead to the rows that stay."""
    named = {mapping.column: _column(mapping) for mapping in columns}
    only = parents.only_in or tuple(named)
    return {name for name in only if named.get(name) in parents.columns}


def _column(mapping: ColumnMapping) -> str | None:
    """Returns the old column whose value a mapping takes as it is; None where it does not."""
    match mapping.expression:
        case Take(column=column) | Rekeyed(column=column) | Coalesce(of=Take(column=column)):
            return column
        case _:
            return None


def _key_of_one(table: Table, leading: set[str]) -> tuple[str, ...]:
    """Returns the columns of a key that holds one row for each row of the merged table; empty without one."""
    return next((key.columns for key in table.keys if leading.issuperset(key.columns)), ())


def _warning(plan: TablePlan, parents: MergedParents, key: tuple[str, ...]) -> Problem:
    merge = parents.merge
    own = plan.old == parents.table
    words: list[JsonValue] = list(merge.key) if own else [f"old.{column}" for column in parents.columns]
    entry: dict[str, JsonValue] = {"action": "merge", "key": words}
    if own and merge.keep:
        entry["keep"] = merge.keep
    chosen = "" if own else ' with a "keep"'
    return OnePartEach(plan.flow, parents.table, ", ".join(key), plain_json(entry), chosen).problem()
