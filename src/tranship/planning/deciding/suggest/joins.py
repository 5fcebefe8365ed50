"""Drafts that join columns which only OLD has with columns which only NEW has, by lookups and by values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct
from msgspec.structs import replace

from tranship.model.change import Change
from tranship.model.evidence import LookupFacts, LookupQuestion
from tranship.model.names import Side
from tranship.planning.deciding.data_questions import translated
from tranship.planning.deciding.suggest.context import TablePairContext
from tranship.planning.deciding.suggest.drafts import Confidence, Draft
from tranship.planning.deciding.suggest.facts import column_evidence, lookup_evidence
from tranship.planning.deciding.suggest.translate import converted, translation
from tranship.planning.names.opposites import asks_the_same, opposed
from tranship.planning.names.tokens import squashed, stems

DULL = frozenset(stems("id code name key value type at on by of is has was date time"))
"""Words that so many columns have, or all of one type, that sharing one says nothing."""


class Candidate(Struct, frozen=True):
    """A removed column that may feed an added one, by a lookup or a mapping."""

    draft: Draft
    affinity: int
    weight: float


def composites(
    tables: TablePairContext, removed: Mapping[str | None, Change], added: Mapping[str | None, Change]
) -> Iterator[Draft]:
    """Yields drafts for removed columns that are one key of a table of OLD, and the added column that names
    what they refer to; each once.
    """
    taken: set[str] = set()
    for facts in tables.evidence.lookups:
        question = facts.question
        names = {*question.old_columns, question.new.column}
        known = set(question.old_columns) <= removed.keys() and question.new.column in added
        # Under half of the values are chance: columns of small numbers are found in many keys.
        likely = facts.distinct > 0 and facts.found * 2 >= facts.distinct
        if _is_composite_of(question, tables) and known and likely and not names & taken:
            taken |= names
            yield _composite(facts)


def _is_composite_of(question: LookupQuestion, tables: TablePairContext) -> bool:
    own = (question.old.table, question.new.table) == (tables.before.name, tables.after.name)
    return bool(question.key_columns) and own


def _composite(facts: LookupFacts) -> Draft:
    question = facts.question
    lookup: dict[str, str | tuple[str, ...]] = {
        "table": question.table.name,
        "key_columns": question.key_columns,
        "value_column": question.value_column,
        "schema": question.table.schema,
        "database": "old",
    }
    names = ", ".join(repr(name) for name in question.old_columns)
    return Draft(
        question=f"Columns {names} only exist in old DB; do they fill '{question.new.column}'?",
        old_column=question.old_columns[0],
        new_column=question.new.column,
        fields={
            "old_columns": question.old_columns,
            "new_column": question.new.column,
            "action": "transform",
            "lookup_table": lookup,
        },
        complete=facts.covers,
        confidence=Confidence.HIGH if facts.covers else Confidence.LIKELY,
        evidence=lookup_evidence(facts),
    )


def joined(
    tables: TablePairContext, removed: Mapping[str | None, Change], added: Mapping[str | None, Change]
) -> Iterator[Draft]:
    """Yields drafts for removed and added columns that a covering lookup or mapping joins.

    Each column is in one draft at most; the likeliest comes first.
    """
    pairs = translated([*removed.values(), *added.values()])
    found = (_candidate(tables, removed[left], added[right]) for left, right in pairs)
    candidates = sorted(filter(None, found), key=_rank)
    taken_old: set[str] = set()
    taken_new: set[str] = set()
    for candidate in candidates:
        left, right = candidate.draft.old_column or "", candidate.draft.new_column or ""
        if left not in taken_old and right not in taken_new:
            taken_old.add(left)
            taken_new.add(right)
            yield _beside_rivals(tables, candidate.draft, removed)


def _beside_rivals(tables: TablePairContext, draft: Draft, removed: Mapping[str | None, Change]) -> Draft:
    """Returns a draft that is filled in only where no other old column of the new one's own type is called by
    a word of it: whatever its values say, that one may be meant.
    """
    target = tables.after.column(draft.new_column or "")
    if not draft.complete or target is None:
        return draft
    words = [word for word in stems(target.name) if word not in DULL]
    for column in tables.before.columns:
        if column.name not in removed or column.name in draft.sources:
            continue
        same_type = column.type.leaf.base == target.type.leaf.base
        if same_type and any(word in squashed(column.name) for word in words):
            why = f"'{column.name}' ({column.type.text}), which nothing takes up, may be meant as well"
            evidence = (*draft.evidence, why)
            return replace(
                draft, complete=False, confidence=Confidence.GUESS, evidence=evidence, rival=column.name
            )
    return draft


def _rank(candidate: Candidate) -> tuple[bool, int, float, str, str]:
    """Returns what the likeliest candidate has least: what the data prove, then what is called alike, then
    coverage.
    """
    draft = candidate.draft
    names = draft.old_column or "", draft.new_column or ""
    return (not draft.complete, -candidate.affinity, -candidate.weight, *names)


def _candidate(tables: TablePairContext, removal: Change, addition: Change) -> Candidate | None:
    left, right = removal.old_column or "", addition.new_column or ""
    found = translation(tables, left, right, renaming=False, meaning=True)
    found = found if found.fields else converted(tables, left, right)
    # What brings over less than half of the values, and is proven by nothing, is no answer.
    enough = found.complete or found.coverage >= 0.5
    affinity = len((set(stems(left)) & set(stems(right))) - DULL) + opposed(left, right)
    by_lookup = "lookup_table" in found.fields
    if not found.fields or not enough or (affinity == 0 and not by_lookup):
        return None
    surely = _speaks_of(left, right, tables) if by_lookup else _values_tell(left, right, tables)
    held = column_evidence(tables.facts(left))
    draft = Draft(
        question=f"{removal.description}; does it fill '{right}'?",
        old_column=left,
        new_column=right,
        fields=found.fields,
        complete=found.complete and surely,
        confidence=found.confidence if surely else Confidence.GUESS,
        evidence=(*_against(tables, left, right), *held, *found.evidence, *addition.evidence),
        inserts=found.inserts,
    )
    return Candidate(draft, affinity, found.coverage)


def _against(tables: TablePairContext, left: str, right: str) -> tuple[str, ...]:
    concern = tables.concern(left, right)
    return concern.evidence if concern is not None else ()


def _speaks_of(left: str, right: str, tables: TablePairContext) -> bool:
    """Returns whether a new column's name speaks of an old reference or of the table that it leads to.

    Then a lookup fills it: ``creator_id`` fills ``creator_name`` and, where it leads to ``person``,
    ``person_name``; under ``name`` alone NEW may hold its own. The name of their own table tells nothing:
    ``client_type`` of ``client`` speaks of the client, not of the ``client_template`` that it refers to.
    """
    lookups = tables.lookups(left, right)
    if lookups and lookups[0].question.side is Side.NEW:
        return True
    table = lookups[0].question.table.name if lookups else ""
    own = set(stems(tables.after.name.name))
    spoken = (set(stems(left)) | set(stems(table))) - DULL - own
    return bool(spoken & set(stems(right)))


def _values_tell(left: str, right: str, tables: TablePairContext) -> bool:
    """Returns whether values that fit say anything: every truth fits every boolean, so there the names have
    to ask the same question (``active``, ``is_active``).
    """
    target = tables.after.column(right)
    return target is None or target.type.leaf.base != "boolean" or asks_the_same(left, right)
