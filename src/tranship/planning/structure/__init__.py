"""What else differs beyond columns, or will not come along: reported, never asked. Pure."""

from __future__ import annotations

from tranship.model.catalog import Catalog
from tranship.model.change import Change, Matching, Pairing
from tranship.planning.structure.attachments import attachment_notes
from tranship.planning.structure.columns import column_notes
from tranship.planning.structure.constraints import constraint_notes
from tranship.planning.structure.database import database_notes
from tranship.planning.structure.leaves import leaf_notes
from tranship.planning.structure.objects import object_notes
from tranship.planning.structure.relations import relation_notes
from tranship.planning.structure.sides import TableSides, Translation, translation_of
from tranship.planning.structure.uniqueness import uniqueness_notes

__all__ = ["structure_notes"]


def structure_notes(old: Catalog, new: Catalog, matching: Matching) -> tuple[Change, ...]:
    """Every difference in structure, compared by meaning.

    Names of constraints and indexes alone are no difference; column, table and schema names are compared through *matching*;
    expressions as text, so that a difference can be one of spelling, which the note says. A constraint that OLD's rows may break
    has the kind ``new_constraint``. Ordered as the pairs are, then relations, then objects of the database, by name.
    With a configured choice of tables only these tables and what holds for the whole database are spoken of.
    """
    translation = translation_of(old, new, matching)
    notes: list[Change] = []
    for pair in matching.pairs:
        before, after = old.table(pair.old), new.table(pair.new)
        if before is None or after is None:
            continue
        notes += _of_pair(TableSides(before, after, pair, translation))
    return (*notes, *_beyond(old, new, matching, translation))


def _of_pair(sides: TableSides) -> list[Change]:
    """A child that flows into its parent's counterpart gives up its own structure by that: only what may refuse its rows is told."""
    demands = [*column_notes(sides), *uniqueness_notes(sides), *constraint_notes(sides), *leaf_notes(sides)]
    if sides.pair.pairing is Pairing.PARENT:
        return [note for note in demands if note.kind == "new_constraint"]
    return [*demands, *attachment_notes(sides)]


def _beyond(old: Catalog, new: Catalog, matching: Matching, translation: Translation) -> list[Change]:
    if matching.out_of_scope:
        return database_notes(old, new)
    return [*relation_notes(old, new, translation), *object_notes(old, new, matching, translation), *database_notes(old, new)]
