"""Which sequence of NEW takes its position from which one of OLD."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tranship.model.catalog import Catalog
from tranship.model.database_objects import Sequence as SequenceDefinition
from tranship.model.expression import Take
from tranship.model.names import ColumnRef, TableName
from tranship.model.plan import SequencePair, TablePlan
from tranship.planning.plan.unchanged import mapping_of


def sequence_pairs(old: Catalog, new: Catalog, tables: Sequence[TablePlan]) -> tuple[SequencePair, ...]:
    """Returns the sequences of NEW that the run sets, each with the one of OLD, where there is one.

    A sequence is paired through the columns that it numbers: those whose defaults call it, else the one that
    it belongs to, whose default may call it in a function; else by its name. One that numbers only columns of
    tables which this run does not fill is left alone.
    """
    # Of several old tables that fill a new one the first counts.
    fillers: dict[TableName, TablePlan] = {plan.new: plan for plan in reversed(tables)}
    pairs: list[SequencePair] = []
    for sequence in new.sequences:
        owner = sequence.owned_by
        if sequence.used_by:
            pairs += _pairs_by_column(sequence, sequence.used_by, old, fillers)
        elif owner is not None and owner.table in fillers:
            pairs += _pairs_by_column(sequence, (owner,), old, fillers)
        elif (twin := _twin(sequence, old)) is not None:
            pairs.append(SequencePair(new=sequence.name, old=twin))
    return tuple(pairs)


def _pairs_by_column(
    sequence: SequenceDefinition,
    numbered: Sequence[ColumnRef],
    old: Catalog,
    fillers: dict[TableName, TablePlan],
) -> Iterator[SequencePair]:
    for ref in numbered:
        if ref.table in fillers:
            before = _numbering(fillers[ref.table], ref.column, old) or _twin(sequence, old)
            yield SequencePair(new=sequence.name, old=before, table=ref.table, column=ref.column)


def _numbering(plan: TablePlan, column: str, old: Catalog) -> TableName | None:
    """Returns the sequence of OLD that numbers the column which arrives in ``column``."""
    before, mapping = old.table(plan.old), mapping_of(plan, column)
    if before is None or mapping is None or not isinstance(mapping.expression, Take):
        return None
    declared = before.column(mapping.expression.column)
    return declared.sequence if declared is not None else None


def _twin(sequence: SequenceDefinition, old: Catalog) -> TableName | None:
    """Returns the name of a sequence when OLD has one of it, too."""
    return next((other.name for other in old.sequences if other.name == sequence.name), None)
