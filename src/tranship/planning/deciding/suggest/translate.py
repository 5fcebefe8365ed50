"""The likeliest way from one old column to one new column: rename, bare transform, value mapping or lookup."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from tranship.model.builtin_types import Family
from tranship.model.catalog import Catalog, Column, Table
from tranship.model.evidence import ColumnFacts, Evidence, LookupFacts, Misfits, Refusals
from tranship.model.expression import Conversion, Rule
from tranship.model.names import ColumnRef, Side
from tranship.model.types import TypeKind
from tranship.planning.comparing.meaning import Doubt, Observed, doubt_of, is_utc
from tranship.planning.deciding.resolve.words import SPECIFY_DEFAULT_VALUE
from tranship.planning.deciding.suggest.drafts import Confidence, Field
from tranship.planning.deciding.suggest.facts import Fact, quoting, told_lookup, told_misfits
from tranship.planning.deciding.suggest.formats import format_guesses, reads_otherwise
from tranship.planning.deciding.suggest.guesses import Guess, told_trial
from tranship.planning.deciding.suggest.mappings import Mapped, map_values
from tranship.planning.matching.scope import quoted
from tranship.planning.printed.allowed_values import allowed_values
from tranship.planning.types.conversion import convert
from tranship.planning.types.values import castable


class Scene(Struct, frozen=True):
    """A pair of tables with the facts about their data."""

    before: Table
    after: Table
    old: Catalog
    new: Catalog
    evidence: Evidence
    schemas: tuple[tuple[str, str], ...] = ()
    doubtful: Mapping[tuple[str, str], str] = {}
    """Proposed renames of which another new column could be meant as well, with that one."""
    observed: Observed = Observed()

    def facts(self, left: str) -> ColumnFacts | None:
        """The facts of an old column."""
        return self.evidence.of(self.before.name, left)

    def lookups(self, left: str, right: str) -> tuple[LookupFacts, ...]:
        """The lookups asked for a pair of columns, the one that covers most first."""
        refs = ColumnRef(self.before.name, left), ColumnRef(self.after.name, right)
        asked = [
            facts
            for facts in self.evidence.lookups
            if (facts.question.old, facts.question.new) == refs and not facts.question.key_columns
        ]
        return tuple(sorted(asked, key=lambda facts: (not facts.covers, facts.ambiguous, -facts.found)))

    def convert(self, source: Column, target: Column) -> Conversion:
        """The judgement of the two types."""
        versions = self.old.server_version, self.new.server_version
        return convert(
            source.type, target.type, old_version=versions[0], new_version=versions[1], schemas=self.schemas
        )

    def doubt(self, left: str, right: str) -> Doubt | None:
        """Why the two may not mean the same, keys apart."""
        return doubt_of(self.before, self.after, (left, right), self.observed, self.old.timezone)

    def formats(self, left: str, right: str) -> list[Guess]:
        """Expressions that read the old values as the new type would not."""
        source, target = self.before.column(left), self.after.column(right)
        if source is None or target is None or target.generated:
            return []
        return format_guesses(source, target, self.facts(left), self.new.datestyle)


class Translation(Struct, frozen=True):
    """What is suggested for a pair of columns."""

    fields: Mapping[str, Field] = {}
    complete: bool = False
    confidence: Confidence = Confidence.GUESS
    coverage: float = 0.0
    """The part of the distinct values that arrives, 0 to 1."""
    evidence: tuple[Fact, ...] = ()
    inserts: tuple[str, ...] = ()


_NOTHING = Translation()
_MOST_PREFILLED = 50
_PLACEHOLDER = re.compile(r"[0\s:./-]*")
"""Texts that programs write where they have no date, time or number."""


def translation(scene: Scene, left: str, right: str, *, renaming: bool, meaning: bool) -> Translation:
    """The likeliest way; ``renaming``: the two are proposed as one column; ``meaning``: a conversion of the
    bare value is no answer.
    """
    source, target = scene.before.column(left), scene.after.column(right)
    if source is None or target is None or target.generated:
        return _NOTHING
    names: dict[str, Field] = {"old_column": left, "new_column": right}
    conversion = scene.convert(source, target)
    doubt = scene.doubt(left, right)
    if doubt is not None:
        mapped = (
            _by_mapping(scene, names, source, target, conversion, bare=False) if doubt.sql is None else None
        )
        return mapped or _doubted(names, doubt, conversion, renaming=renaming)
    if renaming and conversion.automatic:
        sure = (left, right) not in scene.doubtful
        confidence = Confidence.LIKELY if sure else Confidence.GUESS
        return Translation({**names, "action": "rename"}, complete=sure, confidence=confidence, coverage=1.0)
    found = _by_lookup(scene, names, left, right)
    if found is not None and found.complete:
        return found
    mapped = _by_mapping(scene, names, source, target, conversion, bare=not meaning)
    best = mapped if mapped is not None and (found is None or mapped.complete) else found
    if best is not None or meaning:
        return best or _NOTHING
    formats = scene.formats(left, right)
    if formats:
        return _read_otherwise(scene, names, left, right, formats[0])
    if not conversion.bare:
        return _expression(scene, names, source, target)
    bare = _bare(scene, names, source, target, conversion)
    return (
        replace(bare, complete=False, confidence=Confidence.GUESS)
        if renaming and (left, right) in scene.doubtful
        else bare
    )


def converted(scene: Scene, left: str, right: str) -> Translation:
    """An expression between two columns that nothing but their names and values joins: the other unit, the
    opposite, another way of writing.
    """
    names: dict[str, Field] = {"old_column": left, "new_column": right}
    doubt = scene.doubt(left, right)
    if doubt is not None and doubt.sql is not None:
        return Translation(
            {**names, "action": "transform", "transform_sql": doubt.sql}, coverage=1.0, evidence=doubt.told
        )
    formats = scene.formats(left, right)
    return _guessed(scene, names, formats[0]) if formats else _NOTHING


def _doubted(
    names: Mapping[str, Field], doubt: Doubt, conversion: Conversion, *, renaming: bool
) -> Translation:
    """What would translate the meaning; the bare value is the other answer, and only a person knows which is
    right.
    """
    bare = "rename" if renaming and conversion.automatic else "transform"
    if doubt.sql is None:
        fields = {**names, "action": bare} if conversion.bare or conversion.automatic else {}
        return Translation(
            fields,
            evidence=("nothing translates it by itself; the suggestion takes the values as they are",)
            if fields
            else (),
        )
    told = (
        f"if it means the same after all: action '{bare}' with the same columns alone"
        if conversion.bare or conversion.automatic
        else ""
    )
    fields = {**names, "action": "transform", "transform_sql": doubt.sql}
    return Translation(fields, confidence=Confidence.LIKELY, coverage=1.0, evidence=(told,) if told else ())


def _guessed(scene: Scene, names: Mapping[str, Field], guess: Guess) -> Translation:
    tried = scene.evidence.tried(guess.question(scene.before.name))
    holds = guess.holds(scene.before.name, scene.evidence)
    return Translation(
        {**names, "action": "transform", "transform_sql": guess.sql},
        complete=holds,
        confidence=Confidence.HIGH if holds else Confidence.GUESS,
        coverage=tried.fitting / tried.rows if tried is not None and tried.rows else 0.0,
        evidence=(*guess.told, *told_trial(tried)),
    )


def _read_otherwise(
    scene: Scene, names: Mapping[str, Field], left: str, right: str, guess: Guess
) -> Translation:
    """Another reading of the values, beside what NEW says to them as they are."""
    guessed = _guessed(scene, names, guess)
    refs = ColumnRef(scene.before.name, left), ColumnRef(scene.after.name, right)
    refusals = scene.evidence.refused(*refs)
    as_they_are = (_told_refusals(refusals),) if refusals is not None and refusals.refused else ()
    return replace(guessed, evidence=(*as_they_are, *guessed.evidence))


def _by_lookup(scene: Scene, names: Mapping[str, Field], left: str, right: str) -> Translation | None:
    asked = scene.lookups(left, right)
    if not asked or (asked[0].distinct and asked[0].found * 2 < asked[0].distinct):
        return None
    best = asked[0]
    question = best.question
    lookup = {
        "table": question.table.name,
        "key_column": question.key_column,
        "value_column": question.value_column,
        "schema": question.table.schema,
    }
    if question.side is Side.OLD:
        lookup["database"] = "old"
    return Translation(
        {**names, "action": "transform", "lookup_table": lookup},
        complete=best.covers,
        confidence=Confidence.HIGH if best.covers else Confidence.LIKELY,
        coverage=best.found / best.distinct if best.distinct else 0.0,
        evidence=told_lookup(best),
        inserts=best.inserts,
    )


def _by_mapping(
    scene: Scene,
    names: Mapping[str, Field],
    source: Column,
    target: Column,
    conversion: Conversion,
    *,
    bare: bool,
) -> Translation | None:
    facts = scene.facts(source.name)
    allowed = allowed_values(scene.after, target)
    if facts is None or not allowed:
        return None
    mapped = map_values(facts, allowed, boolean=target.type.leaf.base == "boolean")
    if mapped is None:
        return None
    coverage = 1 - len(mapped.open) / len(mapped.pairs)
    if bare and facts.complete and conversion.bare and all(key == result for key, result in mapped.pairs):
        return Translation(
            {**names, "action": "transform"},
            complete=True,
            confidence=Confidence.HIGH,
            coverage=1.0,
            evidence=("every value of OLD is allowed as it is",),
        )
    return Translation(
        {**names, "action": "transform", "value_mapping": dict(mapped.pairs)},
        complete=mapped.certain,
        confidence=Confidence.HIGH if mapped.certain else Confidence.GUESS,
        coverage=coverage,
        evidence=(
            *_told_mapping(mapped, allowed),
            *(("a sample: there may be further values",) if facts.sampled else ()),
        ),
    )


def _told_mapping(mapped: Mapped, allowed: tuple[str, ...]) -> tuple[Fact, ...]:
    told: list[Fact] = [f"NEW allows: {', '.join(repr(value) for value in allowed[:20])}"]
    if mapped.open:
        told.append(quoting(f"no counterpart for {len(mapped.open)} of them", mapped.open, shown=20))
    elif not mapped.by_word:
        told.append("some counterparts are guesses from letters that agree: check each")
    return tuple(told)


def _bare(
    scene: Scene, names: Mapping[str, Field], source: Column, target: Column, conversion: Conversion
) -> Translation:
    """The server's own conversion; complete where it was tried on every row and nothing else could be meant."""
    refs = ColumnRef(scene.before.name, source.name), ColumnRef(scene.after.name, target.name)
    misfits = [m for m in scene.evidence.misfits if (m.old, m.new) == refs]
    told: list[Fact] = [line for m in misfits for line in told_misfits(m)]
    facts = scene.facts(source.name)
    refusals = scene.evidence.refused(*refs) or (
        _known_refusals(refs, target, facts) if not misfits else None
    )
    if refusals is not None and refusals.refused:
        told.append(_told_refusals(refusals))
        if facts is not None and _wants_mapping(scene, target, refusals):
            every = refusals.refused_values == refusals.values
            kept = frozenset(v.value for v in facts.values) - set(refusals.refused)
            return _prefilled(names, facts, tuple(told), keep=frozenset() if every else kept)
    other = _other_clock(scene, source, target, conversion)
    if other is not None:
        return Translation({**names, "action": "transform"}, coverage=1.0, evidence=(*told, *other))
    unsure = reads_otherwise(source, target, facts)
    if unsure:
        told.append(unsure)
    complete = _fits(misfits, refusals, conversion) and not unsure
    return Translation(
        {**names, "action": "transform", **_without_placeholder(source, target, refusals)},
        complete=complete,
        confidence=Confidence.LIKELY if complete else Confidence.GUESS,
        coverage=1.0,
        evidence=tuple(told),
    )


def _fits(misfits: Sequence[Misfits], refusals: Refusals | None, conversion: Conversion) -> bool:
    """Every value of every row arrives: it was tried, or the conversion takes every value there is."""
    if any(m.rows or m.sampled for m in misfits):
        return False
    if refusals is not None:
        return refusals.complete and not refusals.refused
    return bool(misfits) or not conversion.fallible or conversion.rule is Rule.ZONE


def _wants_mapping(scene: Scene, target: Column, refusals: Refusals) -> bool:
    """NEW takes none of the values, or lists those that it takes."""
    every = refusals.refused_values == refusals.values and target.type.leaf.kind is not TypeKind.ARRAY
    return every or bool(allowed_values(scene.after, target))


def _other_clock(
    scene: Scene, source: Column, target: Column, conversion: Conversion
) -> tuple[Fact, ...] | None:
    """The other reading of a time without a zone, where OLD's database is not set to UTC: nothing in the data tells which was meant."""
    zone = scene.old.timezone
    kinds = {source.type.leaf.base, target.type.leaf.base}
    if conversion.rule is not Rule.ZONE or is_utc(zone) or "timestamp without time zone" not in kinds:
        return None
    value = f"old.{quoted(source.name)} AT TIME ZONE 'UTC'"
    return (
        f"the bare transform takes the times for those of OLD's database time zone {zone}",
        f"if the application wrote UTC, as many do whatever the server's zone is: transform_sql {value}",
    )


def _known_refusals(
    refs: tuple[ColumnRef, ColumnRef], target: Column, facts: ColumnFacts | None
) -> Refusals | None:
    """Returns what can be said without a server where NEW was not asked; None: of no listed value that it is
    refused.
    """
    values = facts.values if facts is not None else ()
    refused = [value for value in values if castable(target.type, value.value) is False]
    if not refused:
        return None
    return Refusals(
        *refs,
        target.type.text,
        rows=sum(value.rows for value in refused),
        values=len(values),
        refused_values=len(refused),
        refused=tuple(value.value for value in refused),
        complete=facts is not None and facts.complete,
    )


def _told_refusals(refusals: Refusals) -> Fact:
    part = f"{refusals.refused_values} of {refusals.values} values"
    looked_at = "" if refusals.complete else " of those looked at"
    text = f"{refusals.rows} rows hold values that {refusals.type} refuses ({part}{looked_at})"
    return quoting(text, refusals.refused)


def _without_placeholder(source: Column, target: Column, refusals: Refusals | None) -> Mapping[str, Field]:
    """Returns an expression that turns the one refused value into NULL, where it stands for no value:
    ``0000-00-00``.
    """
    refused = refusals.refused if refusals is not None else ()
    text = source.type.leaf.family is Family.STRING
    if len(refused) != 1 or not text or target.refuses_null or not _PLACEHOLDER.fullmatch(refused[0]):
        return {}
    return {"transform_sql": f"nullif(old.{quoted(source.name)}, '{refused[0]}')"}


def _prefilled(
    names: Mapping[str, Field], facts: ColumnFacts, told: tuple[Fact, ...], keep: frozenset[str] = frozenset()
) -> Translation:
    """A value mapping to be filled: OLD's values, with a placeholder each but for those that NEW takes as
    they are.
    """
    if len(facts.values) < facts.distinct or len(facts.values) > _MOST_PREFILLED:
        return Translation(evidence=told)
    mapping = {
        counted.value: counted.value if counted.value in keep else SPECIFY_DEFAULT_VALUE
        for counted in facts.values
    }
    return Translation({**names, "action": "transform", "value_mapping": mapping}, evidence=told)


def _expression(scene: Scene, names: Mapping[str, Field], source: Column, target: Column) -> Translation:
    value = f"old.{quoted(source.name)}"
    ways = {("bytea", "text"): f"encode({value}, 'hex')", ("text", "bytea"): f"convert_to({value}, 'UTF8')"}
    sql = ways.get((source.type.leaf.base, target.type.leaf.base))
    facts = scene.facts(source.name)
    if sql is None:
        return _prefilled(names, facts, ()) if facts is not None and facts.values else _NOTHING
    told = "the two types have several readings of each other: choose one"
    return Translation({**names, "action": "transform", "transform_sql": sql}, evidence=(told,))
