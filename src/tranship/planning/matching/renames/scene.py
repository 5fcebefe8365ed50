"""One pair of tables laid out for weighing: everything that is the same for all its column pairs, counted once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from tranship.model.catalog import Column, Table
from tranship.model.names import TableName
from tranship.planning.matching.renames.context import RenameContext
from tranship.planning.matching.renames.data import leanings
from tranship.planning.matching.renames.gap import Gap
from tranship.planning.matching.renames.vetoes import targets
from tranship.planning.names.families import family
from tranship.planning.names.likeness import Change, Wording, compare_names

MOST_LEANING = 5.0
"""Log-odds that the values may move a pair at most."""
THRONG = 50_000
"""From this many pairs on, those are not looked at that stand elsewhere and whose names have nothing in common."""
ALIKE = 0.3
"""Likeness of names that is something in common even without a common word."""
CROWD = 2500
"""From this many pairs on, those of different type families are not looked at."""


class Place(Struct, frozen=True):
    """Where a column without a counterpart stands: which gap, and which one within it."""

    gap: int
    rank: int


class SideOfScene(Struct, frozen=True):
    """The columns without a counterpart on one side, with what is known of each by name."""

    columns: tuple[Column, ...]
    family: Mapping[str, str]
    families: Mapping[str, int]
    """How many of these columns are of each type family."""
    place: Mapping[str, Place]
    roles: Mapping[str, frozenset[str]]
    """In which kinds of keys and indexes a column stands."""
    targets: Mapping[str, frozenset[TableName]]
    """Tables a column's foreign keys point to; OLD's as NEW names them."""
    best: Mapping[str, tuple[float, float]]
    """Likeness of the two names on the other side that are closest."""


class Scene(Struct, frozen=True):
    """One pair of tables."""

    table_old: Table
    table_new: Table
    old: SideOfScene
    new: SideOfScene
    gaps: tuple[Gap, ...]
    aligned: frozenset[int]
    """Gaps with as many old as new columns, of the same type families in the same order."""
    order_known: bool
    context: RenameContext
    pairs: tuple[tuple[int, int], ...]
    """Old and new columns worth weighing against each other, by their places among the columns without a counterpart."""
    names: Mapping[tuple[str, str], Wording]
    patterns: Mapping[Change, int]
    """Words that give way to others while the rest of the name stays, and how many columns would follow."""
    table_changes: tuple[Change, ...]
    """Words that gave way to others in the names of this table and of those known to be renamed."""

    def said_by_values(self, before: Column, after: Column) -> list[tuple[float, str]]:
        """What the statistics say for or against a pair, as log-odds and in words."""
        known = self.context.statistics_of(self.table_old.name, before.name, self.table_new.name, after.name)
        return list(leanings(before, self.table_new, after, *known))

    def leaning(self, before: Column, after: Column) -> float:
        """All of it together, bounded: values alone make no pair."""
        return max(-MOST_LEANING, min(MOST_LEANING, sum(by for by, _ in self.said_by_values(before, after))))


def worth_weighing(olds: Sequence[Column], news: Sequence[Column]) -> list[tuple[int, int]]:
    """Every pair; in a crowd only those of one type family."""
    left, right = [family(c.type) for c in olds], [family(c.type) for c in news]
    crowd = len(olds) * len(news) > CROWD
    return [(i, j) for i, a in enumerate(left) for j, b in enumerate(right) if a == b or not crowd]


def make_scene(
    old: Table,
    new: Table,
    olds: Sequence[Column],
    news: Sequence[Column],
    *,
    gaps: Sequence[Gap],
    order_known: bool,
    context: RenameContext,
) -> Scene:
    """Count once what every pair of the scene needs."""
    pairs = worth_weighing(olds, news)
    left = _side(old, olds, [gap.old for gap in gaps], context.table_pairs)
    right = _side(new, news, [gap.new for gap in gaps], {})
    best: dict[tuple[int, str], tuple[float, float]] = {}
    names: dict[tuple[str, str], Wording] = {}
    throng = len(pairs) > THRONG
    for a, b in ((olds[i].name, news[j].name) for i, j in pairs):
        wording = compare_names(a, b)
        for key in ((0, a), (1, b)):
            first, second = best.get(key, (0.0, 0.0))
            best[key] = (
                (wording.likeness, first)
                if wording.likeness > first
                else (first, max(second, wording.likeness))
            )
        if (
            not throng
            or wording.common
            or wording.likeness >= ALIKE
            or wording.synonyms
            or left.place[a] == right.place[b]
        ):
            names[a, b] = wording
    left, right = (
        replace(side, best={name: two for (n, name), two in best.items() if n == i})
        for i, side in enumerate((left, right))
    )
    return Scene(
        table_old=old,
        table_new=new,
        old=left,
        new=right,
        gaps=tuple(gaps),
        aligned=frozenset(
            i
            for i, gap in enumerate(gaps)
            if [left.family[n] for n in gap.old] == [right.family[n] for n in gap.new]
        ),
        order_known=order_known,
        context=context,
        pairs=tuple((i, j) for i, j in pairs if (olds[i].name, news[j].name) in names),
        names=names,
        patterns=_patterns(names, left.family, right.family),
        table_changes=(compare_names(old.name.name, new.name.name).change, *context.table_changes),
    )


def _side(
    table: Table,
    columns: Sequence[Column],
    cells: Sequence[tuple[str, ...]],
    pairs: Mapping[TableName, TableName],
) -> SideOfScene:
    families = {c.name: family(c.type) for c in columns}
    return SideOfScene(
        columns=tuple(columns),
        family=families,
        families=Counter(families.values()),
        place={name: Place(i, rank) for i, cell in enumerate(cells) for rank, name in enumerate(cell)},
        roles=_roles(table),
        targets={c.name: frozenset(pairs.get(t, t) for t in targets(table, c.name)) for c in columns},
        best={},
    )


def _roles(table: Table) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for key in table.keys:
        for column in key.columns:
            found.setdefault(column, set()).add(
                "primary key"
                if key.primary
                else "unique"
                if len(key.columns) == 1
                else "part of a unique key"
            )
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
    left: dict[Change, set[str]] = {}
    right: dict[Change, set[str]] = {}
    for (before, after), wording in names.items():
        if wording.common and any(wording.change) and old[before] == new[after]:
            left.setdefault(wording.change, set()).add(before)
            right.setdefault(wording.change, set()).add(after)
    return {change: min(len(found), len(right[change])) for change, found in left.items()}
