"""One column that becomes several."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence, Set

from tranship.model.catalog import Column
from tranship.model.evidence import ColumnFacts
from tranship.planning.deciding.suggest.concepts import (
    CONCEPTS,
    PERSON,
    Concept,
    Shape,
    called,
    parts_among,
)
from tranship.planning.deciding.suggest.guesses import Guess, matches, reference, share, text_literal
from tranship.planning.names.families import family
from tranship.planning.names.tokens import stems

Facts = Mapping[str, ColumnFacts | None]
"""Old column → what the data said of it; None where it was not asked."""

_MOST = 0.5
"""The share of the values that must fit a shape before it is proposed; the trial on the data counts all rows
then.
"""
_SEPARATORS = (" x ", "x", " - ", "-", "/", "|", ";", ",", ":", "_")
"""Between the parts of a value; those with blanks first, since the bare sign would leave the blanks in the
parts.
"""
_NUMBERS = ("integer", "decimal")


def splits(gone: Sequence[Column], come: Sequence[Column], facts: Facts) -> Iterator[Guess]:
    """Yields guesses that cut an old text into new columns: into known parts first, then at a separator."""
    texts = [column for column in gone if family(column.type) == "text"]
    for concept in CONCEPTS:
        for whole in called(texts, concept.whole):
            parts = parts_among(concept, _without(come, whole), frozenset(stems(whole.name)))
            had_parts = parts_among(concept, _without(gone, whole), frozenset()).keys() & parts.keys()
            # Where OLD had the parts beside the whole, they are renamed and the whole is dropped.
            if len(parts) > 1 and not had_parts:
                yield from _cut(concept, whole, parts, _values(facts.get(whole.name)))
    for whole in texts:
        yield from _by_separator(whole, come, _values(facts.get(whole.name)))


def _without(columns: Sequence[Column], whole: Column) -> list[Column]:
    return [column for column in columns if column.name != whole.name]


def _values(facts: ColumnFacts | None) -> tuple[str, ...]:
    """Returns the values that are more than blanks."""
    if facts is None:
        return ()
    return tuple(counted.value.strip() for counted in facts.values if counted.value.strip())


def _cut(
    concept: Concept, whole: Column, parts: Mapping[str, Column], values: tuple[str, ...]
) -> Iterator[Guess]:
    shape = _shape(concept, parts.keys(), values)
    if shape is None:
        return
    value, person = reference(whole), concept is PERSON
    evidence = tuple(_cut_evidence(whole, shape, parts.keys(), person=person))
    by_blank = person and shape.parts[0] == "first"
    # Of names only two words are surely a first and a last one.
    exact = r"[^\s,;/&()]+ [^\s,;/&()]+" if by_blank else shape.pattern
    commas = by_blank and any("," in text for text in values)
    if commas:
        evidence = (*evidence, "a name with a comma is taken for the last name before the first")
    provable = not person and set(shape.parts) <= parts.keys()
    for place, part in enumerate(shape.parts, 1):
        if part in parts:
            target = parts[part]
            sql = (
                _person_part(value, part, commas=commas) if by_blank else _group(value, shape, place, target)
            )
            fits = matches(value, exact)
            yield Guess((whole.name,), target.name, sql, fits, value, evidence, provable=provable)


def _shape(concept: Concept, parts: Set[str], values: tuple[str, ...]) -> Shape | None:
    """Returns the shape that most values have: one without a part that NEW lacks before others."""
    usable = [shape for shape in concept.shapes if len(set(shape.parts) & parts) > 1]
    fitting = [shape for shape in usable if share(shape.pattern, values) >= _MOST]
    whole = [shape for shape in fitting if set(shape.parts) <= parts]
    if whole or fitting:
        return (whole or fitting)[0]
    # Without a value to look at, a first name before a last one is how most people write it.
    return concept.shapes[-1] if concept is PERSON and not values else None


def _cut_evidence(whole: Column, shape: Shape, parts: Set[str], *, person: bool) -> Iterator[str]:
    yield f"cut out of '{whole.name}' as {', '.join(shape.parts)}"
    lost = [part for part in shape.parts if part not in parts]
    if lost:
        yield f"NEW has no column for: {', '.join(lost)}"
    if person:
        yield (
            "a name of more than two words is cut at the first blank; one of one word goes to the first part"
        )


def _person_part(value: str, part: str, *, commas: bool) -> str:
    first = f"split_part({value}, ' ', 1)"
    rest = f"strpos({value}, ' ') > 0 THEN substr({value}, strpos({value}, ' ') + 1) ELSE '' END"
    if not commas:
        return first if part == "first" else f"CASE WHEN {rest}"
    turned = f"CASE WHEN strpos({value}, ',') > 0 THEN"
    if part == "first":
        return f"{turned} btrim(substr({value}, strpos({value}, ',') + 1)) ELSE {first} END"
    return f"{turned} split_part({value}, ',', 1) WHEN {rest}"


def _group(value: str, shape: Shape, place: int, target: Column) -> str:
    """Returns one part; a text of another shape goes to the main part whole, and a number is refused by the
    server.
    """
    found = f"(regexp_match({value}, {text_literal(f'^{shape.pattern}$')}))[{place}]"
    if shape.parts[place - 1] == shape.main:
        return f"COALESCE({found}, {value})"
    if family(target.type) in _NUMBERS:
        return f"CAST(COALESCE({found}, {value}) AS numeric)"
    return found


def _by_separator(whole: Column, come: Sequence[Column], values: tuple[str, ...]) -> Iterator[Guess]:
    """Yields cuts into new columns that carry the whole's name (``size`` → ``size_width``, ``size_height``).

    Every value has to have as many separators as there are columns.
    """
    words = set(stems(whole.name))
    kin = [column for column in come if words < set(stems(column.name)) and _is_text_or_number(column)]
    if len(kin) < 2 or not values:
        return
    separator = _separator(values, len(kin))
    if separator is None:
        return
    value, piece = reference(whole), r"\s*[+-]?[0-9]+([.][0-9]+)?\s*"
    patterns = [".*" if family(column.type) == "text" else piece for column in kin]
    fits = matches(value, re.escape(separator).replace(r"\ ", " ").join(patterns))
    parts = f"every value seen has {len(kin)} parts between {separator!r}"
    evidence = (f"{parts}; that they stand in the order of NEW's columns is a guess",)
    for place, column in enumerate(kin, 1):
        cut = f"split_part({value}, {text_literal(separator)}, {place})"
        sql = cut if family(column.type) == "text" else f"CAST({cut} AS numeric)"
        yield Guess((whole.name,), column.name, sql, fits, value, evidence, provable=False)


def _is_text_or_number(column: Column) -> bool:
    return family(column.type) in ("text", *_NUMBERS)


def _separator(values: tuple[str, ...], parts: int) -> str | None:
    """Returns the first separator that cuts every value into so many parts."""
    for separator in _SEPARATORS:
        if all(value.count(separator) == parts - 1 for value in values):
            return separator
    return None
