"""Which columns of two tables correspond: decisions, then equal names, then renames that are proven. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from tranship.model.catalog import Table
from tranship.model.change import ColumnPair, Pairing, Proposal, TablePair
from tranship.planning.matching.renames import RenameContext, column_renames


class ColumnDecisions(Struct):
    """What is decided about the columns of one flow."""

    pairs: list[tuple[str, str]]
    resolved_old: set[str]
    resolved_new: set[str]


NO_DECISIONS = ColumnDecisions([], set(), set())


def said_columns(old: Table, new: Table, decided: ColumnDecisions) -> tuple[ColumnPair, ...]:
    """Returns the pairs by decision and by name alone, in NEW's column order."""
    chosen = _decided_columns(old, new, decided)
    taken = {p.new for p in chosen} | decided.resolved_new
    by_new = _by_new_column(chosen, _columns_by_name(old, new, decided.resolved_old, taken), ())
    return tuple(by_new[column.name] for column in new.columns if column.name in by_new)


def with_columns(
    pair: TablePair, tables: tuple[Table, Table], decided: ColumnDecisions, context: RenameContext
) -> TablePair:
    """Returns the pair of tables with the pairs of its columns and the proposals for the rest."""
    old, new = tables
    chosen = _decided_columns(old, new, decided)
    taken = {p.new for p in chosen} | decided.resolved_new
    named = _columns_by_name(old, new, decided.resolved_old, taken)
    renames = column_renames(old, new, kept=[(p.old, p.new) for p in (*chosen, *named)], context=context)
    automatic = [p for p in renames.automatic if p.old not in decided.resolved_old and p.new not in taken]
    shared = {p.old for p in chosen} - decided.resolved_old
    automatic += _renames_of_shared(old, new, shared, [*chosen, *named, *automatic], taken, context)
    by_new = _by_new_column(chosen, named, automatic)
    proposals = _open_proposals(renames.proposals, by_new, decided)
    return TablePair(
        old=pair.old,
        new=pair.new,
        pairing=pair.pairing,
        columns=tuple(by_new[column.name] for column in new.columns if column.name in by_new),
        proposals=proposals,
        evidence=pair.evidence,
    )


def _decided_columns(old: Table, new: Table, decided: ColumnDecisions) -> list[ColumnPair]:
    return [
        ColumnPair(a, b, Pairing.DECIDED, ("decided",))
        for a, b in decided.pairs
        if old.column(a) is not None and new.column(b) is not None
    ]


def _columns_by_name(old: Table, new: Table, resolved_old: set[str], taken: set[str]) -> list[ColumnPair]:
    free = (c.name for c in new.columns if c.name not in taken and c.name not in resolved_old)
    return [ColumnPair(name, name, Pairing.NAME) for name in free if old.column(name) is not None]


def _renames_of_shared(
    old: Table,
    new: Table,
    shared: set[str],
    pairs: Sequence[ColumnPair],
    taken: set[str],
    context: RenameContext,
) -> list[ColumnPair]:
    """Returns the proven renames of old columns that a ``transform`` feeds elsewhere.

    ``shared`` are these columns: unlike a ``rename``, a ``transform`` does not use its column up, so the
    rules are asked a second time as if it had no counterpart. ``pairs`` are the column pairs so far,
    ``taken`` the new columns that decisions fill.
    """
    if not shared:
        return []
    kept = [(p.old, p.new) for p in pairs if p.pairing is not Pairing.DECIDED or p.old not in shared]
    filled = taken | {p.new for p in pairs if p.pairing not in (Pairing.DECIDED, Pairing.NAME)}
    found = column_renames(old, new, kept=kept, context=context).automatic
    return [p for p in found if p.old in shared and p.new not in filled]


def _by_new_column(
    chosen: Sequence[ColumnPair], named: Sequence[ColumnPair], automatic: Sequence[ColumnPair]
) -> dict[str, ColumnPair]:
    """Returns the pairs by their new column.

    A decision wins over a proven rename, and that over an equal name.
    """
    moved_old, moved_new = {p.old for p in automatic}, {p.new for p in automatic}
    # Columns that swapped their names: the rename takes both out of the pairs of equal names.
    unmoved = [p for p in named if p.old not in moved_old and p.new not in moved_new]
    return {p.new: p for p in (*unmoved, *automatic, *chosen)}


def _open_proposals(
    proposals: Sequence[Proposal], by_new: dict[str, ColumnPair], decided: ColumnDecisions
) -> tuple[Proposal, ...]:
    """Returns the proposals of which both columns are still without a counterpart."""
    feeding = {p.old for p in by_new.values()} | decided.resolved_old
    filled = by_new.keys() | decided.resolved_new
    return tuple(p for p in proposals if p.old not in feeding and p.new not in filled)
