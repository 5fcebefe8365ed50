"""Faults of a row that NEW alone can tell, and only when the row is written: they are noted, not asked."""

from __future__ import annotations

from tranship.execution.context import Job
from tranship.execution.probe.lookups import Lookups
from tranship.execution.probe.reject_book import Book
from tranship.model.catalog import ForeignKey
from tranship.model.plan import HazardKind, TablePlan
from tranship.model.references import partial_references, references


def note_domains(job: Job, plan: TablePlan, book: Book) -> None:
    """Notes the columns whose domains are asked only when a row is written."""
    for mapping in plan.columns:
        function = job.reader_of_filled("\n".join(mapping.type.every_check))
        if function is not None:
            what = f"its domain calls {function}, which may read tables that this run fills"
            book.note(plan.flow, f"{mapping.column}: {what}")


def foreseen_references(job: Job, plan: TablePlan) -> tuple[ForeignKey, ...]:
    """Returns the foreign keys of a flow whose missing parents are looked for beforehand: those that every
    row has to satisfy.

    Those that partitions declare inside a cycle of tables are left out: a live run does not take them off for
    the copy, so that a row may be refused whose parent arrives later.
    """
    after = job.after(plan)
    every, own = references(after), len(after.foreign_keys)
    if len(every) == own:
        return every
    together = {one.new for group in job.plan.groups if plan in group.tables for one in group.tables}
    return (*after.foreign_keys, *(key for key in every[own:] if key.target not in together))


def note_partition_keys(job: Job, plan: TablePlan, book: Book) -> None:
    """Notes the foreign keys that single partitions have and their table has not: which rows go there, and
    which parents they need then, is not asked.
    """
    filled = {mapping.column for mapping in plan.columns}
    names = [
        f"{key.name} of partition {leaf.name}"
        for leaf, key in partial_references(job.after(plan), foreseen_references(job, plan))
        if key.enforced and filled.issuperset(key.columns)
    ]
    if names:
        # Every partition may have its own: one line is enough to say that a dry run does not ask them.
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        what = "a row whose parent does not arrive is rejected when it is written"
        book.note(plan.flow, f"foreign key {names[0]}{more}: {what}")


def gaps_to_ask(lookups: Lookups, plan: TablePlan, book: Book) -> list[str]:
    """Returns the columns of which can be told now for which rows a mapping or a lookup has no entry; the
    others are noted.
    """
    positions = {mapping.column: n for n, mapping in enumerate(plan.columns)}
    gaps = [column for hazard in plan.hazards if hazard.kind is HazardKind.GAP for column in hazard.columns]
    later = [column for column in gaps if lookups.compared_by_new(plan, positions[column])]
    for column in later:
        book.note(plan.flow, f"{column}: whether its lookup has an entry, NEW alone will know")
    return [column for column in gaps if column not in later]
