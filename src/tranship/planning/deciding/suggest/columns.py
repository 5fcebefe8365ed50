"""Drafts for the open column questions of one pair of tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from tranship.model.change import Change, ChangeClass
from tranship.model.change_kind import ChangeKind
from tranship.model.names import Side
from tranship.planning.comparing.meaning import opposed
from tranship.planning.deciding.data_questions import translated
from tranship.planning.deciding.suggest.constants import constant
from tranship.planning.deciding.suggest.drafts import Confidence, Draft, Field
from tranship.planning.deciding.suggest.facts import Fact, told_column, told_lookup
from tranship.planning.deciding.suggest.guesses import Guess, told_trial
from tranship.planning.deciding.suggest.parts import part_guesses
from tranship.planning.deciding.suggest.translate import Scene, converted, translation
from tranship.planning.names.families import family
from tranship.planning.names.tokens import stems

_DULL = frozenset({"id", "code", "name", "key", "value", "type"})


class Candidate(Struct, frozen=True):
    """A removed column that may feed an added one, by a lookup or a mapping."""

    draft: Draft
    affinity: int
    weight: float


def column_drafts(scene: Scene, changes: Sequence[Change]) -> list[Draft]:
    """One draft per open question of a pair of tables, an old and a new column that belong together in one."""
    breaking = [c for c in changes if c.cls is ChangeClass.BREAKING]
    drafts = list(_parts(scene, changes))
    cut_old, cut_new = (
        {name for draft in drafts for name in _sources(draft)},
        {draft.new_column for draft in drafts},
    )
    scene = replace(
        scene, doubtful={pair: other for pair, other in scene.doubtful.items() if other not in cut_new}
    )
    both = [c for c in breaking if c.old_column is not None and c.new_column is not None]
    drafts += [_both(scene, c) for c in both if c.old_column not in cut_old and c.new_column not in cut_new]
    drafts += [
        _left_behind(scene, c)
        for c in breaking
        if c.kind == ChangeKind.BECOMES_GENERATED and c.old_column is not None
    ]
    removed = {
        c.old_column: c
        for c in breaking
        if c.kind == ChangeKind.COLUMN_REMOVED and c.old_column not in (None, *cut_old)
    }
    added = {
        c.new_column: c
        for c in changes
        if c.kind == ChangeKind.COLUMN_ADDED and c.new_column not in (None, *cut_new)
    }
    composites = list(_composites(scene, removed, added))
    drafts += composites
    used = (
        {name for draft in composites for name in _sources(draft)},
        {draft.new_column for draft in composites},
    )
    drafts += _joined(
        scene,
        {n: c for n, c in removed.items() if n not in used[0]},
        {n: c for n, c in added.items() if n not in used[1]},
    )
    taken_new = {draft.new_column for draft in drafts}
    fed = {name for draft in drafts for name in _sources(draft)}
    free = [name for name, change in added.items() if name not in taken_new]
    homeless = [name for name in removed if name not in fed and name is not None]
    open_ = [c for name, c in added.items() if c.cls is ChangeClass.BREAKING and name not in taken_new]
    kin = [draft for c in open_ if (draft := _from_kin(scene, c, homeless)) is not None]
    asked_old, asked_new = {draft.old_column for draft in kin}, {draft.new_column for draft in kin}
    drafts += [_left_behind(scene, removed[name], free) for name in homeless if name not in asked_old]
    drafts += [_with_rivals(draft, kin) for draft in kin]
    drafts += [_constant(scene, c) for c in open_ if c.new_column not in asked_new]
    return drafts


def _from_kin(scene: Scene, change: Change, homeless: Sequence[str]) -> Draft | None:
    """A new column that needs a value, beside an old one of its family that shares a word with it and has no place: never a constant."""
    target = scene.after.column(change.new_column or "")
    for left in homeless:
        source = scene.before.column(left)
        if source is None or target is None or family(source.type) != family(target.type):
            continue
        if not set(stems(left)) & set(stems(target.name)) - _DULL:
            continue
        facts = scene.facts(left)
        if facts is not None and facts.filled == 0 and not facts.sampled:
            continue
        return Draft(
            question=f"{change.description}; does '{left}', which only exists in old DB, fill it?",
            old_column=left,
            new_column=target.name,
            fields={"old_column": left, "new_column": target.name, "action": "transform"},
            complete=False,
            confidence=Confidence.GUESS,
            evidence=(*change.evidence, *told_column(facts)),
        )
    return None


def _with_rivals(draft: Draft, kin: Sequence[Draft]) -> Draft:
    """Names the other new columns that the same old one may fill."""
    rivals = [repr(one.new_column) for one in kin if one.old_column == draft.old_column]
    if len(rivals) < 2:
        return draft
    told = f"new columns that '{draft.old_column}' may fill: {', '.join(rivals)}; one old column may fill several"
    return replace(draft, evidence=(*draft.evidence, told))


def _sources(draft: Draft) -> tuple[str, ...]:
    several = draft.fields.get("old_columns")
    names = several if isinstance(several, tuple) else ()
    return (*names, *((draft.old_column,) if draft.old_column is not None else ()))


def _both(scene: Scene, change: Change) -> Draft:
    left, right = change.old_column or "", change.new_column or ""
    found = translation(
        scene,
        left,
        right,
        renaming=change.kind == ChangeKind.COLUMN_RENAMED,
        meaning=change.kind == ChangeKind.MEANING_CHANGED,
    )
    against = any(line.startswith("but ") for line in change.evidence)
    return Draft(
        question=change.description,
        old_column=left,
        new_column=right,
        fields=found.fields,
        complete=found.complete and not against,
        confidence=Confidence.GUESS if against else found.confidence,
        evidence=(*change.evidence, *told_column(scene.facts(left)), *found.evidence),
        inserts=found.inserts,
    )


def _composites(
    scene: Scene, removed: Mapping[str | None, Change], added: Mapping[str | None, Change]
) -> Iterator[Draft]:
    """Removed columns that are one key of a table of OLD, and the added column that names what they refer to; each once."""
    taken: set[str] = set()
    for facts in scene.evidence.lookups:
        question = facts.question
        names = {*question.old_columns, question.new.column}
        here = (question.old.table, question.new.table) == (scene.before.name, scene.after.name)
        known = set(question.old_columns) <= removed.keys() and question.new.column in added
        if (
            not question.key_columns
            or not here
            or not known
            or names & taken
            or facts.found * 2 < facts.distinct
            or not facts.distinct
        ):
            continue
        taken |= names
        lookup: dict[str, str | tuple[str, ...]] = {
            "table": question.table.name,
            "key_columns": question.key_columns,
        }
        lookup |= {"value_column": question.value_column, "schema": question.table.schema, "database": "old"}
        yield Draft(
            question=f"Columns {', '.join(repr(n) for n in question.old_columns)} only exist in old DB; do they fill '{question.new.column}'?",
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
            evidence=told_lookup(facts),
        )


def _joined(
    scene: Scene, removed: Mapping[str | None, Change], added: Mapping[str | None, Change]
) -> Iterator[Draft]:
    """Removed and added columns that a covering lookup or mapping joins; each new column once, the likeliest first."""
    candidates = [
        c
        for left, right in translated([*removed.values(), *added.values()])
        if (c := _candidate(scene, removed[left], added[right]))
    ]
    candidates.sort(
        key=lambda c: (
            not c.draft.complete,
            -c.affinity,
            -c.weight,
            c.draft.old_column or "",
            c.draft.new_column or "",
        )
    )
    taken_old: set[str] = set()
    taken_new: set[str] = set()
    for candidate in candidates:
        left, right = candidate.draft.old_column or "", candidate.draft.new_column or ""
        if left not in taken_old and right not in taken_new:
            taken_old.add(left)
            taken_new.add(right)
            yield candidate.draft


def _candidate(scene: Scene, removal: Change, addition: Change) -> Candidate | None:
    left, right = removal.old_column or "", addition.new_column or ""
    found = translation(scene, left, right, renaming=False, meaning=True)
    found = found if found.fields else converted(scene, left, right)
    if not found.fields or (found.coverage < 0.5 and not found.complete):
        return None
    affinity = len((set(stems(left)) & set(stems(right))) - _DULL) + opposed(left, right)
    if "lookup_table" not in found.fields and affinity == 0:
        return None
    doubt = scene.doubt(left, right)
    speaks = "lookup_table" not in found.fields or _speaks_of(left, right, scene)
    draft = Draft(
        question=f"{removal.description}; does it fill '{right}'?",
        old_column=left,
        new_column=right,
        fields=found.fields,
        complete=found.complete and speaks,
        confidence=found.confidence if speaks else Confidence.GUESS,
        evidence=(
            *(doubt.told if doubt is not None else ()),
            *told_column(scene.facts(left)),
            *found.evidence,
            *addition.evidence,
        ),
        inserts=found.inserts,
    )
    return Candidate(draft, affinity, found.coverage)


def _speaks_of(left: str, right: str, scene: Scene) -> bool:
    """Whether a new column's name speaks of an old reference or of the table that it leads to, so that a lookup fills it.

    ``creator_id`` fills ``creator_name`` and, where it leads to ``person``, ``person_name``; under ``name`` alone NEW may hold its own.
    """
    lookups = scene.lookups(left, right)
    if lookups and lookups[0].question.side is Side.NEW:
        return True
    table = lookups[0].question.table.name if lookups else ""
    spoken = (set(stems(left)) | set(stems(table))) - _DULL
    return bool(spoken & set(stems(right)))


def open_guesses(scene: Scene, changes: Sequence[Change]) -> Iterator[Guess]:
    """Every expression that a draft may propose, to be tried on the data first."""
    yield from _part_guesses(scene, changes)
    for left, right in dict.fromkeys(translated(list(changes))):
        yield from scene.formats(left, right)[:1]


def _part_guesses(scene: Scene, changes: Sequence[Change]) -> list[Guess]:
    """Columns that were joined or cut, those among them that are proposed as renames included."""
    asked = [
        c
        for c in changes
        if c.kind in (ChangeKind.COLUMN_REMOVED, ChangeKind.COLUMN_ADDED, ChangeKind.COLUMN_RENAMED)
    ]
    breaking = {c.old_column for c in asked if c.cls is ChangeClass.BREAKING}
    gone = [column for column in scene.before.columns if column.name in breaking]
    arriving = {c.new_column for c in asked if c.cls is ChangeClass.BREAKING or c.old_column is None}
    come = [column for column in scene.after.columns if column.name in arriving and not column.generated]
    return part_guesses(gone, come, {column.name: scene.facts(column.name) for column in gone})


def _parts(scene: Scene, changes: Sequence[Change]) -> Iterator[Draft]:
    for guess in _part_guesses(scene, changes):
        several = len(guess.sources) > 1
        named: dict[str, Field] = (
            {"old_columns": guess.sources} if several else {"old_column": guess.sources[0]}
        )
        kind = "joined" if several else "cut"
        holds = guess.holds(scene.before.name, scene.evidence)
        yield Draft(
            question=f"Column '{guess.target}' only exists in new DB; is it {kind} from {' and '.join(repr(s) for s in guess.sources)}?",
            old_column=guess.sources[0],
            new_column=guess.target,
            fields={**named, "new_column": guess.target, "action": "transform", "transform_sql": guess.sql},
            complete=holds,
            confidence=Confidence.HIGH if holds else Confidence.GUESS,
            evidence=(*guess.told, *told_trial(scene.evidence.tried(guess.question(scene.before.name)))),
        )


def _left_behind(scene: Scene, change: Change, free: Sequence[str | None] = ()) -> Draft:
    """An old column that feeds nothing yet; ``free`` are new columns that nothing fills."""
    name = change.old_column or ""
    facts = scene.facts(name)
    empty = facts is not None and facts.filled == 0 and not facts.sampled
    fields: dict[str, str | None] = {"old_column": name, "action": "ignore"}
    told = told_column(facts, left_behind=True)
    if free and not empty:
        fields = {}
        told = (
            *told,
            f"new columns that no old one fills: {', '.join(repr(column) for column in free[:10])}",
            *_kin(scene, name, free),
        )
    return Draft(
        question=change.description,
        old_column=name,
        new_column=None,
        fields=fields,
        complete=False,
        confidence=Confidence.HIGH if empty else Confidence.GUESS,
        evidence=(*change.evidence, *told),
    )


def _kin(scene: Scene, left: str, free: Sequence[str | None]) -> Iterator[str]:
    """What speaks against the new columns that are called alike."""
    for right in free:
        doubt = scene.doubt(left, right or "") if set(stems(left)) & set(stems(right or "")) - _DULL else None
        if doubt is not None:
            yield from doubt.told


def _constant(scene: Scene, change: Change) -> Draft:
    name = change.new_column or ""
    column = scene.after.column(name)
    found = (
        constant(scene.after, column, scene.new, scene.evidence.held(scene.after.name, name))
        if column is not None
        else None
    )
    fields: dict[str, Field] = (
        {} if found is None else {"new_column": name, "action": "default", "default_value": found.value}
    )
    told: tuple[Fact, ...] = (found.why,) if found is not None else ()
    keys = [key for key in scene.after.foreign_keys if name in key.columns]
    if keys:
        told = (*told, f"refers to {keys[0].target}: the value must be there")
    return Draft(
        change.description,
        None,
        name,
        fields,
        complete=False,
        confidence=Confidence.GUESS,
        evidence=(*change.evidence, *told),
    )
