"""Suggestions of another shape: rows that become several, or one, or stay behind.

Each is a whole of entries, as they would stand in the file, with what speaks for it; a person takes it
or not. Lives here: finding them in catalogs and evidence. Does not live here: asking the data
(``deciding.shape_questions``), and drafts about single columns (``suggest.columns``). Begin with ``shapes``
below. Order of the files: whole → kinds → extracted · one_to_many → links · unpivots · many_to_one · folded ·
within → json_tables.
"""

from __future__ import annotations

from itertools import chain

from tranship.planning.deciding.suggest.shapes.extracted import extracted
from tranship.planning.deciding.suggest.shapes.folded import folded_tables
from tranship.planning.deciding.suggest.shapes.json_tables import json_tables
from tranship.planning.deciding.suggest.shapes.kinds import references_of_any_table, rows_of_one_kind
from tranship.planning.deciding.suggest.shapes.links import links
from tranship.planning.deciding.suggest.shapes.many_to_one import attributes, child_rows, united_tables
from tranship.planning.deciding.suggest.shapes.one_to_many import lists, split_tables, trees
from tranship.planning.deciding.suggest.shapes.unpivots import unpivots
from tranship.planning.deciding.suggest.shapes.whole import Shape, Whole
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
    """Returns what may become of rows beyond one old row, one new row; the grossest change first.

    Of two that fill the same columns from one old table the first stays: it says more of the table.
    """
    found: list[Shape] = []
    for shape in chain.from_iterable(detector(whole) for detector in _DETECTORS):
        others = (one for one in found if one.table == shape.table)
        if not shape.fills or not any(shape.fills <= one.fills for one in others):
            found.append(shape)
    return tuple(found)
