"""What to ask the data so that open questions come with an answer to say yes to. Pure: which questions, not how they are put."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from msgspec import Struct
from msgspec.structs import replace

from tranship.model.builtin_types import Family
from tranship.model.catalog import Catalog, Column, ForeignKey, Table
from tranship.model.change import Change, ChangeClass, Comparison, Matching
from tranship.model.change_kind import ChangeKind
from tranship.model.evidence import KeyQuestion, LookupQuestion, MeaningQuestion, RefusalQuestion
from tranship.model.expression import Conversion, Rule
from tranship.model.names import ColumnRef, Side, TableName
from tranship.model.resolution import Answers
from tranship.model.statistics import NOTHING_KNOWN, Background
from tranship.model.types import PgType
from tranship.planning.comparing.compare import NO_ANSWERS, NOTHING_OBSERVED, compare, landscape_of
from tranship.planning.comparing.meaning import Observed, key_questions, meaning_questions
from tranship.planning.matching.match import NOTHING_DECIDED, Decided, match
from tranship.planning.matching.scope import Scope
from tranship.planning.names.families import family
from tranship.planning.names.tokens import stems
from tranship.planning.types.conversion import convert

_TRANSLATED = (ChangeKind.TYPE_CHANGED, ChangeKind.MEANING_CHANGED, ChangeKind.COLUMN_RENAMED)
_LABEL_WORDS = ("name", "title", "label", "code", "key", "slug", "symbol", "value", "description")
_MOST_LABELS = 3
_MOST_PARENTS = 3
"""Tables whose keys an old column may hold that are tried as lookups."""


class Foreseen(Struct, frozen=True):
    """The comparison as it will be once every proposed table rename is accepted, and the matching that proposes them."""

    matching: Matching
    comparison: Comparison


class MisfitQuestion(Struct, frozen=True):
    """How many old values the new type would refuse: longer than ``length`` characters, or outside of ``low`` to ``high``."""

    old: ColumnRef
    new: ColumnRef
    length: int | None = None
    low: int = 0
    high: int = 0

    @property
    def what(self) -> str:
        """In words."""
        return (
            f"longer than {self.length} characters"
            if self.length is not None
            else f"outside of {self.low} to {self.high}"
        )


class DataQuestions(Struct, frozen=True):
    """What is worth asking, in the order of the changes."""

    columns: tuple[ColumnRef, ...] = ()
    lookups: tuple[LookupQuestion, ...] = ()
    misfits: tuple[MisfitQuestion, ...] = ()
    refusals: tuple[RefusalQuestion, ...] = ()
    references: tuple[KeyQuestion, ...] = ()
    """Old columns that may be undeclared foreign keys, the most dangerous first."""
    meanings: tuple[MeaningQuestion, ...] = ()
    there: tuple[ColumnRef, ...] = ()
    """New columns that need a value: what NEW's own rows hold."""


def foresee(
    old: Catalog,
    new: Catalog,
    scope: Scope,
    answers: Answers = NO_ANSWERS,
    decided: Decided = NOTHING_DECIDED,
    *,
    observed: Observed = NOTHING_OBSERVED,
    background: Background = NOTHING_KNOWN,
) -> Foreseen:
    """Compare with the decisions made so far, taking proposed table renames for granted: their columns are questions, too."""
    matching = match(old, new, scope, decided, background=background)
    proposed = tuple((p.old, p.new) for p in matching.proposals if p.old in matching.only_old)
    granted = replace(decided, tables=(*decided.tables, *proposed))
    later = match(old, new, scope, granted, background=background) if proposed else matching
    return Foreseen(matching, compare(old, new, later, answers, observed=observed))


def data_questions(
    comparison: Comparison, old: Catalog, new: Catalog, observed: Observed = NOTHING_OBSERVED
) -> DataQuestions:
    """The questions to the data that a comparison leaves open; ``observed`` is what is known already."""
    columns: dict[ColumnRef, None] = {}
    lookups: dict[LookupQuestion, None] = {}
    misfits: dict[MisfitQuestion, None] = {}
    refusals: dict[RefusalQuestion, None] = {}
    there: dict[ColumnRef, None] = {}
    judge = partial(
        convert,
        old_version=old.server_version,
        new_version=new.server_version,
        schemas=comparison.matching.schema_pairs,
    )
    by_table: dict[str, list[Change]] = {}
    for change in comparison.changes:
        by_table.setdefault(change.table, []).append(change)
    for pair in comparison.matching.pairs:
        before, after = old.table(pair.old), new.table(pair.new)
        changes = by_table.get(str(pair.old), [])
        if before is None or after is None or not changes:
            continue
        for change in changes:
            if change.cls is ChangeClass.BREAKING and change.old_column is not None:
                columns[ColumnRef(pair.old, change.old_column)] = None
            elif (
                change.cls is ChangeClass.BREAKING
                and change.kind == ChangeKind.COLUMN_ADDED
                and change.new_column is not None
            ):
                there[ColumnRef(pair.new, change.new_column)] = None
        for left, right in translated(changes):
            lookups.update(dict.fromkeys(lookup_questions(before, after, (left, right), old, new, observed)))
            fitting = dict.fromkeys(_misfits(before, after, left, right))
            misfits.update(fitting)
            if not fitting:
                refusals.update(dict.fromkeys(_refusals(before, after, (left, right), judge)))
        lookups.update(dict.fromkeys(_composite_lookups(before, after, changes, old)))
    return DataQuestions(tuple(columns), tuple(lookups), tuple(misfits), tuple(refusals), there=tuple(there))


def early_questions(comparison: Comparison, old: Catalog, new: Catalog) -> DataQuestions:
    """What decides the class of a change, and so has to be asked first: undeclared references, and what columns mean."""
    landscape = landscape_of(old, new, comparison.matching)
    meanings = meaning_questions(comparison, landscape)
    return DataQuestions(
        references=key_questions(comparison, landscape), meanings=tuple(dict.fromkeys(meanings))
    )


def translated(changes: list[Change]) -> Iterator[tuple[str, str]]:
    """Old and new columns of one pair of tables that a decision may join: those of one change, then every removed with every added one."""
    for change in changes:
        if (
            change.cls is ChangeClass.BREAKING
            and change.kind in _TRANSLATED
            and change.old_column
            and change.new_column
        ):
            yield change.old_column, change.new_column
    removed = [
        c.old_column
        for c in changes
        if c.kind == ChangeKind.COLUMN_REMOVED and c.cls is ChangeClass.BREAKING and c.old_column
    ]
    added = [
        c.new_column
        for c in changes
        if c.kind == ChangeKind.COLUMN_ADDED and c.new_column and not c.old_column
    ]
    yield from ((left, right) for left in removed for right in added)


def lookup_questions(
    before: Table,
    after: Table,
    columns: tuple[str, str],
    old: Catalog,
    new: Catalog,
    observed: Observed = NOTHING_OBSERVED,
) -> Iterator[LookupQuestion]:
    """Tables that may translate one old column into one new column: name → id through NEW's foreign key, id → name through OLD's."""
    left, right = columns
    source, target = before.column(left), after.column(right)
    if source is None or target is None or target.generated:
        return
    refs = ColumnRef(before.name, left), ColumnRef(after.name, right)
    into = _single_key(after, right)
    owner = new.table(into.target) if into is not None else None
    if into is not None and owner is not None and family(source.type) in ("text", "enum"):
        for label in labels_of(owner):
            if label.name != into.target_columns[0]:
                why = f"foreign key {into.name} of NEW leads to {owner.name}"
                yield LookupQuestion(*refs, Side.NEW, owner.name, label.name, into.target_columns[0], why)
    if family(target.type) != "text" or into is not None:
        return
    for parent in _parents(before, left, old, observed):
        for label in labels_of(parent.table):
            if label.name != parent.key and (left == right or _related(right, parent.table.name, label.name)):
                yield LookupQuestion(*refs, Side.OLD, parent.table.name, parent.key, label.name, parent.why)


def _composite_lookups(
    before: Table, after: Table, changes: list[Change], old: Catalog
) -> Iterator[LookupQuestion]:
    """Tables of OLD that name what several removed columns refer to as one key."""
    removed = {
        c.old_column for c in changes if c.kind == ChangeKind.COLUMN_REMOVED and c.cls is ChangeClass.BREAKING
    }
    added = [c.new_column for c in changes if c.kind == ChangeKind.COLUMN_ADDED and c.new_column is not None]
    for key in (key for key in before.foreign_keys if len(key.columns) > 1 and set(key.columns) <= removed):
        owner = old.table(key.target)
        for label in labels_of(owner) if owner is not None else []:
            for right in added:
                target = after.column(right)
                named = label.name not in key.target_columns and _related(right, key.target, label.name)
                if target is None or target.generated or family(target.type) != "text" or not named:
                    continue
                refs = ColumnRef(before.name, key.columns[0]), ColumnRef(after.name, right)
                why = f"foreign key {key.name} of OLD leads to {key.target}"
                yield LookupQuestion(
                    *refs,
                    Side.OLD,
                    key.target,
                    key.target_columns[0],
                    label.name,
                    why,
                    key.columns,
                    key.target_columns,
                )


class _Parent(Struct, frozen=True):
    """The old table whose keys an old column holds."""

    table: Table
    key: str
    why: str


def _parents(before: Table, column: str, old: Catalog, observed: Observed) -> Iterator[_Parent]:
    """By a foreign key, by the data, or by its name (``artist_id`` and ``artists``); the likeliest first."""
    declared = _single_key(before, column)
    if declared is not None:
        owner = old.table(declared.target)
        if owner is not None:
            why = f"foreign key {declared.name} of OLD leads to {owner.name}"
            yield _Parent(owner, declared.target_columns[0], why)
        return
    asked = observed.references.get(ColumnRef(before.name, column))
    for key in asked.keys[:_MOST_PARENTS] if asked is not None else ():
        owner = old.table(key.table)
        if owner is not None:
            others = (
                "and of no other table" if asked is not None and len(asked.keys) == 1 else "and of others"
            )
            why = (
                f"{column} of OLD looks like a key of {owner.name}: nearly all values are its keys, {others}"
            )
            yield _Parent(owner, key.column, why)
    if asked is None or not asked.keys:
        yield from _called_parent(before, column, old)


def _called_parent(before: Table, column: str, old: Catalog) -> Iterator[_Parent]:
    """The one table that an ``_id`` is called after."""
    words = stems(column)
    called = [
        t for t in old.tables if len(words) > 1 and words[-1] == "id" and stems(t.name.name) == words[:-1]
    ]
    owner = called[0] if len(called) == 1 else None
    primary = owner.primary_key if owner is not None else None
    if owner is None or primary is None or len(primary.columns) != 1 or owner.name == before.name:
        return
    why = f"{column} of OLD looks like a key of {owner.name}: the name says so"
    yield _Parent(owner, primary.columns[0], why)


def labels_of(table: Table) -> list[Column]:
    """Text columns that name a row: the unique ones, then those that are called like it; the likeliest first."""
    unique = {key.columns[0] for key in table.keys if len(key.columns) == 1}
    text = [c for c in table.columns if family(c.type) == "text" and not c.generated]
    named = [c for c in text if c.name in unique or set(stems(c.name)) & set(_LABEL_WORDS)]
    return sorted(named, key=lambda c: (c.name not in unique, _label_rank(c.name), c.attnum))[:_MOST_LABELS]


def _label_rank(name: str) -> int:
    found = [place for place, word in enumerate(_LABEL_WORDS) if word in stems(name)]
    return min(found, default=len(_LABEL_WORDS))


def _related(column: str, table: TableName, label: str) -> bool:
    return bool(set(stems(column)) & (set(stems(table.name)) | set(stems(label))))


def _single_key(table: Table, column: str) -> ForeignKey | None:
    return next((key for key in table.foreign_keys if key.columns == (column,)), None)


def _misfits(before: Table, after: Table, left: str, right: str) -> Iterator[MisfitQuestion]:
    source, target = before.column(left), after.column(right)
    if source is None or target is None:
        return
    leaf, refs = target.type.leaf, (ColumnRef(before.name, left), ColumnRef(after.name, right))
    if leaf.family is Family.STRING and leaf.modifiers and family(source.type) in ("text", "enum"):
        yield MisfitQuestion(*refs, length=leaf.modifiers[0])
    row, counted = leaf.builtin, family(source.type) in ("integer", "decimal")
    if row is not None and row.bits and counted and source.type.leaf.family is not Family.MONEY:
        yield MisfitQuestion(*refs, low=row.low, high=row.high)


def _refusals(
    before: Table, after: Table, columns: tuple[str, str], judge: Callable[[PgType, PgType], Conversion]
) -> Iterator[RefusalQuestion]:
    """A conversion that a person may want and that NEW's input function may refuse: which values does it refuse?"""
    source, target = before.column(columns[0]), after.column(columns[1])
    if source is None or target is None or target.generated or source.computed_when_read:
        return
    conversion = judge(source.type, target.type)
    if conversion.bare and conversion.fallible and conversion.rule is not Rule.SAME:
        refs = ColumnRef(before.name, source.name), ColumnRef(after.name, target.name)
        yield RefusalQuestion(*refs, conversion, target.type)
