"""The resolutions document: every open question with the answer that the evidence speaks for.

What is suggested is never decided: passing the file on is.

Lives here: drafts of answers for tables and columns, and the document that ``resolve generate`` writes. Does
not live here: asking the data (``analysis``), and what is wrong with an entry (``resolve``). Begin with
``suggest`` below. Order of the files: facts → guesses → codes → formats · concepts → splits · merges ·
pairs → parts → drafts → tables → unsettled · mappings · constants → nulls · new_names · other_ids → context
→ flows → ways → own_conversion · keys · generated → switches → translate → joins · own_keys → lacking →
columns → for_all → shapes/ → earlier_file → document.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

from msgspec import Raw, Struct
from msgspec.structs import replace

from tranship.model.catalog import Catalog
from tranship.model.change import Change, ChangeClass, Comparison, TablePair
from tranship.model.evidence import Evidence, TrialQuestion
from tranship.model.names import TableName
from tranship.model.resolution import Answers, ForAll, Problem, Resolution, ResolutionFile
from tranship.model.shape import NewKey
from tranship.model.statistics import NOTHING_KNOWN, Background
from tranship.planning.comparing.compare import compare
from tranship.planning.comparing.meaning import observed_in
from tranship.planning.deciding.data_questions import Provisional, provisional_comparison
from tranship.planning.deciding.resolve import decide
from tranship.planning.deciding.resolve.flows import with_queries
from tranship.planning.deciding.resolve.mentions import with_mentions
from tranship.planning.deciding.resolve.patterns import said_by_patterns
from tranship.planning.deciding.resolve.tables import table_key
from tranship.planning.deciding.resolve.words import is_open
from tranship.planning.deciding.suggest.columns import column_drafts, open_guesses
from tranship.planning.deciding.suggest.context import TablePairContext
from tranship.planning.deciding.suggest.document import SUGGESTIONS, Written, document
from tranship.planning.deciding.suggest.drafts import Draft
from tranship.planning.deciding.suggest.dropped_answers import left_open, not_asked_again
from tranship.planning.deciding.suggest.earlier_file import (
    Dropped,
    is_untouched,
    kept_entries,
    kept_patterns,
)
from tranship.planning.deciding.suggest.facts import Fact, without_values
from tranship.planning.deciding.suggest.flows import unfilled_names, unfilled_tables
from tranship.planning.deciding.suggest.for_all import DraftOf, asked_together, pattern_entry
from tranship.planning.deciding.suggest.other_ids import other_ids_drafts
from tranship.planning.deciding.suggest.shapes import shapes
from tranship.planning.deciding.suggest.shapes.whole import Shape, Whole, new_keys_of, whole_of
from tranship.planning.deciding.suggest.tables import asks_table, gone_table, pending_tables, table_draft
from tranship.planning.deciding.suggest.unsettled import UntilAgreed, told_until_agreed, until_agreed
from tranship.planning.matching.match import match
from tranship.planning.matching.scope import Scope

_SETTLED = Resolution("", "", "")
"""Stands for what needs no question although no entry is about it."""


class Question(Struct, frozen=True):
    """One open question as it is printed."""

    number: int
    table: str
    text: str
    suggestion: str
    answered: bool
    """The action is filled in."""
    evidence: tuple[Fact, ...] = ()

    def facts(self, *, values: bool) -> tuple[str, ...]:
        """Returns the evidence in words, with or without the values of rows."""
        return tuple(str(fact) if values else without_values(fact) for fact in self.evidence)


class Suggestions(Struct, frozen=True):
    """What ``resolve generate`` writes and prints."""

    document: Mapping[str, object]
    questions: tuple[Question, ...]
    """Still open, those of an earlier file included, numbered from 1."""
    kept: int = 0
    """Decisions of the earlier file that still apply."""
    dropped: tuple[Dropped, ...] = ()
    inserts: tuple[str, ...] = ()
    """Statements for ``…_missing_lookups.sql``."""
    shapes: tuple[Shape, ...] = ()
    """What may become of rows beside the questions; nothing of it is decided."""

    @property
    def nothing_open(self) -> bool:
        """Whether there is nothing to ask, to propose or to drop, so that no file need be written."""
        return not self.questions and not self.dropped and not self.shapes


def suggest(
    old: Catalog,
    new: Catalog,
    scope: Scope,
    evidence: Evidence,
    existing: ResolutionFile | None = None,
    *,
    background: Background = NOTHING_KNOWN,
) -> Suggestions:
    """Returns the document for both catalogs in scope.

    The decisions of an ``existing`` file are kept; those that no longer apply are dropped.
    """
    file = existing if existing is not None else ResolutionFile(())
    old = with_queries(file, old, new)
    answers, decided, problems = decide(file, old, new, scope, background)
    earlier = _earlier(file, problems, old, new)
    observed = observed_in(evidence)
    if existing is not None:
        matching = match(old, new, scope, decided, background=background)
        answers = with_mentions(answers, compare(old, new, matching, answers))
    provisional = provisional_comparison(
        old, new, scope, (answers, decided), observed=observed, background=background
    )
    pairs = provisional.comparison.matching.pairs
    asked = [*earlier.open_entries, *said_by_patterns(earlier.patterns, pairs, old, new)]
    asked += [(str(table), _SETTLED) for table in answers.read]
    pending = pending_tables(provisional.matching, asked)
    data = _Data(old, new, evidence, provisional, pending, new_keys=new_keys_of(answers))
    undecided = _undecided(provisional, answers)
    proposed = shapes(data.whole(undecided))
    waiting = until_agreed(
        (old, new), scope, (answers, decided), provisional, pending, (observed, background)
    )
    data = replace(data, proposed=proposed, waiting=waiting)
    asking = asked_together(_fresh(data, undecided, asked), (old, new), earlier.patterns)
    left = [left_open(one, earlier.dropped, old) for one in asking]
    drafts = [_written(_beside(proposed, old, one)) for one in left]
    written = _ordered(provisional, [*earlier.again(), *drafts])
    return Suggestions(
        document=document(written, old, new, (file, proposed)),
        questions=_questions(written, old),
        kept=earlier.decided,
        dropped=not_asked_again(earlier.dropped, asking),
        inserts=tuple(dict.fromkeys(chain.from_iterable(one.inserts for one in written))),
        shapes=proposed,
    )


def _beside(proposed: Sequence[Shape], old: Catalog, one: DraftOf) -> DraftOf:
    """Returns a draft with the numbers of the shapes that would answer it as well. Where one of them takes
    the data to NEW, leaving them behind is no longer suggested.
    """
    draft = one.draft
    answering = [(place, s) for place, s in enumerate(proposed, 1) if _answers(s, one, old)]
    if not answering:
        return one
    told = (f"see {SUGGESTIONS} {place}: {shape.question}" for place, shape in answering)
    draft = replace(one.draft, evidence=(*one.draft.evidence, *told))
    taken = not all(shape.leaves_behind(draft.old_column) for _, shape in answering)
    if draft.filters or (taken and (draft.leaves_behind or not draft.fields)):
        draft = replace(draft, complete=False, instead=f"see {SUGGESTIONS} {answering[0][0]}")
    return replace(one, draft=draft)


def _answers(shape: Shape, one: DraftOf, old: Catalog) -> bool:
    """Returns whether a shape would say what becomes of an old table or column, or what fills a new one."""
    draft = one.draft
    if one.table is None:
        return False
    if draft.old_column is not None:
        return shape.table == one.table and draft.old_column in shape.columns
    if draft.new_column is not None:
        return (one.flow or table_key(one.table, old), draft.new_column) in shape.fills
    return not shape.columns and one.table in (shape.table, *shape.reads)


class _Earlier(Struct, frozen=True):
    """What of an earlier file still applies."""

    entries: tuple[tuple[Resolution, tuple[TableName, str] | None], ...]
    """Each with its old table and the name of its flow."""
    patterns: tuple[ForAll, ...]
    dropped: tuple[Dropped, ...]

    @property
    def open_entries(self) -> list[tuple[str, Resolution]]:
        """The entries of tables that still ask, each with its flow's name or its table's."""
        asking = [(place, entry) for entry, place in self.entries if place is not None and is_open(entry)]
        return [(flow or str(table), entry) for (table, flow), entry in asking]

    @property
    def decided(self) -> int:
        """The number of entries that decide."""
        entries = [*(entry for entry, _ in self.entries), *(pattern.entry for pattern in self.patterns)]
        return sum(not is_open(entry) for entry in entries)

    def again(self) -> list[Written]:
        """Returns the entries as they are written again."""
        known = [_again(entry, *place) for entry, place in self.entries if place is not None]
        return [*known, *(_again(pattern.entry, None) for pattern in self.patterns)]


def _earlier(file: ResolutionFile, problems: Sequence[Problem], old: Catalog, new: Catalog) -> _Earlier:
    entries, dropped = kept_entries(file, problems, old, new)
    patterns, gone = kept_patterns(file, problems)
    kept = tuple(one for one in entries if not is_untouched(one[0]))
    return _Earlier(kept, patterns, (*dropped, *gone))


def _questions(written: Sequence[Written], old: Catalog) -> tuple[Question, ...]:
    questions = [one for one in written if one.open]
    return tuple(_question(number, one, old) for number, one in enumerate(questions, 1))


class _Data(Struct, frozen=True):
    """Both catalogs with what is known of the data, and the comparison as it will be."""

    old: Catalog
    new: Catalog
    evidence: Evidence
    provisional: Provisional
    pending: frozenset[TableName]
    """Old tables with a proposed new one that nobody has agreed to."""
    proposed: tuple[Shape, ...] = ()
    waiting: UntilAgreed | None = None
    """What is open until then."""
    new_keys: Mapping[TableName, Sequence[NewKey]] = {}
    """The new values of keys that are decided, by old table."""

    def whole(self, undecided: Mapping[str, Sequence[Change]]) -> Whole:
        """Returns what shapes are looked for in."""
        matching = self.provisional.comparison.matching
        left = matching.only_old, unfilled_names(matching)
        whole = whole_of((self.old, self.new), self.evidence, matching.pairs, left, undecided)
        schemas = matching.schema_pairs
        return replace(whole, schema_pairs=schemas, pending=self.pending, new_keys=self.new_keys)

    def context(self, pair: TablePair) -> TablePairContext | None:
        """Returns the context of a pair of tables; None for one that the catalogs do not hold."""
        ambiguous = {(p.old, p.new): p.instead for p in pair.proposals if p.instead is not None}
        matching = self.provisional.matching
        context = _context(pair, self.old, self.new, self.evidence, matching.schema_pairs)
        unfilled = unfilled_tables(unfilled_names(matching), self.new)
        if context is None:
            return None
        partners = self.provisional.comparison.matching.pairs
        joining = [self.old.table(one.table) for one in self.proposed if one.into == pair.new]
        return replace(
            context,
            ambiguous=ambiguous,
            unfilled=unfilled,
            partners=partners,
            joining=tuple(filter(None, joining)),
        )


def _context(
    pair: TablePair,
    old: Catalog,
    new: Catalog,
    evidence: Evidence,
    schemas: tuple[tuple[str, str], ...],
) -> TablePairContext | None:
    before, after = old.table(pair.old), new.table(pair.new)
    if before is None or after is None:
        return None
    known = before, after, old, new, evidence, schemas
    return TablePairContext(*known, observed=observed_in(evidence), columns=pair.columns)


def _again(entry: Resolution, table: TableName | None, flow: str = "") -> Written:
    sides = ", ".join(entry.sources), entry.new_column or entry.new_table or ""
    names = " → ".join(filter(None, sides))
    text = entry.description or names or entry.table
    return Written(
        table,
        flow,
        text,
        "as it stands in the file",
        Raw(entry.source.encode()),
        open=is_open(entry),
        answered=False,
    )


def _undecided(provisional: Provisional, answers: Answers) -> Mapping[str, Sequence[Change]]:
    """Returns the changes of each table without the new columns that a decision fills."""
    filled = {(d.flow or str(d.old_table), d.resolution.new_column) for d in answers.decisions}
    filled = {(table, column) for table, column in filled if column is not None}
    by_table: dict[str, list[Change]] = {}
    for change in provisional.comparison.changes:
        if change.cls is ChangeClass.BREAKING or (change.table, change.new_column) not in filled:
            by_table.setdefault(change.table, []).append(change)
    return by_table


def _fresh(
    data: _Data,
    by_table: Mapping[str, Sequence[Change]],
    asked: Sequence[tuple[str, Resolution]],
) -> Iterator[DraftOf]:
    """Yields drafts about what neither a decision nor an open entry of the earlier file is about."""
    provisional = data.provisional
    for proposal in provisional.matching.proposals:
        if proposal.old in provisional.matching.only_old and not asks_table(asked, proposal.old):
            yield DraftOf(proposal.old, table_draft(proposal, data.new, provisional.matching))
    matching = provisional.comparison.matching
    lost = [name for name in matching.only_old if not asks_table(asked, name)]
    unfilled = unfilled_tables(unfilled_names(matching), data.new)
    for name in lost:
        table = data.old.table(name)
        for change in by_table.get(str(name), ()):
            yield DraftOf(name, gone_table(change, table, unfilled, data.new, matching))
    for pair in provisional.comparison.matching.pairs:
        changes = [c for c in by_table.get(pair.flow, ()) if not _asked(asked, pair, c)]
        for draft in _pair_drafts(data, pair, changes):
            yield DraftOf(pair.old, draft, pair.name, pair.new)
    yield from _until_agreed(data, asked)


def _until_agreed(data: _Data, asked: Sequence[tuple[str, Resolution]]) -> Iterator[DraftOf]:
    """Yields drafts about what is open until somebody agrees to the tables that are proposed."""
    if data.waiting is None:
        return
    now = data.waiting.comparison
    here = replace(data, provisional=replace(data.provisional, comparison=now))
    for pair in now.matching.pairs:
        own = [c for c in data.waiting.changes if c.table == pair.flow and not _asked(asked, pair, c)]
        for draft in _pair_drafts(here, pair, own):
            told = told_until_agreed(draft, data.old.table(pair.old), data.pending, data.old)
            yield DraftOf(pair.old, told, pair.name, pair.new)


def _pair_drafts(data: _Data, pair: TablePair, changes: Sequence[Change]) -> list[Draft]:
    context = data.context(pair) if _any_breaking(changes) else None
    own = column_drafts(context, changes) if context is not None else []
    return [*other_ids_drafts(pair, changes, data.evidence), *own]


def _any_breaking(changes: Sequence[Change]) -> bool:
    return any(change.cls is ChangeClass.BREAKING for change in changes)


def trial_questions(
    comparison: Comparison, old: Catalog, new: Catalog, evidence: Evidence
) -> tuple[TrialQuestion, ...]:
    """Returns the expressions that the suggestions may propose, to be tried on OLD's rows."""
    found: dict[TrialQuestion, None] = {}
    by_table: dict[str, list[Change]] = {}
    for change in comparison.changes:
        by_table.setdefault(change.table, []).append(change)
    for pair in comparison.matching.pairs:
        changes = by_table.get(str(pair.old), [])
        context = _context(pair, old, new, evidence, comparison.matching.schema_pairs)
        if context is not None and _any_breaking(changes):
            found |= dict.fromkeys(guess.question(pair.old) for guess in open_guesses(context, changes))
    return tuple(found)


def _asked(asked: Sequence[tuple[str, Resolution]], pair: TablePair, change: Change) -> bool:
    """Returns whether an open entry of the earlier file already asks about this change."""
    if change.old_column is None and change.new_column is None:
        return asks_table(asked, pair.old)
    entries = [entry for name, entry in asked if name in (pair.flow, str(pair.old))]
    old = {name for entry in entries for name in entry.sources}
    new = {entry.new_column for entry in entries} - {None}
    return change.old_column in old or change.new_column in new


def _written(one: DraftOf) -> Written:
    draft = one.draft
    return Written(
        one.table,
        one.flow,
        draft.question,
        draft.words,
        draft.entry() if one.table is not None else pattern_entry(draft),
        open=True,
        answered=draft.complete,
        evidence=draft.evidence,
        inserts=draft.inserts,
    )


def _question(number: int, one: Written, old: Catalog) -> Question:
    return Question(number, one.key(old), one.text, one.suggestion, one.answered, one.evidence)


def _ordered(provisional: Provisional, written: Sequence[Written]) -> list[Written]:
    """Returns the entries of ``for_all``, then the others by table: in configured order, then by name."""
    configured = provisional.matching.configured or ()
    rest = sorted({one.table for one in written if one.table is not None} - set(configured))
    place = {name: n for n, name in enumerate((None, *configured, *rest))}
    return sorted(written, key=lambda one: (place[one.table], one.flow))
