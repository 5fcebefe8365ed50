"""Rows of OLD with equal keys that become one: which of them survives, and references that follow."""

from __future__ import annotations

from collections.abc import Sequence

from tranship.model.shape import Merge, MergedParents, Repointing
from tranship.sql.left_out import parent_left_out
from tranship.sql.quote import ident, relation

UNLED = "tranship_row"
"""The alias of a row whose references are not led to survivors yet."""


def key_known(merge: Merge) -> tuple[str, ...]:
    """Returns the conditions of rows that may be merged: no part of their key is NULL."""
    return tuple(f"(\n{text}\n) IS NOT NULL" for text in merge.key)


def repointed_heap(source: str, repointing: Repointing) -> str:
    """Returns the FROM clause over the unled row, whose references to merged rows lead to the survivors,
    as the row ``old``.

    ``source`` is the heap without an alias.
    """
    joins: list[str] = []
    values: dict[str, str] = {}
    for number, parents in enumerate(repointing.parents):
        alias = f"tranship_survivor_{number}"
        pairs = zip(parents.columns, parents.operators, strict=True)
        on = " AND ".join(
            f"{alias}.k{n} {operator} {UNLED}.{ident(column)}" for n, (column, operator) in enumerate(pairs)
        )
        joins.append(f"\nLEFT JOIN ({_survivors(parents)}) AS {alias} ON {on}")
        values |= {
            column: f"CASE WHEN {alias}.found THEN {alias}.s{n} ELSE {UNLED}.{ident(column)} END"
            for n, column in enumerate(parents.columns)
        }
    columns = [
        f"{values.get(name, f'{UNLED}.{ident(name)}')} AS {ident(name)}" for name in repointing.columns
    ]
    # The row keeps its place, by which batches and rejects find it.
    columns += [f"{UNLED}.{name} AS {name}" for name in ("ctid", "tableoid", "xmin")]
    lateral = f"\nCROSS JOIN LATERAL (SELECT {', '.join(columns)}) AS old"
    return f"{source} AS {UNLED}{''.join(joins)}{lateral}"


def _survivors(parents: MergedParents) -> str:
    """Returns a SELECT of the keys of merged rows, ``k0`` …, and of their survivors, ``s0`` …"""
    # Children know the parents by the keys that OLD holds, even where these are references themselves.
    row = "old" if parents.repointing is None else UNLED
    names = [f"{row}.{ident(name)}" for name in parents.keys]
    terms = [_term(f"{row}.{ident(name)}", text=text) for name, text in parents.order]
    window = survivor_first(parents.merge, [*terms, "old.tableoid", "old.ctid"])
    own = ", ".join(f"{name} AS k{n}" for n, name in enumerate(names))
    firsts = ", ".join(f"pg_catalog.first_value({name}) OVER w AS s{n}" for n, name in enumerate(names))
    place = "old.ctid AS id, pg_catalog.first_value(old.ctid) OVER w AS into_id"
    relations = "old.tableoid AS relation, pg_catalog.first_value(old.tableoid) OVER w AS into_relation"
    taken = (f"(\n{parents.where}\n)",) if parents.where else ()
    followed = (f"NOT {parent_left_out(above)}" for above in parents.left_with)
    conditions = [*taken, *followed, *key_known(parents.merge)]
    heap = f"FROM {'' if parents.partitioned else 'ONLY '}{relation(parents.table)}"
    heap = f"{heap} AS old" if parents.repointing is None else repointed_heap(heap, parents.repointing)
    read = f"{heap}\nWHERE {' AND '.join(conditions)}\nWINDOW w AS ({window})"
    return (
        f"SELECT m.*, true AS found FROM (SELECT {own}, {firsts}, {place}, {relations}\n{read}) AS m"
        " WHERE m.id <> m.into_id OR m.relation <> m.into_relation"
    )


def _term(name: str, *, text: bool) -> str:
    """Returns a term of OLD key order, as ``key_terms`` in ``batch.py`` has it."""
    return name + (' COLLATE pg_catalog."C"' if text else "")


def survivor_first(merge: Merge, order: Sequence[str]) -> str:
    """Returns the window of rows with equal keys in which the first one survives; ``order`` decides between
    those that ``keep`` calls equal, and tells all rows apart.
    """
    keys = ", ".join(f"(\n{text}\n)" for text in merge.key)
    kept = [f"\n{merge.keep}\n"] if merge.keep else []
    return f"PARTITION BY {keys} ORDER BY {', '.join([*kept, *order])}"
