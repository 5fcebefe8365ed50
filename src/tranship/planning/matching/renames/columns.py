"""Column renames of one pair of tables: first those that are proven, then those worth asking about."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from tranship.model.catalog import Column, Table
from tranship.model.change import ColumnPair, Pairing, Proposal
from tranship.planning.matching.renames.assign import choose
from tranship.planning.matching.renames.columns_context import ColumnsContext, Unpaired, make_columns_context
from tranship.planning.matching.renames.context import ColumnRenames, RenameContext
from tranship.planning.matching.renames.convention import NameRule, column_pairs
from tranship.planning.matching.renames.evidence import describe
from tranship.planning.matching.renames.features import features
from tranship.planning.matching.renames.gap import Gap, alphabetical, gaps
from tranship.planning.matching.renames.lineage import moved_names, same_relation
from tranship.planning.matching.renames.score import (
    ORDERED,
    ORDERED_THRESHOLD,
    UNORDERED,
    UNORDERED_THRESHOLD,
    probability,
    shifted,
)
from tranship.planning.matching.renames.vetoes import OTHER_FAMILY, UNRELATED_BOOLEANS, vetoes
from tranship.planning.names.likeness import compare_names

ALIGNED_LIKENESS = 0.3
"""Least likeness of names before several columns of one gap are taken for renamed in order."""
SAME_COLUMN = "same physical table, same column number"
_OF_PLACES_ALONE = (OTHER_FAMILY, UNRELATED_BOOLEANS)
"""Vetoes that say nothing against a column that is physically the same one."""


class Progress(Struct):
    """One table pair while its rules run in order of evidence."""

    old: Table
    new: Table
    kept: list[tuple[str, str]]
    context: RenameContext
    found: list[ColumnPair]

    @property
    def pairs(self) -> list[tuple[str, str]]:
        return [*self.kept, *((p.old, p.new) for p in self.found)]

    def lost(self) -> list[Column]:
        taken = {a for a, _ in self.pairs}
        return [c for c in self.old.columns if c.name not in taken]

    def fresh(self) -> list[Column]:
        taken = {b for _, b in self.pairs}
        return [c for c in self.new.columns if c.name not in taken]

    def gaps(self) -> list[Gap]:
        return gaps([c.name for c in self.old.columns], [c.name for c in self.new.columns], self.pairs)

    def columns_context(self, order: bool) -> ColumnsContext:
        """Returns the context in which the columns that are left are weighed."""
        unpaired = Unpaired(tuple(self.lost()), tuple(self.fresh()), tuple(self.gaps()))
        return make_columns_context(self.old, self.new, unpaired, order_known=order, context=self.context)

    def take(
        self, before: str, after: str, pairing: Pairing, evidence: str, *, same_column: bool = False
    ) -> None:
        """Records a proven pair unless a veto forbids it; ``same_column`` as for ``forbidden``."""
        if not self.forbidden(before, after, same_column=same_column):
            self.found.append(ColumnPair(before, after, pairing, (evidence,)))

    def forbidden(self, before: str, after: str, *, same_column: bool = False) -> bool:
        """Returns whether a veto stands against the pair.

        A physical column (``same_column``) may change its type and needs no word in common.
        """
        left, right = self.old.column(before), self.new.column(after)
        if left is None or right is None:
            return True
        against = vetoes(self.old, self.new, left, right, self.context)
        return any(not (same_column and veto.startswith(_OF_PLACES_ALONE)) for veto in against)


def column_renames(
    old: Table, new: Table, *, kept: Sequence[tuple[str, str]], context: RenameContext
) -> ColumnRenames:
    """Returns the renamed columns between two tables that are the same.

    ``kept`` are the pairs already known (equal names, decisions). A lineage pair may contradict a kept pair
    of equal names when columns swapped their names: the caller then drops the kept pairs that it touches.
    """
    state = prove(old, new, kept=kept, context=context)
    if not state.lost() or not state.fresh():
        return ColumnRenames(tuple(state.found))
    return ColumnRenames(
        tuple(state.found), _proposals(state.columns_context(order_proven(old, new, context)))
    )


def prove(old: Table, new: Table, *, kept: Sequence[tuple[str, str]], context: RenameContext) -> Progress:
    """Runs the rules that need no one's word, the strongest evidence first.

    Returns the pairs with what is left.
    """
    state = Progress(old, new, list(kept), context, [])
    _by_lineage(state)
    if not state.lost() or not state.fresh():
        return state
    _by_rule(state, NameRule(), "names are equal but for case and separators")
    if context.convention is not None and context.convention.columns is not None:
        _by_rule(state, context.convention.columns, *context.convention.evidence[-1:])
    if order_proven(old, new, context):
        _by_gap(state)
    return state


def order_proven(old: Table, new: Table, context: RenameContext) -> bool:
    """Returns whether the order of columns says something: it does not where a dump sorted them by name."""
    return (
        context.order_known
        and not alphabetical([c.name for c in old.columns])
        and not alphabetical([c.name for c in new.columns])
    )


def _by_lineage(state: Progress) -> None:
    """Pairs columns that are physically the same one.

    Where this contradicts pairs of equal names (swaps, chains), no veto is asked: both cannot be right, and
    the column number is the stronger evidence.
    """
    if not same_relation(state.old, state.new, state.context.shared_ancestor):
        return
    moved = moved_names(state.old, state.new)
    crossed = _crossed_names(state.kept, moved)
    state.kept = [(a, b) for a, b in state.kept if a != b or a not in crossed]
    for left, right in _free(moved, state.kept):
        if left in crossed or right in crossed:
            state.found.append(ColumnPair(left, right, Pairing.LINEAGE, (SAME_COLUMN,)))
        else:
            state.take(left, right, Pairing.LINEAGE, SAME_COLUMN, same_column=True)


def _crossed_names(kept: Sequence[tuple[str, str]], moved: Sequence[tuple[str, str]]) -> set[str]:
    """Returns the names under which a pair of equal names contradicts a move."""
    before, after = {a for a, _ in moved}, {b for _, b in moved}
    return {a for a, b in kept if a == b and (a in before or b in after)}


def _free(pairs: Sequence[tuple[str, str]], kept: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Returns the pairs of which neither column has a counterpart."""
    taken_old, taken_new = {a for a, _ in kept}, {b for _, b in kept}
    return [(a, b) for a, b in pairs if a not in taken_old and b not in taken_new]


def _by_rule(state: Progress, rule: NameRule, evidence: str) -> None:
    lost, fresh = [c.name for c in state.lost()], [c.name for c in state.fresh()]
    for before, after in column_pairs(rule, state.old, state.new, lost, fresh):
        state.take(before, after, Pairing.RULE, evidence)


def _by_gap(state: Progress) -> None:
    """Pairs columns that alone stand between the same neighbours.

    The end of a table is left out: there a dropped column and an added one meet by chance.
    """
    for gap in state.gaps():
        if gap.right is None:
            continue
        if gap.single:
            state.take(gap.old[0], gap.new[0], Pairing.RULE, _between(gap))
        elif _aligned(state, gap):
            for before, after in zip(gap.old, gap.new, strict=True):
                state.take(
                    before, after, Pairing.RULE, f"{_between(gap)}, in the same order under names that agree"
                )


def _aligned(state: Progress, gap: Gap) -> bool:
    """Returns whether the columns of a gap were renamed in order.

    Then as many old as new columns stand here, no veto is against any pair, and no name is closer to another
    place.
    """
    if len(gap.old) != len(gap.new):
        return False
    pairs = list(zip(gap.old, gap.new, strict=True))
    for before, after in pairs:
        if state.forbidden(before, after):
            return False
        own = compare_names(before, after).likeness
        crossings = [(before, b) for b in gap.new if b != after] + [
            (a, after) for a in gap.old if a != before
        ]
        rivals = [compare_names(a, b).likeness for a, b in crossings]
        if own < ALIGNED_LIKENESS or own <= max(rivals):
            return False
    return True


def _between(gap: Gap) -> str:
    what = "the only column" if gap.single else f"the only {len(gap.old)} columns"
    where = f"before {gap.right[1]}" if gap.right is not None else ""
    if gap.left is not None and gap.right is not None:
        where = f"between {gap.left[1]} and {gap.right[1]}"
    return f"{what} without a counterpart {where} in both tables"


def _proposals(context: ColumnsContext) -> tuple[Proposal, ...]:
    chances = pair_chances(context)
    threshold = ORDERED_THRESHOLD if context.order_known else UNORDERED_THRESHOLD
    olds, news = context.old.columns, context.new.columns
    return tuple(
        Proposal(
            olds[c.row].name,
            news[c.column].name,
            round(c.chance, 3),
            describe(context, olds[c.row], news[c.column]),
            None if c.runner_up is None else news[c.runner_up].name,
        )
        for c in choose(chances, threshold)
    )


def pair_chances(context: ColumnsContext) -> dict[tuple[int, int], float]:
    """Returns the probability of every pair worth weighing.

    The declarations give the probability, and the statistics of the values move it.
    """
    weights = ORDERED if context.order_known else UNORDERED
    chances = {}
    for i, j in context.pairs:
        before, after = context.old.columns[i], context.new.columns[j]
        declared = probability(features(context, before, after), weights)
        chances[i, j] = shifted(declared, context.leaning(before, after))
    return chances
