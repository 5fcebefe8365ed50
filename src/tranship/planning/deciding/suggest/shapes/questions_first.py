"""Which questions come before a shape can be taken: keys that need new values, since its columns follow them
and are not converted, and tables of which nobody has agreed yet what they become.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from msgspec.structs import replace

from tranship.model.catalog import Column, Table
from tranship.model.references import references
from tranship.model.resolution import Action
from tranship.planning.deciding.resolve.tables import table_key
from tranship.planning.deciding.suggest.shapes.whole import Entry, PairOfTables, Shape, Whole, single_key
from tranship.planning.types.conversion import convert

_COPYING = (Action.TRANSFORM, Action.RENAME)
_WAYS = frozenset({"value_mapping", "lookup_table", "transform_sql"})


def with_questions_first(whole: Whole, shape: Shape) -> Shape:
    """Returns a shape with the open questions that come before it, and says so in its evidence.

    Until a key has new values by decision, an entry that copies the old one is refused (TS328); until
    somebody agrees to the new table of an old one, nothing is sure that was found by comparing the two.
    """
    copying = chain.from_iterable(_copied(whole, key, own) for key, own in shape.entries.items())
    keys = dict.fromkeys(found for one in copying if (found := _key_first(whole, *one)) is not None)
    tables = dict.fromkeys(_tables_first(whole, shape))
    told = [
        f"first decide what becomes of {name}: before that nothing says where its rows go" for name in tables
    ]
    told += [
        f"first decide action '{Action.NEW_KEY}' for {name}: "
        "the columns that refer to this key follow its new values, and before that this is refused (TS328)"
        for name in keys
    ]
    first = (*tables, *keys)
    return replace(shape, first=first, evidence=(*told, *shape.evidence)) if first else shape


def _tables_first(whole: Whole, shape: Shape) -> Iterator[str]:
    """Yields the old tables that a shape speaks of and of which nobody has agreed what they become."""
    pending = {table_key(name, whole.old) for name in whole.pending}
    for key, entries in shape.entries.items():
        name, says_itself = key.partition(" -> ")[0], any(e["action"] == Action.RENAME_TABLE for e in entries)
        if name in pending and not says_itself:
            yield name


def _copied(
    whole: Whole, key: str, entries: tuple[Entry, ...]
) -> Iterator[tuple[Table, Table, Column, Column]]:
    """Yields the columns that entries copy as they are, each with its tables."""
    sides = _tables_of(whole, key)
    for entry in entries if sides is not None else ():
        if entry["action"] not in _COPYING or not _WAYS.isdisjoint(entry) or sides is None:
            continue
        source = sides[0].column(str(entry.get("old_column")))
        target = sides[1].column(str(entry.get("new_column")))
        if source is not None and target is not None:
            yield *sides, source, target


def _tables_of(whole: Whole, key: str) -> tuple[Table, Table] | None:
    """Returns the old and the new table of a key of the file; None where it names no flow of one pair."""
    own, _, into = key.partition(" -> ")
    one = next((one for one in whole.pairs if one.key == own), None)
    if one is None or not into:
        return (one.before, one.after) if one is not None else None
    after = next((t for t in whole.new.tables if table_key(t.name, whole.new) == into), None)
    return (one.before, after) if after is not None else None


def _key_first(whole: Whole, before: Table, after: Table, source: Column, target: Column) -> str | None:
    """Returns the old key, with its table, whose open question comes before the copy of a column."""
    versions = whole.old.server_version, whole.new.server_version
    conversion = convert(
        source.type,
        target.type,
        old_version=versions[0],
        new_version=versions[1],
        schemas=whole.schema_pairs,
    )
    parents = [key.target for key in references(after) if key.columns == (target.name,)]
    if conversion.bare or not parents:
        return None
    parent = next((one for one in whole.pairs if one.after.name == parents[0] and not one.pair.name), None)
    return _open_key(whole, parent, before, source) if parent is not None else None


def _open_key(whole: Whole, parent: PairOfTables, before: Table, source: Column) -> str | None:
    """Returns the key of an old table where a column is it, or refers to it, and its question is open."""
    key = single_key(parent.before)
    is_key = before is parent.before and source.name == key
    refers = any(
        one.columns == (source.name,) and one.target == parent.before.name for one in references(before)
    )
    is_open = (parent.pair.flow, key) in whole.asked
    return f"{parent.key}.{key}" if (is_key or refers) and is_open else None
