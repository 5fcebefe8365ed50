"""The resolutions document: every open question with the answer that the evidence speaks for.

Suggested is never decided. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Raw, Struct

from tranship.errors.codes.decisions import OpenQuestion
from tranship.errors.codes.entries import TablesLeaveItOut
from tranship.model.catalog import Catalog
from tranship.model.change import Change, ChangeClass, Comparison, TableProposal
from tranship.model.evidence import Evidence, TrialQuestion
from tranship.model.names import TableName
from tranship.model.resolution import Action, Answers, Problem, Resolution, ResolutionFile
from tranship.model.statistics import NOTHING_KNOWN, Background
from tranship.planning.comparing.meaning import observed_in
from tranship.planning.deciding.data_questions import Foreseen, foresee
from tranship.planning.deciding.resolve import decide
from tranship.planning.deciding.resolve.tables import table_key, the_table
from tranship.planning.deciding.resolve.words import (
    PLACEHOLDERS,
    SPECIFY_ACTION,
    is_open,
)
from tranship.planning.deciding.suggest.columns import column_drafts, open_guesses
from tranship.planning.deciding.suggest.drafts import Confidence, Draft, Field
from tranship.planning.deciding.suggest.facts import Fact, without_values
from tranship.planning.deciding.suggest.translate import Scene
from tranship.planning.matching.scope import Scope, default_schema

_NOT_GRAVE = (OpenQuestion.code, TablesLeaveItOut.code)
_INSTRUCTIONS = (
    "One entry per open question. Passing this file with --resolutions is the decision: read every entry first.",
    "Replace SPECIFY_ACTION, SPECIFY_NEW_COLUMN_NAME and SPECIFY_DEFAULT_VALUE; a placeholder that is left is an open question.",
    "_suggestion and _evidence say what the data speak for. An action that is filled in leaves no data behind.",
    "Actions: rename, transform (with value_mapping, lookup_table or transform_sql, or bare), default, ignore, rename_table, drop_table.",
    "Keys that begin with _ and // to the end of a line are comments.",
)


_GENERATED = {
    "description",
    "old_column",
    "old_columns",
    "new_column",
    "action",
    "default_value",
    "_suggestion",
    "_evidence",
}


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
        """The evidence in words, with or without the values of rows."""
        return tuple(str(fact) if values else without_values(fact) for fact in self.evidence)


class Dropped(Struct, frozen=True):
    """A decision that no longer applies, and why."""

    path: str
    reason: str


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

    @property
    def nothing_open(self) -> bool:
        """There is nothing to ask and nothing to drop: no file need be written."""
        return not self.questions and not self.dropped


class _Written(Struct, frozen=True):
    """One entry of the document."""

    table: TableName
    text: str
    suggestion: str
    body: object
    open: bool
    answered: bool
    evidence: tuple[Fact, ...] = ()
    inserts: tuple[str, ...] = ()


def suggest(
    old: Catalog,
    new: Catalog,
    scope: Scope,
    evidence: Evidence,
    existing: ResolutionFile | None = None,
    *,
    background: Background = NOTHING_KNOWN,
) -> Suggestions:
    """The document for both catalogs in scope; the decisions of an ``existing`` file are kept, those that no
    longer apply are dropped.
    """
    file = existing if existing is not None else ResolutionFile(())
    answers, decided, problems = decide(file, old, new, scope, background)
    kept, dropped = _kept(file, problems, old)
    observed = observed_in(evidence)
    foreseen = foresee(old, new, scope, answers, decided, observed=observed, background=background)
    kept = [one for one in kept if not _untouched(one[0])]
    asked = [one for one in kept if one[1] is not None and is_open(one[0])]
    fresh = list(_fresh(foreseen, _undecided(foreseen, answers), asked, old, new, evidence))
    written = [_again(entry, table) for entry, table in kept if table is not None] + fresh
    order = _table_order(foreseen, written)
    written = sorted(written, key=lambda one: order[one.table])
    questions = [one for one in written if one.open]
    return Suggestions(
        document=_document(written, old, new, file.remarks),
        questions=tuple(_question(number, one, old) for number, one in enumerate(questions, 1)),
        kept=sum(1 for entry, _ in kept if not is_open(entry)),
        dropped=dropped,
        inserts=tuple(dict.fromkeys(line for one in written for line in one.inserts)),
    )


def _kept(
    file: ResolutionFile, problems: Sequence[Problem], old: Catalog
) -> tuple[list[tuple[Resolution, TableName | None]], tuple[Dropped, ...]]:
    """Entries of an earlier file that still apply, with their tables; the others with the reason."""
    kept: list[tuple[Resolution, TableName | None]] = []
    dropped: list[Dropped] = [Dropped(p.object, p.message) for p in file.problems]
    told: dict[str, list[Problem]] = {}
    for one in problems:
        told.setdefault(one.object.split(" (")[0], []).append(one)
    for entry in file.entries:
        mine = told.get(entry.path.split(" (")[0], [])
        mine = [p for p in mine if p.object.startswith(f"{entry.path} ")]
        grave = [p for p in mine if not p.warning and p.code not in _NOT_GRAVE]
        table = the_table(old, entry.table)
        settled = is_open(entry) and not any(p.code in _NOT_GRAVE for p in mine)
        if grave or settled:
            reason = grave[0].message if grave else "the question is settled"
            dropped.append(Dropped(entry.path, reason))
        else:
            kept.append((entry, table.name if table is not None else None))
    return kept, tuple(dropped)


def _untouched(entry: Resolution) -> bool:
    """An open entry as ``generate`` wrote it, to which nobody added a word: it is asked again, with what the
    data say now.
    """
    if (
        not is_open(entry)
        or set(json.loads(entry.source)) - _GENERATED
        or entry.action not in (SPECIFY_ACTION, Action.DEFAULT)
    ):
        return False
    named = entry.new_column
    return named in (None, entry.old_column, *PLACEHOLDERS) or f"'{named}'" in entry.description


def _again(entry: Resolution, table: TableName) -> _Written:
    names = " → ".join(
        name for name in (", ".join(entry.sources), entry.new_column or entry.new_table or "") if name
    )
    text = entry.description or names or str(table)
    return _Written(
        table,
        text,
        "as it stands in the file",
        Raw(entry.source.encode()),
        open=is_open(entry),
        answered=False,
    )


def _undecided(foreseen: Foreseen, answers: Answers) -> Mapping[str, Sequence[Change]]:
    """The changes of each table without the new columns that a decision fills."""
    filled = {
        (str(d.old_table), d.resolution.new_column)
        for d in answers.decisions
        if d.resolution.new_column is not None
    }
    by_table: dict[str, list[Change]] = {}
    for change in foreseen.comparison.changes:
        if change.cls is ChangeClass.BREAKING or (change.table, change.new_column) not in filled:
            by_table.setdefault(change.table, []).append(change)
    return by_table


def _fresh(
    foreseen: Foreseen,
    by_table: Mapping[str, Sequence[Change]],
    asked: Sequence[tuple[Resolution, TableName | None]],
    old: Catalog,
    new: Catalog,
    evidence: Evidence,
) -> Iterator[_Written]:
    """Entries for what neither a decision nor an open entry of the earlier file speaks of."""
    spoken = [(table, entry) for entry, table in asked]
    for proposal in foreseen.matching.proposals:
        if proposal.old in foreseen.matching.only_old and not _asks_table(spoken, proposal.old):
            yield _written(_table_draft(proposal, new, foreseen), proposal.old)
    for name in foreseen.comparison.matching.only_old:
        if not _asks_table(spoken, name):
            for change in by_table.get(str(name), ()):
                yield _written(_gone(change), name)
    for pair in foreseen.comparison.matching.pairs:
        before, after = old.table(pair.old), new.table(pair.new)
        changes = [c for c in by_table.get(str(pair.old), []) if not _asked(spoken, pair.old, c)]
        if before is not None and after is not None and any(c.cls is ChangeClass.BREAKING for c in changes):
            doubtful = {(p.old, p.new): p.runner_up for p in pair.proposals if p.runner_up is not None}
            scene = Scene(
                before,
                after,
                old,
                new,
                evidence,
                foreseen.matching.schema_pairs,
                doubtful,
                observed_in(evidence),
            )
            for draft in column_drafts(scene, changes):
                yield _written(draft, pair.old)


def trial_questions(
    comparison: Comparison, old: Catalog, new: Catalog, evidence: Evidence
) -> tuple[TrialQuestion, ...]:
    """The expressions that the suggestions may propose, to be tried on OLD's rows."""
    found: dict[TrialQuestion, None] = {}
    by_table: dict[str, list[Change]] = {}
    for change in comparison.changes:
        by_table.setdefault(change.table, []).append(change)
    for pair in comparison.matching.pairs:
        before, after = old.table(pair.old), new.table(pair.new)
        changes = by_table.get(str(pair.old), [])
        if before is not None and after is not None and any(c.cls is ChangeClass.BREAKING for c in changes):
            scene = Scene(
                before,
                after,
                old,
                new,
                evidence,
                comparison.matching.schema_pairs,
                observed=observed_in(evidence),
            )
            found |= dict.fromkeys(guess.question(pair.old) for guess in open_guesses(scene, changes))
    return tuple(found)


def _asks_table(spoken: Sequence[tuple[TableName | None, Resolution]], table: TableName) -> bool:
    return any(
        name == table and entry.old_column is None and entry.new_column is None for name, entry in spoken
    )


def _asked(spoken: Sequence[tuple[TableName | None, Resolution]], table: TableName, change: Change) -> bool:
    """An open entry of the earlier file already asks about a column of this change."""
    entries = [entry for name, entry in spoken if name == table]
    old = {name for entry in entries for name in entry.sources}
    new = {entry.new_column for entry in entries if entry.new_column is not None}
    return (change.old_column is not None and change.old_column in old) or (
        change.new_column is not None and change.new_column in new
    )


def _table_draft(proposal: TableProposal, new: Catalog, foreseen: Foreseen) -> Draft:
    fields: dict[str, Field] = {"action": "rename_table", "new_table": proposal.new.name}
    if proposal.new.schema != dict(foreseen.matching.schema_pairs).get(
        proposal.old.schema, default_schema(new)
    ):
        fields["new_schema"] = proposal.new.schema
    told = [f"score {proposal.score:.2f}", *proposal.evidence]
    if proposal.runner_up is not None:
        told.append(f"next best: '{proposal.runner_up}'")
    question = f"Table '{proposal.old.name}' likely renamed to '{proposal.new.name}' in new DB"
    sure = proposal.runner_up is None
    return Draft(
        question, None, None, fields, sure, Confidence.LIKELY if sure else Confidence.GUESS, tuple(told)
    )


def _gone(change: Change) -> Draft:
    fields: dict[str, Field] = {"action": "drop_table"}
    return Draft(
        change.description,
        None,
        None,
        fields,
        complete=False,
        confidence=Confidence.GUESS,
        evidence=change.evidence,
    )


def _written(draft: Draft, table: TableName) -> _Written:
    return _Written(
        table,
        draft.question,
        draft.words,
        draft.entry(),
        open=True,
        answered=draft.complete,
        evidence=draft.evidence,
        inserts=draft.inserts,
    )


def _question(number: int, one: _Written, old: Catalog) -> Question:
    return Question(number, table_key(one.table, old), one.text, one.suggestion, one.answered, one.evidence)


def _table_order(foreseen: Foreseen, written: Sequence[_Written]) -> Mapping[TableName, int]:
    configured = foreseen.matching.configured or ()
    rest = sorted({one.table for one in written} - set(configured))
    return {name: place for place, name in enumerate((*configured, *rest))}


def _document(
    written: Sequence[_Written], old: Catalog, new: Catalog, remarks: Sequence[tuple[str, str]]
) -> dict[str, object]:
    tables: dict[str, list[object]] = {}
    for one in written:
        tables.setdefault(table_key(one.table, old), []).append(one.body)
    return {
        "_instructions": list(_INSTRUCTIONS),
        **{key: Raw(text.encode()) for key, text in remarks},
        "format_version": 1,
        "old_fingerprint": old.fingerprint,
        "new_fingerprint": new.fingerprint,
        "resolutions": tables,
    }
