"""Patterns of a resolutions file: one decision about all columns that change from one type to another.

Each becomes ordinary entries, one for each of its columns about which no entry under the table's name says
anything.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain, product
from operator import attrgetter

from msgspec import Struct, field
from msgspec.structs import replace

from tranship.codec import nearest
from tranship.errors.codes.decisions import OpenQuestion
from tranship.errors.codes.entries import NoPatternAction, PatternMatchesNothing, PatternsDisagree
from tranship.model.catalog import Catalog, Table
from tranship.model.change import TablePair
from tranship.model.names import TableName
from tranship.model.resolution import Action, Decision, ForAll, Problem, Resolution
from tranship.model.types import PgType, TypeKind
from tranship.planning.deciding.resolve.renamed import renames_to_convert, without_rename
from tranship.planning.deciding.resolve.tables import TableEntries, table_key
from tranship.planning.deciding.resolve.words import (
    MOST_SHOWN,
    QUOTED,
    action_of,
    check_fields,
    is_open,
    problem,
    unknown_action,
)
from tranship.planning.matching.scope import quoted

OLD_COLUMN = "{old_column}"
"""What stands for the name of each old column in the expression of a pattern."""
_NAME = re.escape(OLD_COLUMN)
_OLD_COLUMN = re.compile(f'"{_NAME}"|{QUOTED.pattern}|{_NAME}', re.DOTALL)
_OWN_USE = (Action.RENAME, Action.IGNORE)
"""Actions that use an old column up: no pattern has a say in it any more."""


class PatternEntries(Struct, frozen=True):
    """What the patterns of a file come to."""

    tables: tuple[TableEntries, ...]
    """The entries of each table, with those that a pattern decides."""
    asked: tuple[tuple[TableName, Resolution], ...] = ()
    """What open patterns ask about, as open entries of the tables."""
    wrong: tuple[tuple[TableName, Resolution], ...] = ()
    """What patterns with mistakes are about, as entries of the tables."""
    problems: tuple[Problem, ...] = ()
    renamed: tuple[Decision, ...] = ()
    """What became of columns of whose values open patterns ask: each is a pair, and decides no values."""


class Later(Struct, frozen=True):
    """Of which columns a pattern may speak once other questions are answered."""

    unpaired: Collection[TableName] = ()
    """Old tables of which nobody has decided yet what they become."""
    granted: Sequence[TablePair] = ()
    """The pairs of tables that there are once every proposed one is agreed to."""
    selected: bool = False
    """The command line leaves tables out."""


class _Place(Struct, frozen=True):
    """An old column and the new one that it becomes."""

    table: Table
    old: str
    new: str
    types: tuple[PgType, PgType]
    flow: str = ""
    renamed: bool = False
    """An entry says only that the one became the other, and the values need a conversion."""

    @property
    def of(self) -> tuple[TableName, str]:
        """The flow, as entries name it."""
        return self.table.name, self.flow


def with_patterns(
    patterns: Sequence[ForAll],
    tables: Sequence[TableEntries],
    pairs: Iterable[TablePair],
    sides: tuple[Catalog, Catalog],
    asked: Later = Later(),  # noqa: B008 - frozen
) -> PatternEntries:
    """Returns the entries of the tables with those of the patterns, and what is wrong with a pattern.

    A pattern may speak of none of ``pairs`` where it may speak of others later.
    """
    if not patterns:
        return PatternEntries(tuple(tables))
    old, new = sides
    by_flow = {one.place: one for one in tables}
    places, proposed = _all_places(pairs, by_flow, old, new)
    made = _Made(by_flow, {}, [], [], [])
    for pattern in patterns:
        mine = [place for place in places if _is_meant(pattern, place, old)]
        later = asked.selected or _is_meant_later(pattern, proposed, asked.unpaired, sides)
        wrong = list(_check(pattern, mine, places, later=later))
        made.problems += wrong
        meant = [place for place in mine if not _has_own(by_flow.get(place.of), place)]
        made.renamed += filter(attrgetter("renamed"), meant)
        if wrong:
            made.leave(pattern, meant, old)
        else:
            made.take(pattern, meant, old)
    coming = [*proposed, *chain(*_all_places(asked.granted, by_flow, *sides))]
    waiting = _asking_later(patterns, places, coming, old)
    return PatternEntries(
        made.tables(old),
        tuple(made.still_asked()),
        tuple(made.wrong),
        (*made.problems, *(_open(pattern) for pattern in (*waiting, *made.open_patterns()))),
        tuple(made.waiting()),
    )


def _asking_later(
    patterns: Sequence[ForAll], places: Sequence[_Place], coming: Sequence[_Place], old: Catalog
) -> list[ForAll]:
    """Returns the open patterns that speak of no column yet, and will once other questions are answered."""
    asking = [one for one in patterns if is_open(one.entry) and not one.misread]
    return [
        pattern
        for pattern in asking
        if any(_is_meant(pattern, place, old) for place in coming)
        and not any(_is_meant(pattern, place, old) for place in places)
    ]


def said_by_patterns(
    patterns: Sequence[ForAll], pairs: Iterable[TablePair], old: Catalog, new: Catalog
) -> list[tuple[str, Resolution]]:
    """Returns what patterns decide or ask about, as entries of the flows, each with its flow's name.

    With pairs whose rename is only proposed they speak of these tables, too. Asked about them twice, a person
    could answer one question in two ways, which is an error.
    """
    found = with_patterns(patterns, (), pairs, (old, new))
    decided = [(one.flow or str(one.old.name), entry) for one in found.tables for entry in one.entries]
    return [*decided, *((str(table), entry) for table, entry in found.asked)]


class _Made(Struct):
    """The entries that patterns have come to so far."""

    own: Mapping[tuple[TableName, str], TableEntries]
    decided: dict[tuple[tuple[TableName, str], str], tuple[_Place, ForAll, Resolution]]
    """By flow and new column."""
    problems: list[Problem]
    asking: list[tuple[ForAll, _Place, Resolution]]
    wrong: list[tuple[TableName, Resolution]]
    renamed: list[_Place] = field(default_factory=list)
    """Columns that an entry calls renamed and whose values a pattern speaks of."""

    def leave(self, pattern: ForAll, places: Sequence[_Place], old: Catalog) -> None:
        """Notes what a pattern with mistakes is about."""
        self.wrong += [(place.table.name, _entry(pattern, place, old)) for place in places]

    def take(self, pattern: ForAll, places: Sequence[_Place], old: Catalog) -> None:
        """Adds the entries of one pattern; a pattern that contradicts an earlier one is a problem, once."""
        if pattern.misread:
            self.leave(pattern, places, old)
            return
        disagreed = False
        for place in places:
            entry = _entry(pattern, place, old)
            if is_open(entry):
                self.asking.append((pattern, place, entry))
                continue
            _, first, earlier = self.decided.setdefault((place.of, place.new), (place, pattern, entry))
            if not disagreed and _says(earlier) != _says(entry):
                told = PatternsDisagree(first.entry.path, place.table.name, place.old)
                self.problems.append(problem(pattern.entry, told))
                disagreed = True

    def tables(self, old: Catalog) -> tuple[TableEntries, ...]:
        """Returns the entries of each flow, in the catalog's order; own entries come first."""
        found = dict(self.own)
        for place in self.renamed:
            found[place.of] = without_rename(found[place.of], place.old, place.new)
        for (of, _), (place, _, entry) in self.decided.items():
            found[of] = found.get(of, TableEntries(place.table, (), place.flow)).with_more((entry,))
        line = {table.name: n for n, table in enumerate(old.tables)}
        places = sorted(found, key=lambda of: (line.get(of[0], len(line)), of[1]))
        return tuple(found[of] for of in places)

    def waiting(self) -> Iterator[Decision]:
        """Yields the renames of columns of whose values nothing is decided yet."""
        for place in self.renamed:
            if (place.of, place.new) not in self.decided:
                entry = Resolution("", "", Action.RENAME, old_column=place.old, new_column=place.new)
                yield Decision(Action.RENAME, place.table.name, None, entry, place.flow)

    def still_asked(self) -> Iterator[tuple[TableName, Resolution]]:
        """Yields the open entries for columns that no other pattern decides."""
        for _, place, entry in self.asking:
            if (place.of, place.new) not in self.decided:
                yield place.table.name, entry

    def open_patterns(self) -> list[ForAll]:
        """Returns the patterns that still ask about a column."""
        paths = {entry.path for _, entry in self.still_asked()}
        patterns = {pattern.entry.path: pattern for pattern, _, _ in self.asking}
        return [pattern for path, pattern in patterns.items() if path in paths]


def type_name(type_: PgType) -> str:
    """Returns a type as people write it, domains and modifiers apart: ``timestamptz``, ``varchar``."""
    return type_.leaf.typname or type_.leaf.base


def written_pattern(types: tuple[PgType, PgType]) -> str:
    """Returns the ``when`` of a pattern for an old and a new type."""
    return " -> ".join(map(type_name, types))


def _all_places(
    pairs: Iterable[TablePair],
    own: Mapping[tuple[TableName, str], TableEntries],
    old: Catalog,
    new: Catalog,
) -> tuple[list[_Place], list[_Place]]:
    """Returns the columns that correspond, and those that may, of which a pattern could speak later."""
    places: list[_Place] = []
    proposed: list[_Place] = []
    for pair in pairs:
        places += _places(pair, own.get((pair.old, pair.name)), old, new)
        proposed += _of_columns(pair, [(one.old, one.new) for one in pair.proposals], old, new)
    return places, proposed


def _places(pair: TablePair, own: TableEntries | None, old: Catalog, new: Catalog) -> Iterator[_Place]:
    """Yields the columns of a pair of tables that correspond, by an entry of ``own`` or without one, and that
    NEW does not compute itself.
    """
    renamed = dict.fromkeys(renames_to_convert(own, new.table(pair.new), old, new))
    found = dict.fromkeys((columns.old, columns.new) for columns in pair.columns)
    for place in _of_columns(pair, [*(found | renamed)], old, new):
        yield replace(place, renamed=(place.old, place.new) in renamed)


def _of_columns(
    pair: TablePair, columns: Iterable[tuple[str, str]], old: Catalog, new: Catalog
) -> Iterator[_Place]:
    before, after = old.table(pair.old), new.table(pair.new)
    if before is None or after is None:
        return
    for left, right in columns:
        source, target = before.column(left), after.column(right)
        if source is not None and target is not None and not target.generated:
            yield _Place(before, source.name, target.name, (source.type, target.type), pair.name)


def _is_meant(pattern: ForAll, place: _Place, old: Catalog) -> bool:
    return speaks_of(pattern, place.table.name, place.types, old)


def _is_meant_later(
    pattern: ForAll,
    proposed: Sequence[_Place],
    unpaired: Collection[TableName],
    sides: tuple[Catalog, Catalog],
) -> bool:
    """Returns whether a pattern may speak of columns, once they or their tables are paired."""
    if any(_is_meant(pattern, place, sides[0]) for place in proposed):
        return True
    return any(_may_be_meant(pattern, table, sides) for table in unpaired)


def _may_be_meant(pattern: ForAll, name: TableName, sides: tuple[Catalog, Catalog]) -> bool:
    """Returns whether a pattern may speak of columns of an old table, once it fills a new one."""
    old, new = sides
    table = old.table(name)
    before = {one.type for one in table.columns} if table is not None else set()
    after = {one.type for other in new.tables for one in other.columns}
    return any(speaks_of(pattern, name, types, old) for types in product(before, after))


def speaks_of(pattern: ForAll, table: TableName, types: tuple[PgType, PgType], old: Catalog) -> bool:
    """Returns whether a pattern is about columns of an old table that change from one type to another."""
    return is_of_types(pattern, types) and any(
        _matches(pattern.tables, name) for name in (table_key(table, old), str(table))
    )


def is_of_types(pattern: ForAll, types: tuple[PgType, PgType]) -> bool:
    """Returns whether a pattern is about these two types."""
    return all(map(_is_called, types, pattern.types))


def _is_called(type_: PgType, written: str) -> bool:
    """Returns whether a type has this name, with or without its modifier and the domains over it."""
    leaf = type_.leaf
    names = {type_.text, type_.base, leaf.text, leaf.base, leaf.typname}
    if leaf.kind is TypeKind.ARRAY and leaf.element is not None:
        names.add(f"{type_name(leaf.element)}[]")
    return written.lower() in {name.lower() for name in names}


def _matches(pattern: str, name: str) -> bool:
    parts = re.split(r"([*?])", pattern)
    written = "".join({"*": ".*", "?": "."}.get(part, re.escape(part)) for part in parts)
    return re.fullmatch(written, name, re.DOTALL) is not None


def _has_own(one: TableEntries | None, place: _Place) -> bool:
    """Returns whether an entry under the table's name says what fills the new column or becomes of the old
    one.
    """
    return not place.renamed and any(
        entry.new_column == place.new
        or (place.old in entry.sources and (is_open(entry) or action_of(entry) in _OWN_USE))
        for entry in _own_entries(one)
    )


def _own_entries(one: TableEntries | None) -> tuple[Resolution, ...]:
    return one.entries if one is not None else ()


def _entry(pattern: ForAll, place: _Place, old: Catalog) -> Resolution:
    """Returns what a pattern says about one column, as an entry of its table."""
    entry = pattern.entry
    sql = entry.transform_sql
    return replace(
        entry,
        table=table_key(place.table.name, old),
        old_column=place.old,
        new_column=place.new,
        transform_sql=None if sql is None else _with_column(sql, place.old),
    )


def _with_column(sql: str, column: str) -> str:
    """Returns an expression with the name of a column in place of ``{old_column}``, texts in quotes apart."""
    name = quoted(column)
    return _OLD_COLUMN.sub(
        lambda found: name if found.group().strip('"') == OLD_COLUMN else found.group(), sql
    )


def _says(entry: Resolution) -> tuple[object, ...]:
    """Returns what an entry decides, without its place in the file and its words for people."""
    lookup, mapping = entry.lookup_table, dict(entry.value_mapping or ())
    return entry.action, mapping, lookup, entry.transform_sql, entry.default_value, entry.null_value


def _check(
    pattern: ForAll, mine: Sequence[_Place], places: Sequence[_Place], *, later: bool
) -> Iterator[Problem]:
    """Yields what is wrong with a pattern by itself; ``later``: it need not be about a column yet."""
    entry = pattern.entry
    action = action_of(entry)
    if action is None and not is_open(entry):
        yield unknown_action(entry)
    elif action not in (None, Action.TRANSFORM):
        yield problem(entry, NoPatternAction(entry.action))
    elif not mine:
        if not later:
            told = PatternMatchesNothing(pattern.tables, *pattern.types, _nearest_types(pattern, places))
            yield problem(entry, told)
    elif action is not None and not is_open(entry):
        sql = None if entry.transform_sql is None else _with_column(entry.transform_sql, "x")
        filled = replace(entry, old_column="x", new_column="x", transform_sql=sql)
        # The fields are those of the pattern: they are told once, not for each column.
        where = problem(entry, NoPatternAction("")).object
        yield from (replace(found, object=where) for found in check_fields(filled, action))


def _nearest_types(pattern: ForAll, places: Sequence[_Place]) -> str:
    """Returns what the writer of a pattern may have meant: types that change, the likeliest first."""
    known = sorted({written_pattern(p.types) for p in places if p.types[0].text != p.types[1].text})
    near = nearest(" -> ".join(pattern.types), known)
    if near is not None:
        return f"did you mean {near!r}?" if near != " -> ".join(pattern.types) else "check 'tables'"
    return f"types that change: {', '.join(known[:MOST_SHOWN])}" if known else "no column changes its type"


def _open(pattern: ForAll) -> Problem:
    asked = pattern.entry.description or f"what becomes of {pattern.entry.table}?"
    return problem(pattern.entry, OpenQuestion(asked))
