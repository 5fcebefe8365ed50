"""Column renames of one pair of tables: first those that are proven, then those worth asking about."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from tranship.model.catalog import Column, Table
from tranship.model.change import ColumnPair, Pairing, Proposal
from tranship.planning.matching.renames.assign import Choice, choose
from tranship.planning.matching.renames.columns_context import ColumnsContext, Unpaired, make_columns_context
from tranship.planning.matching.renames.context import ColumnRenames, RenameContext
from tranship.planning.matching.renames.convention import NameRule, column_pairs
from tranship.planning.matching.renames.evidence import describe, of_place_alone
from tranship.planning.matching.renames.features import features
from tranship.planning.matching.renames.gap import Gap, alphabetical, gaps
from tranship.planning.matching.renames.lineage import moved_names, same_relation
from tranship.planning.matching.renames.only_references import only_references
from tranship.planning.matching.renames.rivals import in_words
from tranship.planning.matching.renames.score import (
    ORDERED,
    ORDERED_THRESHOLD,
    UNORDERED,
    UNORDERED_THRESHOLD,
    probability,
    shifted,
)
from tranship.planning.matching.renames.vetoes import OTHER_FAMILY, UNRELATED_BOOLEANS, vetoes
from tranship.planning.names.any_table import leads_elsewhere
from tranship.planning.names.likeness import compare_names, names_agree

ALIGNED_LIKENESS = 0.3
"""Least likeness of names before several columns of one gap are taken for renamed in order."""
SAME_COLUMN = "same physical table, same column number"
_EQUAL_NAMES = "names are equal but for case and separators"
_ALONE = "only their places and their declarations speak for it, neither names nor values"
DOUBTED_CHANCE = 0.9
"""Probability of a pair that is physically one column although a veto stands against it: the number is nearly
proof, unless the column was dropped and the table made again in another order.
"""
_ALONE_HERE = "without a counterpart"
_OF_PLACES_ALONE = (OTHER_FAMILY, UNRELATED_BOOLEANS)
"""Vetoes that say nothing against a column that is physically the same one."""


class Progress(Struct):
    """One table pair while its rules run in order of evidence."""

    old: Table
    new: Table
    kept: list[tuple[str, str]]
    context: RenameContext
    found: list[ColumnPair]
    doubted: list[Proposal]
    """Pairs that are physically one column although a veto stands against each: a person decides."""

    @property
    def pairs(self) -> list[tuple[str, str]]:
        found = ((p.old, p.new) for p in self.found)
        return [*self.kept, *found, *((p.old, p.new) for p in self.doubted)]

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

    def take(self, before: str, after: str, pairing: Pairing, evidence: str) -> None:
        """Records a proven pair unless a veto forbids it."""
        if not self.forbidden(before, after):
            self.found.append(ColumnPair(before, after, pairing, (evidence,)))

    def take_same_column(self, before: str, after: str) -> None:
        """Records a pair that is physically one column, as a question where a veto stands against it.

        A physical column may change its type and needs no word in common.
        """
        against = [veto for veto in self.vetoes(before, after) if not veto.startswith(_OF_PLACES_ALONE)]
        if against:
            reasons = (SAME_COLUMN, *(f"but {veto}" for veto in against))
            self.doubted.append(Proposal(before, after, DOUBTED_CHANCE, reasons))
        else:
            self.found.append(ColumnPair(before, after, Pairing.LINEAGE, (SAME_COLUMN,)))

    def forbidden(self, before: str, after: str) -> bool:
        """Returns whether a column of the pair is missing or a veto stands against the pair."""
        missing = self.old.column(before) is None or self.new.column(after) is None
        return missing or bool(self.vetoes(before, after))

    def vetoes(self, before: str, after: str) -> list[str]:
        """Returns every reason why a pair of columns that exist may only be asked about."""
        left, right = self.old.column(before), self.new.column(after)
        return (
            []
            if left is None or right is None
            else list(vetoes(self.old, self.new, left, right, self.context))
        )


def column_renames(
    old: Table, new: Table, *, kept: Sequence[tuple[str, str]], context: RenameContext
) -> ColumnRenames:
    """Returns the renamed columns between two tables that are the same.

    ``kept`` are the pairs already known (equal names, decisions). A lineage pair may contradict a kept pair
    of equal names when columns swapped their names: the caller then drops the kept pairs that it touches.
    """
    state = prove(old, new, kept=kept, context=context)
    asked = tuple(state.doubted)
    if state.lost() and state.fresh():
        asked += _proposals(state.columns_context(order_proven(old, new, context)))
    return ColumnRenames(tuple(state.found), _with_only_references(state, asked))


def _with_only_references(state: Progress, asked: Sequence[Proposal]) -> tuple[Proposal, ...]:
    """Returns the proposals with those of references that nothing was found for, or nothing but a place."""
    found = tuple(only_references((state.old, state.new), _free_of(state, asked), state.context))
    olds, news = {one.old for one in found}, {one.new for one in found}
    return (*(one for one in asked if one.old not in olds and one.new not in news), *found)


def _free_of(state: Progress, asked: Sequence[Proposal]) -> tuple[list[Column], list[Column]]:
    """Returns the columns of either side about which no proposal is that says more than a place."""
    olds = {one.old for one in asked if not one.of_place_alone}
    news = {one.new for one in asked if not one.of_place_alone}
    lost, fresh = state.lost(), state.fresh()
    return [one for one in lost if one.name not in olds], [one for one in fresh if one.name not in news]


def prove(old: Table, new: Table, *, kept: Sequence[tuple[str, str]], context: RenameContext) -> Progress:
    """Runs the rules that need no one's word, the strongest evidence first.

    Returns the pairs with what is left.
    """
    state = Progress(old, new, list(kept), context, [], [])
    _by_lineage(state)
    if not state.lost() or not state.fresh():
        return state
    _by_equal_names(state)
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
            state.take_same_column(left, right)


def _crossed_names(kept: Sequence[tuple[str, str]], moved: Sequence[tuple[str, str]]) -> set[str]:
    """Returns the names under which a pair of equal names contradicts a move."""
    before, after = {a for a, _ in moved}, {b for _, b in moved}
    return {a for a, b in kept if a == b and (a in before or b in after)}


def _free(pairs: Sequence[tuple[str, str]], kept: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Returns the pairs of which neither column has a counterpart."""
    taken_old, taken_new = {a for a, _ in kept}, {b for _, b in kept}
    return [(a, b) for a, b in pairs if a not in taken_old and b not in taken_new]


def _by_equal_names(state: Progress) -> None:
    """Pairs columns whose names differ in case and separators alone, as a question where a veto stands
    against it: no other column comes before them.
    """
    lost, fresh = [c.name for c in state.lost()], [c.name for c in state.fresh()]
    for before, after in column_pairs(NameRule(), state.old, state.new, lost, fresh):
        against = state.vetoes(before, after)
        if against:
            reasons = (_EQUAL_NAMES, *(f"but {veto}" for veto in against))
            state.doubted.append(Proposal(before, after, DOUBTED_CHANCE, reasons))
        else:
            state.found.append(ColumnPair(before, after, Pairing.RULE, (_EQUAL_NAMES,)))


def speaks_against(evidence: Sequence[str]) -> bool:
    """Returns whether the evidence of a pair speaks against it; that two columns of one name have types of
    two families does not.
    """
    against = [line.removeprefix("but ") for line in evidence if line.startswith("but ")]
    if _EQUAL_NAMES in evidence:
        against = [line for line in against if not line.startswith(OTHER_FAMILY)]
    return bool(against)


def by_place(evidence: Sequence[str]) -> bool:
    """Returns whether the places of two columns are what proves that one was renamed."""
    return any(_ALONE_HERE in line for line in evidence)


def _by_rule(state: Progress, rule: NameRule, evidence: str) -> None:
    lost, fresh = [c.name for c in state.lost()], [c.name for c in state.fresh()]
    for before, after in column_pairs(rule, state.old, state.new, lost, fresh):
        state.take(before, after, Pairing.RULE, evidence)


def _by_gap(state: Progress) -> None:
    """Pairs columns that alone stand between the same neighbours.

    The end of a table is left out: there a dropped column and an added one meet by chance. So is a gap whose
    names say nothing, unless the tables are known to be one table: two tables that a person pairs may each
    have been made with columns of its own in that place.
    """
    for gap in state.gaps():
        if gap.right is None:
            continue
        if gap.single and not state.context.same_table and not names_agree(gap.old[0], gap.new[0]):
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
    return f"{what} {_ALONE_HERE} {where} in both tables"


def _proposals(context: ColumnsContext) -> tuple[Proposal, ...]:
    chances = pair_chances(context)
    threshold = ORDERED_THRESHOLD if context.order_known else UNORDERED_THRESHOLD
    return tuple(_proposal(context, choice) for choice in choose(chances, threshold))


def _proposal(context: ColumnsContext, choice: Choice) -> Proposal:
    olds, news = context.old.columns, context.new.columns
    before, after = olds[choice.row], news[choice.column]
    runner_up = None if choice.runner_up is None else news[choice.runner_up].name
    rival = None if choice.rival is None else olds[choice.rival].name
    alone = of_place_alone(context, before, after)
    evidence = (*describe(context, before, after), *([_ALONE] if alone else []), *in_words(rival))
    return Proposal(
        before.name,
        after.name,
        round(choice.chance, 3),
        evidence,
        runner_up,
        rival,
        of_place_alone=alone,
    )


def pair_chances(context: ColumnsContext) -> dict[tuple[int, int], float]:
    """Returns the probability of every pair worth weighing.

    The declarations give the probability, and the statistics of the values move it.
    """
    weights = ORDERED if context.order_known else UNORDERED
    chances = {}
    for i, j in context.pairs:
        before, after = context.old.columns[i], context.new.columns[j]
        if leads_elsewhere(context.table_old, before.name, context.table_new, after.name):
            continue
        declared = probability(features(context, before, after), weights)
        chances[i, j] = shifted(declared, context.leaning(before, after))
    return chances
