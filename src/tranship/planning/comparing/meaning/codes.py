"""Codes that become ids: a number that refers to nothing in OLD, stored where NEW means the id of a row."""

from __future__ import annotations

from tranship.model.catalog import Column, ForeignKey, Table
from tranship.model.change import ColumnPair, Pairing
from tranship.model.references import references
from tranship.planning.comparing.meaning.context import Concern, Landscape
from tranship.planning.comparing.meaning.key_questions import is_the_primary_key, may_be_keys
from tranship.planning.names.families import family
from tranship.planning.names.tokens import squashed, stems

_SAYS_ID = frozenset({"id", "uuid", "guid", "key", "fk", "ref"})


def code_concern(pair: ColumnPair, before: Table, after: Table, landscape: Landscape) -> Concern | None:
    """Returns why the numbers of a column would be taken for the ids of other rows; None where nothing speaks
    for that.

    It needs a rule that took two names for one column, and a table that no old one fills: its ids were given
    by someone who did not know OLD. Under its own name, or called an id before, a column keeps its numbers.
    """
    old, new = before.column(pair.old), after.column(pair.new)
    if old is None or new is None or pair.pairing is not Pairing.RULE:
        return None
    if squashed(old.name) == squashed(new.name) or not _may_be_code(before, old):
        return None
    key = _into_a_table_of_new(after, new, landscape)
    if key is None:
        return None
    target = key.target
    return Concern(
        (
            f"in OLD {before.name}.{old.name} refers to nothing",
            f"in NEW {after.name}.{new.name} refers to {target} ({key.target_columns[0]}), which no table of"
            " OLD fills: are OLD's numbers its ids?",
        ),
        bare=True,
    )


def _may_be_code(table: Table, column: Column) -> bool:
    """Returns whether a column holds whole numbers and neither a key nor its name says that they are ids."""
    if not may_be_keys(column) or family(column.type) == "uuid" or is_the_primary_key(table, column.name):
        return False
    declared = any(column.name in key.columns for key in references(table))
    return not declared and not set(stems(column.name)) & _SAYS_ID


def _into_a_table_of_new(after: Table, column: Column, landscape: Landscape) -> ForeignKey | None:
    """Returns the foreign key over a column that leads to a table which NEW alone has; None where there is
    none, or where a person adopts NEW's rows.
    """
    for key in references(after):
        over_it = key.columns == (column.name,) and key.enforced
        alone = over_it and key.target not in landscape.filled and key.target != after.name
        if alone and (after.name, key.name) not in landscape.adopting:
            return key
    return None
