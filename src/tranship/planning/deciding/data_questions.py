"""What to ask the data so that open questions come with an answer to agree with.

Which questions is said here; how they are put is for ``analysis``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import product

from msgspec import Struct
from msgspec.structs import replace

from tranship.model.builtin_types import Family
from tranship.model.catalog import Catalog, Table
from tranship.model.change import Change, ChangeClass, Comparison, Matching, TablePair
from tranship.model.change_kind import ChangeKind
from tranship.model.count import count_of
from tranship.model.evidence import KeyQuestion, LookupQuestion, MeaningQuestion, RefusalQuestion
from tranship.model.expression import Conversion, Loss, Rule
from tranship.model.names import ColumnRef
from tranship.model.resolution import Answers
from tranship.model.statistics import NOTHING_KNOWN, Background
from tranship.model.types import PgType
from tranship.planning.comparing.compare import compare
from tranship.planning.comparing.landscape import NO_ANSWERS, NOTHING_OBSERVED, landscape_of
from tranship.planning.comparing.meaning import Observed, key_questions, meaning_questions
from tranship.planning.deciding.lookup_questions import composite_lookups, lookup_questions
from tranship.planning.deciding.parent_questions import parent_questions
from tranship.planning.matching.match import NOTHING_DECIDED, Decided, match
from tranship.planning.matching.scope import Scope
from tranship.planning.names.families import family
from tranship.planning.types.conversion import convert

_Judge = Callable[[PgType, PgType], Conversion]

_TRANSLATED = (ChangeKind.TYPE_CHANGED, ChangeKind.MEANING_CHANGED, ChangeKind.COLUMN_RENAMED)


class Provisional(Struct, frozen=True):
    """The comparison as it is once every proposed table rename is accepted, and the matching that proposes
    them.
    """

    matching: Matching
    comparison: Comparison


class MisfitQuestion(Struct, frozen=True):
    """The question how many old values the new type would refuse.

    They are longer than ``length``, or outside of ``low`` to ``high``.
    """

    old: ColumnRef
    new: ColumnRef
    length: int | None = None
    low: int = 0
    high: int = 0

    def what(self, *, in_bytes: bool) -> str:
        """Returns what is counted, in words; ``in_bytes``: NEW counts the length of a text in bytes."""
        if self.length is not None:
            return f"longer than {count_of(self.length, 'byte' if in_bytes else 'character')}"
        return f"outside of {self.low} to {self.high}"


class LossQuestion(Struct, frozen=True):
    """The question how many old values the conversion to a new column's type changes."""

    old: ColumnRef
    new: ColumnRef


class DataQuestions(Struct, frozen=True):
    """The questions worth asking, in the order of the changes."""

    columns: tuple[ColumnRef, ...] = ()
    lookups: tuple[LookupQuestion, ...] = ()
    misfits: tuple[MisfitQuestion, ...] = ()
    losses: tuple[LossQuestion, ...] = ()
    refusals: tuple[RefusalQuestion, ...] = ()
    references: tuple[KeyQuestion, ...] = ()
    """Old columns that may be undeclared foreign keys, the most dangerous first."""
    meanings: tuple[MeaningQuestion, ...] = ()
    there: tuple[ColumnRef, ...] = ()
    """New columns that need a value: what NEW's own rows hold."""


def provisional_comparison(
    old: Catalog,
    new: Catalog,
    scope: Scope,
    decisions: tuple[Answers, Decided] = (NO_ANSWERS, NOTHING_DECIDED),
    *,
    observed: Observed = NOTHING_OBSERVED,
    background: Background = NOTHING_KNOWN,
) -> Provisional:
    """Returns the comparison under the decisions made so far, with every proposed table rename taken for
    granted.

    The columns of such tables are questions, too, and are asked in the same file.
    """
    answers, decided = decisions
    matching = match(old, new, scope, decided, background=background)
    proposed = tuple((p.old, p.new) for p in matching.proposals if p.old in matching.only_old)
    granted = replace(decided, tables=(*decided.tables, *proposed))
    later = match(old, new, scope, granted, background=background) if proposed else matching
    return Provisional(matching, compare(old, new, later, answers, observed=observed))


def data_questions(
    comparison: Comparison, old: Catalog, new: Catalog, observed: Observed = NOTHING_OBSERVED
) -> DataQuestions:
    """Returns the questions to the data that a comparison leaves open; ``observed`` is what is known already.

    Each is asked once, in the order of the changes: where time runs out, the first ones are answered.
    """
    judge = partial(
        convert,
        old_version=old.server_version,
        new_version=new.server_version,
        schemas=comparison.matching.schema_pairs,
    )
    found = _Found({}, {}, {}, {}, {}, {})
    by_table: dict[str, list[Change]] = {}
    for change in comparison.changes:
        by_table.setdefault(change.table, []).append(change)
    for pair in comparison.matching.pairs:
        before, after = old.table(pair.old), new.table(pair.new)
        changes = by_table.get(str(pair.old), [])
        if before is None or after is None or not changes:
            continue
        found.add_columns(pair, changes)
        for columns in translated(changes):
            pairs = comparison.matching.pairs
            lookups = lookup_questions(before, after, columns, (old, new), pairs, observed)
            found.lookups.update(dict.fromkeys(lookups))
            found.add_values(before, after, columns, judge)
        found.add_losses(before, after, changes, judge)
        found.lookups.update(dict.fromkeys(parent_questions(before, after, changes, old)))
        found.lookups.update(dict.fromkeys(composite_lookups(before, after, changes, old)))
    return found.questions()


class _Found(Struct):
    """The questions found so far, as keys: a dict keeps the order of insertion."""

    columns: dict[ColumnRef, None]
    lookups: dict[LookupQuestion, None]
    misfits: dict[MisfitQuestion, None]
    losses: dict[LossQuestion, None]
    refusals: dict[RefusalQuestion, None]
    there: dict[ColumnRef, None]

    def add_columns(self, pair: TablePair, changes: list[Change]) -> None:
        """Adds old columns whose values make a suggestion, and new ones whose rows in NEW do."""
        for change in changes:
            if change.cls is not ChangeClass.BREAKING:
                continue
            if change.old_column is not None:
                self.columns[ColumnRef(pair.old, change.old_column)] = None
            elif change.kind is ChangeKind.COLUMN_ADDED and change.new_column is not None:
                self.there[ColumnRef(pair.new, change.new_column)] = None

    def add_values(self, before: Table, after: Table, columns: tuple[str, str], judge: _Judge) -> None:
        """Adds what the values of a pair of columns have to be asked: OLD can count some misfits, NEW knows
        the rest.
        """
        misfits = dict.fromkeys(_misfits(before, after, *columns))
        self.misfits.update(misfits)
        if not misfits:
            self.refusals.update(dict.fromkeys(_refusals(before, after, columns, judge)))

    def add_losses(self, before: Table, after: Table, changes: list[Change], judge: _Judge) -> None:
        """Adds what OLD can count of values that are taken and changed, for the two columns of a change."""
        for left, right in _joined(changes):
            source, target = before.column(left), after.column(right)
            loss = judge(source.type, target.type).loss if source and target else Loss.NONE
            if loss not in (Loss.NONE, Loss.ZONE):
                question = LossQuestion(ColumnRef(before.name, left), ColumnRef(after.name, right))
                self.losses[question] = None

    def questions(self) -> DataQuestions:
        """Returns the questions as a value."""
        return DataQuestions(
            tuple(self.columns),
            tuple(self.lookups),
            tuple(self.misfits),
            tuple(self.losses),
            tuple(self.refusals),
            there=tuple(self.there),
        )


def early_questions(comparison: Comparison, old: Catalog, new: Catalog) -> DataQuestions:
    """Returns what decides the class of a change, and so has to be asked first.

    These are undeclared references, and what columns mean.
    """
    landscape = landscape_of(old, new, comparison.matching)
    meanings = meaning_questions(comparison, landscape)
    return DataQuestions(
        references=key_questions(comparison, landscape), meanings=tuple(dict.fromkeys(meanings))
    )


def translated(changes: list[Change]) -> Iterator[tuple[str, str]]:
    """Yields the old and new columns of one pair of tables that a decision may join.

    These are those of one change, then every removed column with every added one.
    """
    breaking = [change for change in changes if change.cls is ChangeClass.BREAKING]
    yield from _joined(changes)
    removed = [change.old_column for change in breaking if change.kind is ChangeKind.COLUMN_REMOVED]
    yield from product(filter(None, removed), _added_names(changes))


def _joined(changes: list[Change]) -> Iterator[tuple[str, str]]:
    """Yields the old and new columns of each change that is about both."""
    for change in changes:
        asked = change.cls is ChangeClass.BREAKING and change.kind in _TRANSLATED
        if asked and change.old_column and change.new_column:
            yield change.old_column, change.new_column


def _added_names(changes: list[Change]) -> list[str]:
    added = [change for change in changes if change.kind is ChangeKind.COLUMN_ADDED]
    return [change.new_column for change in added if change.new_column and not change.old_column]


def _misfits(before: Table, after: Table, left: str, right: str) -> Iterator[MisfitQuestion]:
    source, target = before.column(left), after.column(right)
    if source is None or target is None:
        return
    leaf, refs = target.type.leaf, (ColumnRef(before.name, left), ColumnRef(after.name, right))
    if _always_fits(source.type.leaf, leaf):
        return
    if leaf.family is Family.STRING and leaf.modifiers and family(source.type) in ("text", "enum"):
        yield MisfitQuestion(*refs, length=leaf.modifiers[0])
    row, counted = leaf.builtin, family(source.type) in ("integer", "decimal")
    if row is not None and row.bits and counted and source.type.leaf.family is not Family.MONEY:
        yield MisfitQuestion(*refs, low=row.low, high=row.high)


def _always_fits(source: PgType, target: PgType) -> bool:
    """Returns whether the old type says that every value is short enough, or in the range, of the new one."""
    if source.family is Family.STRING and target.family is Family.STRING:
        return bool(source.modifiers and target.modifiers) and source.modifiers[0] <= target.modifiers[0]
    before, after = source.builtin, target.builtin
    if before is None or after is None or not before.bits or not after.bits:
        return False
    return before.bits <= after.bits


def _refusals(
    before: Table, after: Table, columns: tuple[str, str], judge: _Judge
) -> Iterator[RefusalQuestion]:
    """A conversion that a person may want and that NEW's input function may refuse: which values does it
    refuse?
    """
    source, target = before.column(columns[0]), after.column(columns[1])
    if source is None or target is None or target.generated or source.computed_when_read:
        return
    conversion = judge(source.type, target.type)
    if conversion.bare and conversion.fallible and conversion.rule is not Rule.SAME:
        refs = ColumnRef(before.name, source.name), ColumnRef(after.name, target.name)
        yield RefusalQuestion(*refs, conversion, target.type)
