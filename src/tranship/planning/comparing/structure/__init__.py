"""Differences in structure beyond columns, and what does not come along: reported, never asked about.

Lives here: notes (SAFE changes), each from two catalogs and the pairs of their names. Does not live here:
changes that a person has to decide (``comparing.column_changes``), and asking a server how it spells an
expression (``analysis.spellings``; its answers come in). Begin with ``sides``. Order of the files:
translation → sides → demands → columns · uniqueness · constraints · leaves · attachments → relations ·
objects · others · database; open_spellings stands alone.
"""

from __future__ import annotations

from tranship.model.catalog import Catalog
from tranship.model.change import Change, Matching, Pairing
from tranship.model.change_kind import ChangeKind
from tranship.planning.comparing.structure.attachments import attachment_notes
from tranship.planning.comparing.structure.columns import column_notes
from tranship.planning.comparing.structure.constraints import constraint_notes
from tranship.planning.comparing.structure.database import database_notes
from tranship.planning.comparing.structure.leaves import leaf_notes
from tranship.planning.comparing.structure.objects import object_notes
from tranship.planning.comparing.structure.open_spellings import open_spellings
from tranship.planning.comparing.structure.others import other_notes, shared_notes
from tranship.planning.comparing.structure.relations import relation_notes
from tranship.planning.comparing.structure.sides import (
    NO_SPELLINGS,
    Spellings,
    TableSides,
    table_sides,
)
from tranship.planning.comparing.structure.translation import Translation, translation_of
from tranship.planning.comparing.structure.uniqueness import uniqueness_notes

__all__ = ["NO_SPELLINGS", "Spellings", "open_spellings", "structure_notes"]


def structure_notes(
    old: Catalog, new: Catalog, matching: Matching, spellings: Spellings = NO_SPELLINGS
) -> tuple[Change, ...]:
    """Returns a note for every difference in structure, compared by meaning.

    Names of constraints and indexes alone are no difference; names of columns, tables and schemas are
    compared through ``matching``. Expressions are compared in one server's spelling where ``spellings`` has
    it, elsewhere as text: then the note says that the difference may be one of spelling. A constraint that
    OLD's rows may break has the kind ``new_constraint``.

    The order is that of the pairs, then what many tables share, relations, and objects of the database by
    name. With a configured choice of tables only these tables and what holds for the whole database are
    reported.
    """
    translation = translation_of(old, new, matching)
    pairs = tuple(table_sides(old, new, matching, translation, spellings))
    notes = [note for sides in pairs for note in _of_pair(sides)]
    return (*notes, *shared_notes(pairs), *_beyond(old, new, matching, translation))


def _of_pair(sides: TableSides) -> list[Change]:
    """Returns the notes about one pair.

    A child that flows into its parent's counterpart gives up its own structure by that: only what may refuse
    its rows is reported.
    """
    demands = [*column_notes(sides), *uniqueness_notes(sides), *constraint_notes(sides), *leaf_notes(sides)]
    if sides.pair.pairing is Pairing.PARENT:
        return [note for note in demands if note.kind == ChangeKind.NEW_CONSTRAINT]
    return [*demands, *attachment_notes(sides)]


def _beyond(old: Catalog, new: Catalog, matching: Matching, translation: Translation) -> list[Change]:
    whole = not matching.out_of_scope
    objects = list[Change]()
    if whole:
        objects += relation_notes(old, new, translation)
        objects += object_notes(old, new, matching, translation)
    return [*objects, *database_notes(old, new, other_notes(old, new, translation, whole=whole))]
