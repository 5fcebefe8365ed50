"""Describes what conversions change, and where expressions lead references, for the pages of runs."""

from __future__ import annotations

from collections.abc import Sequence

from tranship.model.count import count_of
from tranship.model.reported_run import ReportedTable
from tranship.model.verdict import TableResult
from tranship.report.changed_values import MEANT, MET_BY_CHANCE, leads_to_new
from tranship.report.document import Item, Note, Section, Tone
from tranship.report.verification import grouped


def changed_sections(tables: Sequence[TableResult | ReportedTable], *, done: bool) -> tuple[Section, Section]:
    """Returns the section of values that conversions change, and that of references to rows that NEW held
    before. ``done``: they are in NEW.
    """
    found = [(table.label, loss) for table in tables for loss in table.losses]
    changed = tuple(
        Item(f"{loss.column}: {loss.loss} in {count_of(loss.rows, 'row', write=grouped)}", label)
        for label, loss in found
        if not leads_to_new(loss)
    )
    met = tuple(
        Item(f"{loss.column} in {count_of(loss.rows, 'row', write=grouped)}", label, (Note(MEANT),))
        for label, loss in found
        if leads_to_new(loss)
    )
    title = f"Values that a conversion {'changed' if done else 'changes'}"
    return Section(title, changed, Tone.CHANGED), Section(MET_BY_CHANCE, met, Tone.CHANGED)
