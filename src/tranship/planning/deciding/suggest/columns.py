"""Drafts for the open column questions of one pair of tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import filterfalse
from operator import attrgetter

from msgspec import Struct
from msgspec.structs import replace

from tranship.model.catalog import Column, Table
from tranship.model.change import Change, ChangeClass
from tranship.model.change_kind import ChangeKind
from tranship.planning.comparing.column_changes import conversion_evidence
from tranship.planning.deciding.data_questions import translated
from tranship.planning.deciding.suggest.beside import holds_several, with_those_beside
from tranship.planning.deciding.suggest.context import TablePairContext
from tranship.planning.deciding.suggest.drafts import AskedOnce, Confidence, Draft, Field, old_names
from tranship.planning.deciding.suggest.facts import Fact, column_evidence
from tranship.planning.deciding.suggest.flows import marks_deleted, soft_deletion
from tranship.planning.deciding.suggest.generated import generated_evidence, generated_guess, unfilled_sources
from tranship.planning.deciding.suggest.guesses import Guess, trial_evidence
from tranship.planning.deciding.suggest.joins import DULL, composites, joined
from tranship.planning.deciding.suggest.lacking import is_alike, lacking
from tranship.planning.deciding.suggest.own_conversion import asked_once
from tranship.planning.deciding.suggest.parts import part_guesses
from tranship.planning.deciding.suggest.promoted import promoted
from tranship.planning.deciding.suggest.switches import (
    switch_drafts,
    switch_evidence,
    with_switch,
)
from tranship.planning.deciding.suggest.translate import rounded_guess, translation
from tranship.planning.matching.renames.columns import speaks_against
from tranship.planning.names.opposites import opposed
from tranship.planning.names.tokens import stems
from tranship.planning.types.conversion import same_type

_UNASKED = "OLD's values were not looked at: `analyze` asks them"
_MAY_BE_PARTS = (ChangeKind.COLUMN_REMOVED, ChangeKind.COLUMN_ADDED, ChangeKind.COLUMN_RENAMED)


class _Unpaired(Struct, frozen=True):
    """Columns that only one side has, with their changes, as far as nothing was drafted about them."""

    removed: Mapping[str | None, Change]
    added: Mapping[str | None, Change]

    def both(self) -> tuple[list[Change], list[Change]]:
        """Returns the changes of the old and of the new columns."""
        return list(self.removed.values()), list(self.added.values())

    def without(self, drafts: Sequence[Draft]) -> _Unpaired:
        """Returns those about which none of these drafts is."""
        old, new = old_names(drafts), {draft.new_column for draft in drafts}
        return _Unpaired(
            {name: change for name, change in self.removed.items() if name not in old},
            {name: change for name, change in self.added.items() if name not in new},
        )


def column_drafts(tables: TablePairContext, changes: Sequence[Change]) -> list[Draft]:
    """Returns one draft for each open question of a pair of tables.

    An old and a new column that belong together are one question. Every column is drafted about once, and the
    order is that of what the evidence carries: cuts and joins, pairs, keys of several columns, lookups and
    mappings, and what is left on either side.
    """
    breaking = [change for change in changes if change.cls is ChangeClass.BREAKING]
    keys = promoted(tables, breaking)
    parts = [
        *keys,
        *_parts(tables, [change for change in changes if change.old_column not in old_names(keys)]),
    ]
    cut_new = {draft.new_column for draft in parts}
    rivals = {pair: other for pair, other in tables.ambiguous.items() if other not in cut_new}
    tables = replace(tables, ambiguous=rivals)
    drafts = [*parts, *_pairs(tables, breaking, parts)]
    generated = [change for change in breaking if change.kind is ChangeKind.BECOMES_GENERATED]
    drafts += [_computed_by_new(tables, change) for change in generated if change.old_column is not None]
    unpaired = _unpaired(changes).without(parts)
    whole_keys = list(composites(tables, unpaired.removed, unpaired.added))
    rest = unpaired.without(whole_keys)
    drafts += [*whole_keys, *joined(tables, rest.removed, rest.added)]
    drafts += _rest(tables, unpaired.without(drafts))
    return with_those_beside(tables, drafts, changes)


def _pairs(tables: TablePairContext, breaking: Sequence[Change], cut: Sequence[Draft]) -> list[Draft]:
    """Returns drafts for changes that are about an old and a new column, unless one of them was cut or
    joined.
    """
    old, new = old_names(cut), {draft.new_column for draft in cut}
    both = [change for change in breaking if change.old_column is not None and change.new_column is not None]
    return [
        with_switch(tables, _both(tables, c))
        for c in both
        if c.old_column not in old and c.new_column not in new
    ]


def _unpaired(changes: Sequence[Change]) -> _Unpaired:
    removed = [change for change in changes if change.kind is ChangeKind.COLUMN_REMOVED]
    added = [change for change in changes if change.kind is ChangeKind.COLUMN_ADDED]
    return _Unpaired(
        {c.old_column: c for c in removed if c.cls is ChangeClass.BREAKING and c.old_column is not None},
        {c.new_column: c for c in added if c.new_column is not None},
    )


def _rest(tables: TablePairContext, unpaired: _Unpaired) -> list[Draft]:
    """Returns drafts for columns that nothing was found for: relatives by name, columns left behind,
    constants.
    """
    removed = [name for name in unpaired.removed if name is not None]
    needing = [change for change in unpaired.added.values() if change.cls is ChangeClass.BREAKING]
    kin = list(filter(None, (_from_kin(tables, change, removed) for change in needing)))
    switches = list(switch_drafts(tables, *unpaired.without(kin).both()))
    rest = unpaired.without([*kin, *switches])
    free = _fillable(tables.after, unpaired.added)
    drafts = [_left_behind(tables, change, free) for change in rest.removed.values()]
    drafts += [_with_rivals(tables, draft, kin) for draft in kin]
    drafts += [*switches, *lacking(tables, rest.removed, rest.added)]
    return drafts


def _fillable(table: Table, names: Iterable[str | None]) -> list[str | None]:
    """Returns those of some new columns that the server does not compute: nothing else can fill these."""
    computed = {column.name for column in table.columns if column.generated}
    return [name for name in names if name not in computed]


def _from_kin(tables: TablePairContext, change: Change, removed: Sequence[str]) -> Draft | None:
    """Returns a draft that asks whether an old column without a place fills a new one that needs a value.

    Both are of one family and share a word. Beside such a column a constant would hide a loss, so none is
    suggested.
    """
    target = tables.after.column(change.new_column or "")
    kin = (left for left in removed if target is not None and _may_fill(tables, left, target))
    left = next(kin, None)
    if left is None or target is None:
        return None
    return Draft(
        question=f"{change.description}; does '{left}', which only exists in old DB, fill it?",
        old_column=left,
        new_column=target.name,
        fields={"old_column": left, "new_column": target.name, "action": "transform"},
        complete=False,
        confidence=Confidence.GUESS,
        evidence=(*change.evidence, *column_evidence(tables.facts(left)), *_converting(tables, left, target)),
    )


def _converting(tables: TablePairContext, left: str, target: Column) -> tuple[Fact, ...]:
    """Returns what the conversion into a new column would do, where the two types differ."""
    source = tables.before.column(left)
    if source is None or same_type(source.type, target.type, tables.schemas):
        return ()
    return conversion_evidence(source, target, tables.convert(source, target))


def _may_fill(tables: TablePairContext, left: str, target: Column) -> bool:
    """Returns whether an old column has the family of a new one, shares a word with it, and holds a value."""
    related = bool(set(stems(left)) & set(stems(target.name)) - DULL)
    related = related and not opposed(left, target.name)
    return related and is_alike(tables, left, target)


def _with_rivals(tables: TablePairContext, draft: Draft, kin: Sequence[Draft]) -> Draft:
    """Returns the draft with the other new columns that the same old one may fill; without an answer where
    one value holds several, since each column would get them all.
    """
    rivals = [repr(one.new_column) for one in kin if one.old_column == draft.old_column]
    if len(rivals) < 2:
        return draft
    columns = f"new columns that '{draft.old_column}' may fill: {', '.join(rivals)}"
    source = tables.before.column(draft.old_column or "")
    if source is not None and holds_several(source):
        why = f"{columns}; each wants its own of the values that '{source.name}' holds: give expressions"
        return replace(draft, fields={}, evidence=(*draft.evidence, why))
    return replace(draft, evidence=(*draft.evidence, f"{columns}; one old column may fill several"))


def _both(tables: TablePairContext, change: Change) -> Draft:
    left, right = change.old_column or "", change.new_column or ""
    found = translation(
        tables,
        left,
        right,
        renaming=change.kind == ChangeKind.COLUMN_RENAMED,
        meaning=change.kind == ChangeKind.MEANING_CHANGED,
    )
    against = speaks_against(change.evidence)
    # A pair that a person made after the analysis, or a question for which there was no time.
    unasked = change.kind is ChangeKind.COLUMN_RENAMED and tables.facts(left) is None
    bare = dict(found.fields) == {"old_column": left, "new_column": right, "action": "transform"}
    return Draft(
        question=change.description,
        old_column=left,
        new_column=right,
        fields=found.fields,
        complete=found.complete and not against and not unasked,
        confidence=Confidence.GUESS if against or unasked else found.confidence,
        evidence=(
            *change.evidence,
            *column_evidence(tables.facts(left)),
            *([_UNASKED] if unasked else []),
            *found.evidence,
        ),
        inserts=found.inserts,
        asked_once=_asked_once(tables, change) if bare else None,
        rival=tables.ambiguous.get((left, right), ""),
    )


def _asked_once(tables: TablePairContext, change: Change) -> AskedOnce | None:
    source = tables.before.column(change.old_column or "")
    target = tables.after.column(change.new_column or "")
    renamed = change.kind is ChangeKind.COLUMN_RENAMED
    if source is None or target is None or not (renamed or change.kind is ChangeKind.TYPE_CHANGED):
        return None
    if renamed and tables.concern(source.name, target.name) is not None:
        return None
    return asked_once(tables, source, target, change.evidence, renamed=renamed)


def open_guesses(tables: TablePairContext, changes: Sequence[Change]) -> Iterator[Guess]:
    """Yields every expression that a draft may propose, to be tried on the data first."""
    yield from _part_guesses(tables, changes)
    for left, right in dict.fromkeys(translated(list(changes))):
        yield from tables.formats(left, right)[:1]
        yield from filter(None, [rounded_guess(tables, left, right)])
    generated = (change for change in changes if change.kind is ChangeKind.BECOMES_GENERATED)
    yield from filter(None, (generated_guess(tables, change.old_column or "") for change in generated))


def _part_guesses(tables: TablePairContext, changes: Sequence[Change]) -> list[Guess]:
    """Returns guesses about columns that were joined or cut, those among them that are proposed as renames
    included.
    """
    relevant = [change for change in changes if change.kind in _MAY_BE_PARTS]
    old_names = {change.old_column for change in relevant if change.cls is ChangeClass.BREAKING}
    new_names = {change.new_column for change in relevant if _is_addition(change)}
    gone = [column for column in tables.before.columns if column.name in old_names]
    come = [column for column in tables.after.columns if column.name in new_names]
    come = list(filterfalse(attrgetter("generated"), come))
    return part_guesses(gone, come, {column.name: tables.facts(column.name) for column in gone})


def _is_addition(change: Change) -> bool:
    """Returns whether a new column may be a part: it needs a value, or NEW would fill it itself."""
    return change.cls is ChangeClass.BREAKING or change.old_column is None


def _parts(tables: TablePairContext, changes: Sequence[Change]) -> Iterator[Draft]:
    for guess in _part_guesses(tables, changes):
        several = len(guess.sources) > 1
        named: dict[str, Field] = {"old_column": guess.sources[0]}
        if several:
            named = {"old_columns": guess.sources}
        kind = "joined" if several else "cut"
        sources = " and ".join(repr(name) for name in guess.sources)
        holds = guess.holds(tables.before.name, tables.evidence)
        yield Draft(
            question=f"Column '{guess.target}' only exists in new DB; is it {kind} from {sources}?",
            old_column=guess.sources[0],
            new_column=guess.target,
            fields={**named, "new_column": guess.target, "action": "transform", "transform_sql": guess.sql},
            complete=holds,
            confidence=Confidence.HIGH if holds else Confidence.GUESS,
            evidence=(
                *guess.evidence,
                *trial_evidence(guess, tables.evidence.tried(guess.question(tables.before.name))),
            ),
        )


def _left_behind(tables: TablePairContext, change: Change, free: Sequence[str | None] = ()) -> Draft:
    """Returns the draft of an old column that feeds nothing; ``free`` are new columns that nothing fills."""
    name = change.old_column or ""
    facts = tables.facts(name)
    empty = facts is not None and facts.filled == 0 and not facts.sampled
    fields: dict[str, Field] = {"old_column": name, "action": "ignore"}
    reasons = column_evidence(facts, left_behind=True)
    column = tables.before.column(name)
    if column is not None and marks_deleted(column) and not empty:
        fields, why = soft_deletion(column, facts)
        return Draft(
            change.description,
            name,
            None,
            fields,
            False,
            Confidence.GUESS,
            (*change.evidence, *reasons, *why),
        )
    reasons = (*reasons, *switch_evidence(tables, name))
    if free and not empty:
        fields = {}
        reasons = (
            *reasons,
            f"new columns that no old one fills: {', '.join(repr(column) for column in free[:10])}",
            *_kin(tables, name, free),
        )
    return Draft(
        question=change.description,
        old_column=name,
        new_column=None,
        fields=fields,
        complete=False,
        confidence=Confidence.HIGH if empty else Confidence.GUESS,
        evidence=(*change.evidence, *reasons),
    )


def _computed_by_new(tables: TablePairContext, change: Change) -> Draft:
    """Returns the draft of an old column whose values NEW computes by itself."""
    draft = _left_behind(tables, change)
    found, equal = generated_evidence(tables, change.old_column or "")
    confidence = Confidence.HIGH if equal else draft.confidence
    empty = unfilled_sources(tables, change.old_column or "")
    if empty:
        # With 'ignore' NEW would compute all values of nothing.
        listed = ", ".join(map(repr, empty))
        why = f"NEW computes it from {listed}, which nothing fills: one of them may take the old values"
        return replace(draft, fields={}, evidence=(*draft.evidence, why))
    return replace(draft, evidence=(*draft.evidence, *found), confidence=confidence)


def _kin(tables: TablePairContext, left: str, free: Sequence[str | None]) -> Iterator[str]:
    """Yields what speaks against the new columns that are called alike."""
    words = set(stems(left)) - DULL
    for right in free:
        if right is not None and words & set(stems(right)):
            concern = tables.concern(left, right)
            yield from concern.evidence if concern is not None else ()
