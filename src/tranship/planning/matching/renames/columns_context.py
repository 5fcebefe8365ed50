"""What is the same for all column pairs of one pair of tables, counted once before they are weighed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from tranship.model.catalog import Column, Table
from tranship.model.names import TableName
from tranship.planning.matching.renames.context import RenameContext
from tranship.planning.matching.renames.data import leanings
from tranship.planning.matching.renames.gap import Gap
from tranship.planning.matching.renames.rivals import NO_RIVALS, two_greatest
from tranship.planning.matching.renames.vetoes import targets
from tranship.planning.names.families import family
from tranship.planning.names.likeness import KEY_WORDS, Change, Wording, compare_names

MOST_LEANING = 5.0
"""Log-odds that the values may move a pair at most: the bias is about as far below zero, so values alone make
no pair.
"""
# Both limits bound time and memory: a pair of names costs about 25 µs and 1 kB. Real tables stay far
# below them; above stand generated tables with hundreds of columns of which none kept its name.
FAMILY_LIMIT = 2500
"""From this many pairs on, pairs of different type families are not weighed."""
KINSHIP_LIMIT = 50_000
"""From this many pairs on, pairs in different places whose names have nothing in common are not weighed."""
RELATED_LIKENESS = 0.3
"""Likeness of names that counts as something in common even without a common word."""


class Place(Struct, frozen=True):
    """Where a column without a counterpart stands: in which gap, and as which one within it."""

    gap: int
    rank: int


class Unpaired(Struct, frozen=True):
    """The columns of two tables that have no counterpart yet, and the gaps in which they stand."""

    old: tuple[Column, ...]
    new: tuple[Column, ...]
    gaps: tuple[Gap, ...]


class ColumnsSide(Struct, frozen=True):
    """The columns without a counterpart on one side, with what is known of each by name."""

    columns: tuple[Column, ...]
    family: Mapping[str, str]
    families: Mapping[str, int]
    """How many of these columns are of each type family."""
    place: Mapping[str, Place]
    roles: Mapping[str, frozenset[str]]
    """The kinds of keys and indexes that a column is part of."""
    targets: Mapping[str, frozenset[TableName]]
    """The tables that a column's foreign keys point to; those of OLD under their names in NEW."""
    best: Mapping[str, tuple[float, float]]
    """Likeness of the two names on the other side that are closest."""


class ColumnsContext(Struct, frozen=True):
    """One pair of tables with everything that its column pairs share."""

    table_old: Table
    table_new: Table
    old: ColumnsSide
    new: ColumnsSide
    gaps: tuple[Gap, ...]
    aligned: frozenset[int]
    """Numbers of gaps with as many old as new columns, of the same type families in the same order."""
    order_known: bool
    context: RenameContext
    pairs: tuple[tuple[int, int], ...]
    """The pairs worth weighing, by the places of their columns among those without a counterpart."""
    names: Mapping[tuple[str, str], Wording]
    patterns: Mapping[Change, int]
    """Words that give way to others while the rest of the name stays, and how many columns would follow."""
    table_changes: tuple[Change, ...]
    """Words that gave way to others in the names of this table and of those known to be renamed."""

    def evidence_of_values(self, before: Column, after: Column) -> list[tuple[float, str]]:
        """Returns what the statistics say for (above 0) or against a pair, as log-odds and in words."""
        known = self.context.statistics_of(self.table_old.name, before.name, self.table_new.name, after.name)
        return list(leanings(before, self.table_new, after, *known))

    def leaning(self, before: Column, after: Column) -> float:
        """Returns the sum of what the statistics say, in log-odds between -``MOST_LEANING`` and
        ``MOST_LEANING``.
        """
        total = sum(by for by, _ in self.evidence_of_values(before, after))
        return max(-MOST_LEANING, min(MOST_LEANING, total))


def worth_weighing(olds: Sequence[Column], news: Sequence[Column]) -> list[tuple[int, int]]:
    """Returns the pairs that may be weighed, as places in the two lists: all, or those of one type family."""
    left, right = [family(c.type) for c in olds], [family(c.type) for c in news]
    selective = len(olds) * len(news) > FAMILY_LIMIT
    return [(i, j) for i, a in enumerate(left) for j, b in enumerate(right) if a == b or not selective]


def make_columns_context(
    old: Table, new: Table, unpaired: Unpaired, *, order_known: bool, context: RenameContext
) -> ColumnsContext:
    """Returns the context of two tables: it counts once what every pair of their columns needs."""
    olds, news, gaps = unpaired.old, unpaired.new, unpaired.gaps
    pairs = worth_weighing(olds, news)
    places = _places(gap.old for gap in gaps), _places(gap.new for gap in gaps)
    best: tuple[dict[str, tuple[float, float]], dict[str, tuple[float, float]]] = ({}, {})
    names: dict[tuple[str, str], Wording] = {}
    selective = len(pairs) > KINSHIP_LIMIT
    for a, b in ((olds[i].name, news[j].name) for i, j in pairs):
        wording = compare_names(a, b)
        for side, name in zip(best, (a, b), strict=True):
            side[name] = two_greatest(side.get(name, NO_RIVALS), wording.likeness)
        if not selective or _related(wording) or places[0][a] == places[1][b]:
            names[a, b] = wording
    left = _side(old, olds, places[0], best[0], context.table_pairs)
    right = _side(new, news, places[1], best[1], {})
    return ColumnsContext(
        table_old=old,
        table_new=new,
        old=left,
        new=right,
        gaps=gaps,
        aligned=_aligned(gaps, left, right),
        order_known=order_known,
        context=context,
        pairs=tuple(
            (i, j)
            for i, j in pairs
            if (found := names.get((olds[i].name, news[j].name))) is not None
            and not _refer_to_strangers(
                left.targets[olds[i].name], right.targets[news[j].name], context, found
            )
        ),
        names=names,
        patterns=_patterns(names, left.family, right.family),
        table_changes=(compare_names(old.name.name, new.name.name).change, *context.table_changes),
    )


def _refer_to_strangers(
    before: frozenset[TableName], after: frozenset[TableName], context: RenameContext, wording: Wording
) -> bool:
    """Returns whether two columns refer to tables that are known to be two, under names that share no word.

    Keys of the one table stored as keys of the other are wrong even where every one of them exists there.
    ``before`` are the targets of the old column under their names in NEW. Names that share a word still are a
    question: a reference may move to a new table together with the rows that it refers to.
    """
    known = context.kept_tables | frozenset(context.table_pairs.values())
    apart = bool(after) and bool(before) and before <= known and not before & after
    return apart and not wording.common - KEY_WORDS and not wording.synonyms


def _related(wording: Wording) -> bool:
    """Returns whether two names have something in common: a word, letters, or words that are synonyms."""
    return bool(wording.common) or wording.likeness >= RELATED_LIKENESS or bool(wording.synonyms)


def _places(cells: Iterable[tuple[str, ...]]) -> dict[str, Place]:
    return {name: Place(i, rank) for i, cell in enumerate(cells) for rank, name in enumerate(cell)}


def _aligned(gaps: Sequence[Gap], left: ColumnsSide, right: ColumnsSide) -> frozenset[int]:
    return frozenset(
        i
        for i, gap in enumerate(gaps)
        if [left.family[name] for name in gap.old] == [right.family[name] for name in gap.new]
    )


def _side(
    table: Table,
    columns: Sequence[Column],
    places: Mapping[str, Place],
    best: Mapping[str, tuple[float, float]],
    pairs: Mapping[TableName, TableName],
) -> ColumnsSide:
    families = {c.name: family(c.type) for c in columns}
    return ColumnsSide(
        columns=tuple(columns),
        family=families,
        families=Counter(families.values()),
        place=places,
        roles=_roles(table),
        targets={c.name: frozenset(pairs.get(t, t) for t in targets(table, c.name)) for c in columns},
        best=best,
    )


def _roles(table: Table) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for key in table.keys:
        alone = "unique" if len(key.columns) == 1 else "part of a unique key"
        for column in key.columns:
            found.setdefault(column, set()).add("primary key" if key.primary else alone)
    for index in table.indexes:
        for name in index.columns:
            if name is not None and index.constraint_kind != "p":
                found.setdefault(name, set()).add("indexed")
    for foreign in table.foreign_keys:
        for column in foreign.columns:
            found.setdefault(column, set()).add("foreign key")
    return {name: frozenset(roles) for name, roles in found.items()}


def _patterns(
    names: Mapping[tuple[str, str], Wording], old: Mapping[str, str], new: Mapping[str, str]
) -> dict[Change, int]:
    """Returns, for each change of words, how many columns could follow it; ``old`` and ``new`` are the type
    families.
    """
    left: dict[Change, set[str]] = {}
    right: dict[Change, set[str]] = {}
    for (before, after), wording in names.items():
        if wording.common and any(wording.change) and old[before] == new[after]:
            left.setdefault(wording.change, set()).add(before)
            right.setdefault(wording.change, set()).add(after)
    return {change: min(len(found), len(right[change])) for change, found in left.items()}
