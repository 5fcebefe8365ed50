"""Suggestions of another shape: rows that become several, or one, or stay behind.

Each is a whole of entries, as they would stand in the file, with what speaks for it; a person takes it
or not. Lives here: finding them in catalogs and evidence. Does not live here: asking the data
(``deciding.shape_questions``), and drafts about single columns (``suggest.columns``). Begin with ``shapes``
below. Order of the files: whole → kinds → extracted · chief → one_to_many → links · unpivots · many_to_one ·
folded · spelled → within → json_tables → once → takeable → questions_first.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from msgspec.structs import replace

from tranship.model.resolution import Action
from tranship.planning.deciding.resolve.words import SPECIFY_CONDITION
from tranship.planning.deciding.suggest.shapes.extracted import extracted
from tranship.planning.deciding.suggest.shapes.folded import folded_tables
from tranship.planning.deciding.suggest.shapes.json_tables import json_tables
from tranship.planning.deciding.suggest.shapes.kinds import references_of_any_table, rows_of_one_kind
from tranship.planning.deciding.suggest.shapes.links import links
from tranship.planning.deciding.suggest.shapes.many_to_one import attributes, child_rows, united_tables
from tranship.planning.deciding.suggest.shapes.once import with_keys_tried
from tranship.planning.deciding.suggest.shapes.one_to_many import lists, split_tables, trees
from tranship.planning.deciding.suggest.shapes.questions_first import with_questions_first
from tranship.planning.deciding.suggest.shapes.takeable import is_takeable, with_lacking_values
from tranship.planning.deciding.suggest.shapes.unpivots import unpivots
from tranship.planning.deciding.suggest.shapes.whole import Entry, Shape, Whole
from tranship.planning.deciding.suggest.shapes.within import (
    duplicates,
    held_rows,
    json_columns,
    marked_rows,
    names_in_other_tables,
    parents_above,
    tenants,
)

_DETECTORS = (
    extracted,
    links,
    split_tables,
    rows_of_one_kind,
    references_of_any_table,
    lists,
    json_tables,
    unpivots,
    trees,
    parents_above,
    united_tables,
    folded_tables,
    attributes,
    child_rows,
    json_columns,
    tenants,
    duplicates,
    held_rows,
    names_in_other_tables,
    marked_rows,
)


def shapes(whole: Whole) -> tuple[Shape, ...]:
    """Returns what may become of rows beyond one old row, one new row; the grossest change first, and behind
    all of them what cannot be taken yet.

    Of two that fill the same columns from one old table the first stays: it says more of the table.
    """
    found: list[Shape] = []
    for shape in filter(is_takeable, chain.from_iterable(detector(whole) for detector in _DETECTORS)):
        others = (one for one in found if one.table == shape.table)
        if not shape.fills or not any(shape.fills <= one.fills for one in others):
            found.append(shape)
    told = (_told(whole, shape, found) for shape in found)
    # What cannot be taken before a question is answered stands behind what can.
    return tuple(sorted(told, key=lambda shape: bool(shape.first)))


def _told(whole: Whole, shape: Shape, found: Sequence[Shape]) -> Shape:
    told = with_keys_tried(whole, _with_rivals(shape, found))
    return with_questions_first(whole, with_lacking_values(whole, told))


def _with_rivals(shape: Shape, found: Sequence[Shape]) -> Shape:
    """Returns a shape with the others that would put the same items of a column into another new table."""
    others = [one for one in found if one is not shape and _has_its_items(one, shape)]
    if not others:
        return shape
    flows = ", ".join(f"'{key}'" for one in others for key in one.entries)
    given = ", ".join(str(entry["where"]) for entry in _row_entries(shape))
    why = f'the items would go by {flows}, too: "where" says which of them go here ({given} takes all)'
    entries = {key: tuple(map(_asking_where, own)) for key, own in shape.entries.items()}
    return replace(shape, evidence=(*shape.evidence, why), entries=entries)


def _asking_where(entry: Entry) -> Entry:
    return {**entry, "where": SPECIFY_CONDITION} if entry["action"] == Action.ROWS else entry


def _has_its_items(one: Shape, other: Shape) -> bool:
    """Returns whether two shapes make rows of one column of one old table."""
    both = _row_entries(one) and _row_entries(other) and one.entries.keys().isdisjoint(other.entries)
    return bool(both) and one.table == other.table and not set(one.columns).isdisjoint(other.columns)


def _row_entries(shape: Shape) -> list[Entry]:
    every = chain.from_iterable(shape.entries.values())
    return [entry for entry in every if entry["action"] == Action.ROWS and "where" in entry]
