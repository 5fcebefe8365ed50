"""The likeliest way from one old column to one new: rename, bare transform, value mapping, lookup."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from tranship.model.evidence import LookupFacts
from tranship.model.names import Side
from tranship.planning.comparing.meaning import Concern, is_utc
from tranship.planning.deciding.suggest.context import ColumnPairContext, TablePairContext
from tranship.planning.deciding.suggest.drafts import NO_TRANSLATION, Confidence, Field, Translation
from tranship.planning.deciding.suggest.facts import Fact, lookup_evidence, quoting
from tranship.planning.deciding.suggest.guesses import Guess, reference, trial_evidence
from tranship.planning.deciding.suggest.keys import key_translation
from tranship.planning.deciding.suggest.mappings import Mapped, map_values
from tranship.planning.deciding.suggest.nulls import nulls_left, nulls_refused
from tranship.planning.deciding.suggest.own_conversion import (
    between_types,
    own_conversion,
    read_in_zone,
    refusal_evidence,
)
from tranship.planning.names.families import family
from tranship.planning.names.opposites import opposed
from tranship.planning.printed.allowed_values import allowed_values


def translation(
    tables: TablePairContext, left: str, right: str, *, renaming: bool, meaning: bool
) -> Translation:
    """The likeliest way; ``renaming``: the two are proposed as one column; ``meaning``: a conversion of the
    bare value is no answer.
    """
    source, target = tables.before.column(left), tables.after.column(right)
    if source is None or target is None or target.generated:
        return NO_TRANSLATION
    pair = ColumnPairContext(tables, source, target, tables.convert(source, target))
    # In this order: what keys say, what NEW would misread, what the values say.
    by_key = key_translation(pair)
    if by_key.fields or by_key.evidence:
        return by_key
    concern = tables.concern(left, right)
    if concern is not None:
        return _of_concern(pair, concern, renaming=renaming)
    return _of_values(pair, renaming=renaming, meaning=meaning)


def _of_values(pair: ColumnPairContext, *, renaming: bool, meaning: bool) -> Translation:
    """Returns what needs no conversion, what tables say, or what values say."""
    tables, (left, right) = pair.tables, (pair.source.name, pair.target.name)
    sure = (left, right) not in tables.ambiguous
    if renaming and pair.conversion.automatic:
        confidence = Confidence.LIKELY if sure else Confidence.GUESS
        return Translation(
            {**pair.names, "action": "rename"}, complete=sure, confidence=confidence, coverage=1.0
        )
    found = _by_tables(pair, bare=not meaning)
    if found is None and not meaning:
        return _by_values(pair, ambiguous=renaming and not sure)
    return found or NO_TRANSLATION


def _by_tables(pair: ColumnPairContext, *, bare: bool) -> Translation | None:
    """Returns a translation by a lookup or a mapping: a lookup that covers everything wins over a mapping."""
    found = _by_lookup(pair)
    if found is not None and found.complete:
        return found
    mapped = _by_mapping(pair, bare=bare)
    return mapped if mapped is not None and (found is None or mapped.complete) else found


def _by_values(pair: ColumnPairContext, *, ambiguous: bool) -> Translation:
    """Returns another reading of the values, an expression between the types, or the server's own conversion.

    The conversion is not filled in where another new column could be meant as well (``ambiguous``).
    """
    formats = pair.tables.formats(pair.source.name, pair.target.name)
    if formats:
        return _read_otherwise(pair, formats[0])
    if not pair.conversion.bare:
        return between_types(pair)
    bare = own_conversion(pair)
    return replace(bare, complete=False, confidence=Confidence.GUESS) if ambiguous else bare


def converted(tables: TablePairContext, left: str, right: str) -> Translation:
    """An expression between two columns that nothing but their names and values joins: the other unit, the
    opposite, another way of writing.
    """
    names: dict[str, Field] = {"old_column": left, "new_column": right}
    concern = tables.concern(left, right)
    if concern is not None and concern.sql is not None:
        return Translation(
            {**names, "action": "transform", "transform_sql": concern.sql},
            coverage=1.0,
            evidence=(*concern.evidence, *_rounded_away(tables, left, right)),
        )
    if concern is not None and concern.opposite:
        return NO_TRANSLATION
    formats = tables.formats(left, right)
    return _guessed(tables, names, formats[0]) if formats else NO_TRANSLATION


def _of_concern(pair: ColumnPairContext, concern: Concern, *, renaming: bool) -> Translation:
    """Returns what would translate the meaning.

    The bare value is the other answer, and only a person knows which is right: neither is filled in.
    """
    mapped = _by_mapping(pair, bare=False) if concern.sql is None else None
    if mapped is not None:
        return mapped
    conversion = pair.conversion
    bare = "rename" if renaming and conversion.automatic else "transform"
    possible = conversion.bare or conversion.automatic
    if concern.sql is None and possible and not concern.opposite:
        as_they_are = "nothing translates it by itself; the suggestion takes the values as they are"
        return Translation({**pair.names, "action": bare}, evidence=(as_they_are,))
    if concern.sql is None:
        return Translation()
    fields = {**pair.names, "action": "transform", "transform_sql": concern.sql}
    other = f"if it means the same after all: action '{bare}' with the same columns alone"
    confidence = Confidence.GUESS if concern.guess else Confidence.LIKELY
    evidence = (*_rounded_away(pair.tables, *pair.names.values()), *((other,) if possible else ()))
    return Translation(fields, confidence=confidence, coverage=1.0, evidence=evidence)


def rounded_guess(tables: TablePairContext, left: str, right: str) -> Guess | None:
    """Returns the expression of another unit that rounds, to be tried: it fits where nothing is rounded."""
    concern, source = tables.concern(left, right), tables.before.column(left)
    if concern is None or concern.sql is None or source is None or not concern.sql.startswith("round("):
        return None
    computed = concern.sql.removeprefix("round(").removesuffix(")")
    return Guess((left,), right, concern.sql, f"{computed} = {concern.sql}", reference(source))


def _rounded_away(tables: TablePairContext, left: object, right: object) -> tuple[Fact, ...]:
    """Returns how many numbers the expression of another unit rounds, in words."""
    guess = rounded_guess(tables, str(left), str(right))
    tried = tables.evidence.tried(guess.question(tables.before.name)) if guess is not None else None
    if tried is None or tried.failed or not tried.rows:
        return ()
    of = "sampled rows" if tried.sampled else "rows"
    if tried.fitting == tried.rows:
        return (f"it rounds none of {tried.rows} {of}",)
    said = f"it gives no whole number in {tried.rows - tried.fitting} of {tried.rows} {of}, and rounds there"
    return (quoting(said, tried.examples),)


def _guessed(tables: TablePairContext, names: Mapping[str, Field], guess: Guess) -> Translation:
    tried = tables.evidence.tried(guess.question(tables.before.name))
    holds = guess.holds(tables.before.name, tables.evidence)
    return Translation(
        {**names, "action": "transform", "transform_sql": guess.sql},
        complete=holds,
        confidence=Confidence.HIGH if holds else Confidence.GUESS,
        coverage=tried.fitting / tried.rows if tried is not None and tried.rows else 0.0,
        evidence=(*guess.evidence, *trial_evidence(guess, tried), *_zone_of(tables, guess)),
    )


def _zone_of(tables: TablePairContext, guess: Guess) -> tuple[Fact, ...]:
    """Returns in which zone NEW reads what an expression gives, and how to say that it is UTC."""
    zone = tables.old.timezone
    return read_in_zone(zone, guess.as_utc) if guess.as_utc and not is_utc(zone) else ()


def _read_otherwise(pair: ColumnPairContext, guess: Guess) -> Translation:
    """Returns another reading of the values, beside what NEW says to them as they are."""
    guessed = _guessed(pair.tables, pair.names, guess)
    refusals = pair.tables.evidence.refused(*pair.refs)
    as_they_are = (refusal_evidence(refusals),) if refusals is not None and refusals.refused else ()
    return replace(guessed, evidence=(*as_they_are, *guessed.evidence))


def _by_lookup(pair: ColumnPairContext) -> Translation | None:
    """Returns the lookup that covers most, unless that is less than half of the values."""
    asked = pair.tables.lookups(pair.source.name, pair.target.name)
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
    rivals = _rivals(asked)
    # Few numbers are all keys of many tables: that they are found says little.
    by_chance = question.side is Side.NEW and family(pair.source.type) == "integer"
    by_chance = by_chance or bool(rivals)
    confidence = Confidence.HIGH if best.covers else Confidence.LIKELY
    return Translation(
        {**pair.names, "action": "transform", "lookup_table": lookup},
        complete=best.covers and not by_chance,
        confidence=Confidence.GUESS if by_chance else confidence,
        coverage=best.found / best.distinct if best.distinct else 0.0,
        evidence=(*lookup_evidence(best), *rivals, *nulls_refused(pair.facts, pair.target)),
        inserts=best.inserts,
    )


def _rivals(asked: Sequence[LookupFacts]) -> tuple[str, ...]:
    """Returns which further key columns cover the old values as well as the best one, in words: the values do
    not tell which of them is meant.
    """
    best = asked[0]
    known = best.question.table, best.question.key_column
    others = {
        (one.question.table, one.question.key_column): one
        for one in asked[1:]
        if one.distinct and one.found >= best.found
    }
    others.pop(known, None)
    names = [f"{table} by '{column}'" for table, column in others]
    if not names:
        return ()
    return (f"{', '.join(names)} covers as many values: nothing says which is meant, it or '{known[1]}'",)


def _by_mapping(pair: ColumnPairContext, *, bare: bool) -> Translation | None:
    """Returns the mapping to the values that NEW lists; ``bare`` allows the server's conversion where it does
    the same.
    """
    facts, allowed = pair.facts, allowed_values(pair.tables.after, pair.target)
    mapped = _mapped(pair, allowed)
    if facts is None or mapped is None:
        return None
    same = all(key == result for key, result in mapped.pairs)
    nulls = nulls_left(facts, pair.target, allowed)
    if bare and same and facts.complete and pair.conversion.bare:
        return Translation(
            {**pair.names, "action": "transform", **nulls.fields},
            complete=not nulls.fields,
            confidence=Confidence.GUESS if nulls.fields else Confidence.HIGH,
            coverage=1.0,
            evidence=("every value of OLD is allowed as it is", *nulls.evidence),
        )
    sample = ("a sample: there may be further values",) if facts.sampled else ()
    certain = mapped.certain and not nulls.fields
    return Translation(
        {**pair.names, "action": "transform", "value_mapping": dict(mapped.pairs), **nulls.fields},
        complete=certain,
        confidence=Confidence.HIGH if certain else Confidence.GUESS,
        coverage=1 - len(mapped.open) / len(mapped.pairs),
        evidence=(*_mapping_evidence(mapped, allowed), *nulls.evidence, *sample),
    )


def _mapped(pair: ColumnPairContext, allowed: tuple[str, ...]) -> Mapped | None:
    """Returns the counterparts of the old values; where the opposite is asked and NEW takes any value, the
    two old values change places.
    """
    facts, names = pair.facts, (pair.source.name, pair.target.name)
    if facts is None:
        return None
    swapped = tuple(counted.value for counted in facts.values) if opposed(*names) else ()
    return map_values(facts, allowed or swapped, names, boolean=pair.target.type.leaf.base == "boolean")


def _mapping_evidence(mapped: Mapped, allowed: tuple[str, ...]) -> tuple[Fact, ...]:
    listed = ", ".join(repr(value) for value in allowed[:20])
    reasons: list[Fact] = [f"NEW allows: {listed}"] if allowed else []
    if mapped.open:
        reasons.append(quoting(f"no counterpart for {len(mapped.open)} of them", mapped.open, shown=20))
    elif not mapped.by_word:
        reasons.append("some counterparts are guesses from letters that agree: check each")
    return tuple(reasons)
