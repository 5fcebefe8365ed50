"""Rows of OLD with equal keys that become one: which of them survives, and references that follow."""

from __future__ import annotations

from collections.abc import Sequence

from tranship.model.names import TableName
from tranship.model.shape import Merge, MergedParents, Repointing
from tranship.sql.left_out import parent_left_out
from tranship.sql.quote import ident, relation
from tranship.sql.survivors import UNLED, over_own_row, survivor


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
    # A reference that contains another one comes after it: its survivor says what both become.
    for number, parents in sorted(enumerate(repointing.parents), key=lambda one: _depth(one[1])):
        alias = survivor(number)
        pairs = zip(parents.columns, parents.operators, strict=True)
        on = " AND ".join(
            f"{alias}.k{n} {operator} {UNLED}.{ident(column)}" for n, (column, operator) in enumerate(pairs)
        )
        joins.append(f"\nLEFT JOIN ({_survivors(parents)}) AS {alias} ON {on}")
        if parents.only_in:
            # The row's own key stays in it: only what refers to the merged rows leads to the survivor.
            continue
        values |= {
            column: f"CASE WHEN {alias}.found THEN {alias}.s{n}"
            f" ELSE {values.get(column, f'{UNLED}.{ident(column)}')} END"
            for n, column in enumerate(parents.columns)
        }
    columns = [
        f"{values.get(name, f'{UNLED}.{ident(name)}')} AS {ident(name)}" for name in repointing.columns
    ]
    # The row keeps its place, by which batches and rejects find it.
    columns += [f"{UNLED}.{name} AS {name}" for name in ("ctid", "tableoid", "xmin")]
    lateral = f"\nCROSS JOIN LATERAL (SELECT {', '.join(columns)}) AS old"
    return f"{source} AS {UNLED}{''.join(joins)}{lateral}"


def referring(repointing: Repointing | None, table: TableName, columns: Sequence[str]) -> tuple[str, ...]:
    """Returns SQL for the values by which a row refers to a row of ``table`` as OLD holds it, or to the row
    into which that one is merged. The references that are part of that row's key are not led.
    """
    if repointing is None:
        return tuple(f"old.{ident(column)}" for column in columns)
    values = {column: f"{UNLED}.{ident(column)}" for column in columns}
    for number, parents in enumerate(repointing.parents):
        if parents.table == table and set(parents.columns) == set(columns):
            alias = survivor(number)
            values |= {
                column: f"CASE WHEN {alias}.found THEN {alias}.o{n} ELSE {values[column]} END"
                for n, column in enumerate(parents.columns)
            }
    return tuple(values[column] for column in columns)


def _depth(parents: MergedParents) -> int:
    """Returns how many keys of merged rows contain one another, down from the key to which one leads."""
    inside = parents.repointing.parents if parents.repointing is not None else ()
    return 1 + max(map(_depth, inside), default=0)


def _survivors(parents: MergedParents) -> str:
    """Returns a SELECT of the keys of merged rows, ``k0`` …, of their survivors as NEW will know them, ``s0``
    …, and as OLD holds them, ``o0`` …
    """
    # Children know the parents by the keys that OLD holds, even where these are references themselves.
    row = "old" if parents.repointing is None else UNLED
    names = [f"{row}.{ident(name)}" for name in parents.keys]
    terms = [_term(f"{row}.{ident(name)}", text=text) for name, text in parents.order]
    window = survivor_first(parents.merge, [*terms, "old.tableoid", "old.ctid"])
    own = ", ".join(f"{name} AS k{n}" for n, name in enumerate(names))
    led = [f"old.{ident(name)}" for name in parents.keys]
    firsts = ", ".join(
        f"pg_catalog.first_value({value}) OVER w AS {kind}{n}"
        for kind, values in (("s", led), ("o", names))
        for n, value in enumerate(values)
    )
    place = "old.ctid AS id, pg_catalog.first_value(old.ctid) OVER w AS into_id"
    relations = "old.tableoid AS relation, pg_catalog.first_value(old.tableoid) OVER w AS into_relation"
    taken = (_chosen(parents),) if parents.where else ()
    followed = (f"NOT {parent_left_out(above)}" for above in parents.left_with)
    conditions = [*taken, *followed, *key_known(parents.merge)]
    heap = f"FROM {'' if parents.partitioned else 'ONLY '}{relation(parents.table)}"
    heap = f"{heap} AS old" if parents.repointing is None else repointed_heap(heap, parents.repointing)
    read = f"{heap}\nWHERE {' AND '.join(conditions)}\nWINDOW w AS ({window})"
    return (
        f"SELECT m.*, true AS found FROM (SELECT {own}, {firsts}, {place}, {relations}\n{read}) AS m"
        " WHERE m.id <> m.into_id OR m.relation <> m.into_relation"
    )


def _chosen(parents: MergedParents) -> str:
    """Returns the condition of the parents' filter, which is over the row as OLD holds it."""
    where = f"(\n{parents.where}\n)"
    return where if parents.repointing is None else over_own_row(where, parents.repointing.columns)


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
