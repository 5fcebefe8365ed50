"""The server's own conversion between two columns, what NEW says to the values, and what else they could
mean.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import chain

from msgspec.structs import replace

from tranship.model.builtin_types import Family
from tranship.model.catalog import Column
from tranship.model.count import count_of
from tranship.model.evidence import ColumnFacts, Misfits, Refusals
from tranship.model.expression import Conversion, Loss, Rule
from tranship.model.types import PgType, TypeKind
from tranship.planning.comparing.column_changes import conversion_evidence
from tranship.planning.comparing.meaning import is_utc
from tranship.planning.deciding.otherwise import says_another
from tranship.planning.deciding.resolve.patterns import written_pattern
from tranship.planning.deciding.resolve.words import SPECIFY_DEFAULT_VALUE
from tranship.planning.deciding.suggest.context import ColumnPairContext, TablePairContext
from tranship.planning.deciding.suggest.dates import DATES, ZONED, read_as_utc, readings, texts_without_zone
from tranship.planning.deciding.suggest.drafts import (
    NO_TRANSLATION,
    AskedOnce,
    Confidence,
    Field,
    Translation,
)
from tranship.planning.deciding.suggest.facts import Fact, changed_evidence, misfit_evidence, quoting
from tranship.planning.deciding.suggest.formats import reads_otherwise
from tranship.planning.deciding.suggest.guesses import reference
from tranship.planning.deciding.suggest.keys import several_keys
from tranship.planning.deciding.suggest.nulls import nulls_left
from tranship.planning.deciding.suggest.ways import way_between
from tranship.planning.printed.allowed_values import allowed_values
from tranship.planning.types.conversion import KEYS_NOT_COUNTED, OTHER_ORDER
from tranship.planning.types.values import castable

# A mapping of more values is filled by nobody; a lookup table is the better answer then.
_MOST_PREFILLED = 50
_PLAIN = ("timestamp without time zone", "date")
"""Types of moments that say nothing of a time zone."""
_PLACEHOLDER = re.compile(r"[0\s:./-]*")
"""Texts that programs write where they have no date, time or number."""


def own_conversion(pair: ColumnPairContext) -> Translation:
    """Returns the server's own conversion; complete where it was tried on every row and nothing else could be
    meant.
    """
    misfits = [m for m in pair.tables.evidence.misfits if (m.old, m.new) == pair.refs]
    evidence: list[Fact] = list(chain.from_iterable(map(misfit_evidence, misfits)))
    evidence += map(changed_evidence, pair.tables.evidence.changed_between(*pair.refs))
    refusals = _refusals(pair, misfits)
    if refusals is not None and refusals.refused:
        evidence.append(refusal_evidence(refusals))
        mapped = _of_refused(pair, refusals, tuple(evidence))
        if mapped is not None:
            return mapped
    other, unsure = _other_clock(pair), _unsure(pair, refusals)
    if other is not None:
        return replace(other, evidence=(*evidence, *other.evidence, *_told_too(pair, unsure)))
    evidence += _another_zone(pair)
    if unsure and _is_date_of_text(pair):
        # NEW would read such a text by its DateStyle, whatever was meant: that is no suggestion.
        return Translation(evidence=(*evidence, unsure, *readings(pair.facts)))
    complete = not unsure and _fits(misfits, refusals, pair.conversion)
    return Translation(
        {**pair.names, "action": "transform", **_without_placeholder(pair, refusals)},
        complete=complete,
        confidence=Confidence.LIKELY if complete else Confidence.GUESS,
        coverage=1.0,
        evidence=(*evidence, unsure) if unsure else tuple(evidence),
    )


def _told_too(pair: ColumnPairContext, unsure: Fact) -> tuple[Fact, ...]:
    """Returns that texts may mean another day, beside the question of their time zone."""
    return (unsure,) if unsure and _is_date_of_text(pair) else ()


def _is_date_of_text(pair: ColumnPairContext) -> bool:
    """Returns whether texts, which were looked at, become dates or moments."""
    from_text = pair.facts is not None and pair.source.type.leaf.family is Family.STRING
    return from_text and pair.target.type.leaf.base in DATES


def _unsure(pair: ColumnPairContext, refusals: Refusals | None) -> Fact:
    """Returns why values that arrive may not mean the same, in words; empty where nothing speaks for it."""
    if refusals is not None and refusals.otherwise:
        # All values that NEW was asked about were looked at, not only those that the file lists.
        return quoting(says_another(refusals.otherwise_rows, pair.target.type), refusals.otherwise)
    otherwise = reads_otherwise(pair.source, pair.target, pair.facts)
    return otherwise or several_keys(pair) or _in_other_order(pair) or _uncounted(pair)


def _in_other_order(pair: ColumnPairContext) -> str:
    """Returns, in words, that no trial tells whether ranges of texts still mean the same; else nothing."""
    if OTHER_ORDER not in pair.conversion.why:
        return ""
    return "that NEW takes the bounds does not say that the same texts lie between them"


def _uncounted(pair: ColumnPairContext) -> str:
    """Returns, in words, that OLD cannot tell which values lose something; else nothing."""
    if KEYS_NOT_COUNTED not in pair.conversion.why or holds_no_value(pair.facts):
        return ""
    return "nobody looked for documents that hold a key twice"


def _refusals(pair: ColumnPairContext, misfits: Sequence[Misfits]) -> Refusals | None:
    """Returns which values NEW refuses: as NEW says, else as is known without a server."""
    asked = pair.tables.evidence.refused(*pair.refs)
    # A cast that takes every value reads no text, so what NEW's input says to the printed form is no matter.
    takes_all = not pair.conversion.fallible and pair.conversion.loss is Loss.NONE
    if asked is not None or misfits or takes_all:
        return asked
    return _known_refusals(pair)


def _of_refused(
    pair: ColumnPairContext, refusals: Refusals, evidence: tuple[Fact, ...]
) -> Translation | None:
    """Returns what becomes of values that NEW refuses, where the conversion alone is no answer: JSON of texts
    that are none, else a mapping to be filled.
    """
    if pair.facts is None or not _wants_mapping(pair, refusals):
        return None
    document = pair.target.type.leaf.typname in ("json", "jsonb")
    way = way_between(reference(pair.source), pair.source.type.leaf, pair.target.type.leaf)
    if not document or way is None:
        return _prefilled(pair, pair.facts, evidence, keep=_kept(pair.facts, refusals))
    fields = {**pair.names, "action": "transform", "transform_sql": way.sql}
    return Translation(fields, coverage=1.0, evidence=(*evidence, way.reading))


def _kept(facts: ColumnFacts, refusals: Refusals) -> frozenset[str]:
    """Returns the values that NEW takes as they are; none where it refuses every value."""
    if refusals.refused_values == refusals.values:
        return frozenset()
    return frozenset(counted.value for counted in facts.values) - set(refusals.refused)


def _fits(misfits: Sequence[Misfits], refusals: Refusals | None, conversion: Conversion) -> bool:
    """Returns whether every value of every row arrives: it was tried, or the conversion takes every value
    there is.
    """
    if any(m.rows or m.sampled for m in misfits):
        return False
    # Every moment that the one type holds is one of the other, so untried values fit as the tried ones do.
    takes_all = not conversion.fallible or conversion.rule is Rule.ZONE
    if refusals is not None:
        return (refusals.complete or takes_all) and not refusals.refused
    return bool(misfits) or takes_all


def _wants_mapping(pair: ColumnPairContext, refusals: Refusals) -> bool:
    """Returns whether NEW takes none of the values, or lists those that it takes."""
    is_array = pair.target.type.leaf.kind is TypeKind.ARRAY
    every = refusals.refused_values == refusals.values and not is_array
    return every or bool(allowed_values(pair.tables.after, pair.target))


def _other_clock(pair: ColumnPairContext) -> Translation | None:
    """Returns both readings of a time without a zone, where OLD's database is not set to UTC.

    Nothing in the data tells which reading was meant; where OLD holds no value, nothing depends on it.
    """
    zone = pair.tables.old.timezone
    if _is_zoned_text(pair) and not is_utc(zone):
        return _texts_without_offset(pair, zone)
    kinds = {pair.source.type.leaf.base, pair.target.type.leaf.base}
    plain = not kinds.isdisjoint(_PLAIN)
    if pair.conversion.rule is not Rule.ZONE or is_utc(zone) or not plain:
        return None
    bare = Translation({**pair.names, "action": "transform"}, coverage=1.0)
    if holds_no_value(pair.facts):
        nothing = "OLD holds no value here: both readings of the time zone come to the same"
        return replace(bare, complete=True, confidence=Confidence.HIGH, evidence=(nothing,))
    return replace(bare, evidence=both_readings(_moment(pair.source), zone))


def _is_zoned_text(pair: ColumnPairContext) -> bool:
    """Returns whether texts become moments with a time zone."""
    return pair.source.type.leaf.family is Family.STRING and pair.target.type.leaf.base == ZONED


def _texts_without_offset(pair: ColumnPairContext, zone: str) -> Translation | None:
    """Returns both readings of texts that say no zone; None where every text says one, or is no ISO date."""
    facts = pair.facts
    known = facts is not None and facts.complete
    bare = texts_without_zone(facts)
    if known and (not bare or reads_otherwise(pair.source, pair.target, facts)):
        return None
    rows = sum(counted.rows for counted in bare)
    said = "1 row holds a text" if rows == 1 else f"{rows} rows hold texts"
    quoted = [quoting(f"{said} without a time zone", [counted.value for counted in bare])] if bare else []
    utc = read_as_utc(reference(pair.source), mixed=not known or rows < (facts.filled if facts else 0))
    bare_transform = {**pair.names, "action": "transform"}
    return Translation(bare_transform, coverage=1.0, evidence=(*quoted, *_either_zone(zone, utc)))


def _another_zone(pair: ColumnPairContext) -> tuple[Fact, ...]:
    """Returns the zone of times that a conversion moves through OLD's, and how another one is given."""
    zoned = pair.conversion.rule is Rule.ZONE and pair.conversion.loss is Loss.ZONE
    if not zoned or holds_no_value(pair.facts):
        return ()
    return taken_for(_moment(pair.source), pair.tables.old.timezone)


def _moment(column: Column) -> str:
    return as_moment(reference(column), column.type)


def as_moment(value: str, type_: PgType) -> str:
    """Returns an old value as AT TIME ZONE has to be given it: a date alone would be taken for a moment of
    the server's own zone first.
    """
    return f"CAST({value} AS timestamp)" if type_.leaf.base == "date" else value


def taken_for(value: str, zone: str) -> tuple[Fact, ...]:
    """Returns in which zone times are read; ``value`` is the old column as an expression names it."""
    return (
        f"the times are taken for those of OLD's database time zone {zone}",
        f"another time zone: transform_sql {value} AT TIME ZONE 'Europe/Berlin'",
    )


def both_readings(value: str, zone: str) -> tuple[Fact, ...]:
    """Returns what a time without a zone may mean; ``value`` is the old column as an expression names it."""
    return _either_zone(zone, f"{value} AT TIME ZONE 'UTC'")


def _either_zone(zone: str, utc: str) -> tuple[Fact, ...]:
    return f"a transform without SQL reads the times in OLD's database time zone {zone}", _written_in_utc(utc)


def read_in_zone(zone: str, utc: str) -> tuple[Fact, ...]:
    """Returns in which zone texts are read that an expression gives; ``utc`` is the expression for UTC."""
    return f"texts without a time zone are read in OLD's database time zone {zone}", _written_in_utc(utc)


def _written_in_utc(utc: str) -> str:
    return f"if the application wrote UTC, as many do whatever the server's zone is: transform_sql {utc}"


def asked_once(
    tables: TablePairContext, source: Column, target: Column, said: Sequence[str], *, renamed: bool
) -> AskedOnce | None:
    """Returns the question about two types that the data of no column can tell; None for other questions.

    That a column is ``renamed`` is a question of its own, which asks about this table alone. ``said`` is what
    the comparison said of the change.
    """
    conversion = tables.convert(source, target)
    if conversion.rule is not Rule.ZONE or conversion.loss is not Loss.ZONE:
        return None
    if renamed and tables.after.column(source.name) is not None:
        return None
    types = source.type, target.type
    reasons = conversion_evidence(source, target, conversion)
    return AskedOnce(
        written_pattern(types),
        tables.old.timezone,
        tuple(line for line in said if line.startswith(reasons)),
        holds_no_value(tables.facts(source.name)),
        types,
        _moment(source),
        renamed,
        renamed and own_conversion(ColumnPairContext(tables, source, target, conversion)).complete,
    )


def holds_no_value(facts: ColumnFacts | None) -> bool:
    """Returns whether every row was looked at and none holds a value."""
    return facts is not None and facts.filled == 0 and not facts.sampled


def _known_refusals(pair: ColumnPairContext) -> Refusals | None:
    """Returns what can be said without a server where NEW was not asked.

    None means that of no listed value it is known that NEW refuses it.
    """
    facts, target = pair.facts, pair.target
    values = facts.values if facts is not None else ()
    refused = [value for value in values if castable(target.type, value.value) is False]
    if not refused:
        return None
    return Refusals(
        *pair.refs,
        target.type.text,
        rows=sum(value.rows for value in refused),
        values=len(values),
        refused_values=len(refused),
        refused=tuple(value.value for value in refused),
        complete=facts is not None and facts.complete,
    )


def refusal_evidence(refusals: Refusals) -> Fact:
    """Returns which values NEW refuses, in words."""
    part = f"{refusals.refused_values} of {count_of(refusals.values, 'value')}"
    looked_at = "" if refusals.complete else " of those looked at"
    hold = "row holds a value" if refusals.rows == 1 else "rows hold values"
    text = f"{refusals.rows} {hold} that {refusals.type} refuses ({part}{looked_at})"
    return quoting(text, refusals.refused)


def _without_placeholder(pair: ColumnPairContext, refusals: Refusals | None) -> Mapping[str, Field]:
    """Returns an expression that turns the one refused value into NULL, where it stands for no value:
    ``0000-00-00``.
    """
    refused = refusals.refused if refusals is not None else ()
    from_text = pair.source.type.leaf.family is Family.STRING
    if len(refused) != 1 or not from_text or pair.target.refuses_null:
        return {}
    if not _PLACEHOLDER.fullmatch(refused[0]):
        return {}
    return {"transform_sql": f"nullif({reference(pair.source)}, '{refused[0]}')"}


def _prefilled(
    pair: ColumnPairContext,
    facts: ColumnFacts,
    evidence: tuple[Fact, ...],
    keep: frozenset[str] = frozenset(),
) -> Translation:
    """Returns a value mapping to be filled: OLD's values, with a placeholder for each that NEW does not
    ``keep``.
    """
    if len(facts.values) < facts.distinct or len(facts.values) > _MOST_PREFILLED:
        return Translation(evidence=evidence)
    values = [counted.value for counted in facts.values]
    mapping = {value: value if value in keep else SPECIFY_DEFAULT_VALUE for value in values}
    nulls = nulls_left(facts, pair.target, ())
    fields = {**pair.names, "action": "transform", "value_mapping": mapping, **nulls.fields}
    return Translation(fields, evidence=(*evidence, *nulls.evidence))


def between_types(pair: ColumnPairContext) -> Translation:
    """Returns an expression between two types that have several readings of each other, else a mapping to be
    filled.
    """
    way = way_between(reference(pair.source), pair.source.type.leaf, pair.target.type.leaf)
    if way is None:
        facts = pair.facts
        return _prefilled(pair, facts, ()) if facts is not None and facts.values else NO_TRANSLATION
    fields = {**pair.names, "action": "transform", "transform_sql": way.sql}
    return Translation(fields, evidence=(way.reading,))
