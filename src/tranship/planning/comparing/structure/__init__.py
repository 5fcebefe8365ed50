"""What else differs beyond columns, or will not come along: reported, never asked. Pure."""

from __future__ import annotations

from tranship.model.catalog import Catalog
from tranship.model.change import Change, Matching, Pairing
from tranship.planning.comparing.structure.attachments import attachment_notes
from tranship.planning.comparing.structure.columns import column_notes
from tranship.planning.comparing.structure.constraints import constraint_notes
from tranship.planning.comparing.structure.database import database_notes
from tranship.planning.comparing.structure.doubts import doubtful_spellings
from tranship.planning.comparing.structure.leaves import leaf_notes
from tranship.planning.comparing.structure.objects import object_notes
from tranship.planning.comparing.structure.others import other_notes, shared_notes
from tranship.planning.comparing.structure.relations import relation_notes
from tranship.planning.comparing.structure.sides import (
    NO_SPELLINGS,
    Spellings,
    TableSides,
    Translation,
    table_sides,
    translation_of,
)
from tranship.planning.comparing.structure.uniqueness import uniqueness_notes

__all__ = ["NO_SPELLINGS", "Spellings", "doubtful_spellings", "structure_notes"]


def structure_notes(
    old: Catalog, new: Catalog, matching: Matching, spellings: Spellings = NO_SPELLINGS
) -> tuple[Change, ...]:
    """Every difference in structure, compared by meaning.

    Names of constraints and indexes alone are no difference; column, table and schema names are compared through *matching*;
    expressions in one server's spelling where *spellings* has it, elsewhere as text, so that a difference can be one of spelling,
    and the note says so. A constraint that OLD's rows may break has the kind ``new_constraint``. Ordered as the pairs are, then
    what many tables share, relations, then objects of the database, by name. With a configured choice of tables only these tables and what holds for
    the whole database are spoken of.
    """
    translation = translation_of(old, new, matching)
    pairs = tuple(table_sides(old, new, matching, translation, spellings))
    notes = [note for sides in pairs for note in _of_pair(sides)]
    return (*notes, *shared_notes(pairs), *_beyond(old, new, matching, translation))


def _of_pair(sides: TableSides) -> list[Change]:
    """A child that flows into its parent's counterpart gives up its own structure by that: only what may refuse its rows is told."""
    demands = [*column_notes(sides), *uniqueness_notes(sides), *constraint_notes(sides), *leaf_notes(sides)]
    if sides.pair.pairing is Pairing.PARENT:
        return [note for note in demands if note.kind == "new_constraint"]
    return [*demands, *attachment_notes(sides)]


def _beyond(old: Catalog, new: Catalog, matching: Matching, translation: Translation) -> list[Change]:
    whole = not matching.out_of_scope
    objects = (
        [*relation_notes(old, new, translation), *object_notes(old, new, matching, translation)]
        if whole
        else []
    )
    return [*objects, *database_notes(old, new, other_notes(old, new, translation, whole=whole))]
