"""Columns that were split or joined: what names and types make plausible and the values then show."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from tranship.model.catalog import Column
from tranship.model.evidence import ColumnFacts
from tranship.planning.deciding.suggest.guesses import Guess, matches, reference, share, text_literal
from tranship.planning.names.families import family
from tranship.planning.names.tokens import squashed, stems

Facts = Mapping[str, ColumnFacts | None]

_MOST = 0.5
_DATE, _TIME, _STAMP, _ZONED = (
    "date",
    "time without time zone",
    "timestamp without time zone",
    "timestamp with time zone",
)


class Shape(Struct, frozen=True):
    """How a whole text is made of its parts: a pattern with one group per part, in order."""

    parts: tuple[str, ...]
    pattern: str
    main: str = ""
    """The part that takes a text that does not fit, so that nothing gets lost; empty: such a row is refused."""


class Concept(Struct, frozen=True):
    """A thing that schemas hold in one column or in several."""

    whole: frozenset[str]
    parts: Mapping[str, frozenset[str]]
    """Part → what its column may be called (squashed), also after a prefix."""
    shapes: tuple[Shape, ...]
    groups: tuple[tuple[str, ...], ...]
    """How the parts stand together in the whole, one group after the other."""
    between: str
    """What stands between two groups; inside of one it is a blank."""
    least: tuple[str, ...]
    """Parts that must be there."""


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_PERSON = Concept(
    _names(
        "name fullname displayname personname contactname customername employeename patientname ownername holdername completename"
    ),
    {
        "first": _names("firstname forename givenname fname vorname prenom"),
        "last": _names("lastname surname familyname lname nachname"),
    },
    (
        Shape(("last", "first"), r"([^,]+),\s*([^,]+)", "last"),
        Shape(("first", "last"), r"(\S+)\s+(\S.*)", "first"),
    ),
    (("first",), ("last",)),
    " ",
    ("first", "last"),
)
_ADDRESS = Concept(
    _names("address fulladdress postaladdress mailingaddress location adresse anschrift"),
    {
        "street": _names(
            "street streetaddress addressline addressline1 address1 line1 street1 streetname strasse"
        ),
        "zip": _names("zip zipcode postcode postalcode plz"),
        "city": _names("city town ort stadt locality"),
        "state": _names("state province region"),
        "country": _names("country land"),
    },
    (
        Shape(
            ("street", "city", "state", "zip"),
            r"(.+),\s*([^,]+),\s*([A-Z]{2})\s+([0-9]{5}(?:-[0-9]{4})?)",
            "street",
        ),
        Shape(("street", "zip", "city", "country"), r"(.+),\s*([0-9]{4,6})\s+([^,]+),\s*([^,]+)", "street"),
        Shape(("street", "zip", "city"), r"(.+),\s*([0-9]{4,6})\s+([^,]+)", "street"),
        Shape(("street", "city", "zip"), r"(.+),\s*([^,]+),\s*([0-9A-Z][0-9A-Z -]{2,9})", "street"),
        Shape(("street", "city"), r"(.+),\s*([^,]+)", "street"),
    ),
    (("street",), ("zip", "city"), ("state",), ("country",)),
    ", ",
    ("street", "city"),
)
_PHONE = Concept(
    _names("phone telephone tel mobile phonenumber telefon cell contactphone"),
    {
        "code": _names(
            "countrycode dialcode dialingcode callingcode phoneprefix phonecountrycode phonecountry prefix"
        ),
        "number": _names(
            "number phonenumber localnumber subscribernumber nationalnumber phonelocal phone telephone"
        ),
    },
    (Shape(("code", "number"), r"(\+[0-9]{1,3})[\s./-]+([0-9].*)", "number"),),
    (("code",), ("number",)),
    " ",
    ("code", "number"),
)
_PLACE = Concept(
    _names("latlng latlon latlong coordinates coordinate coords position location geo geolocation gps point"),
    {"lat": _names("lat latitude"), "lng": _names("lng lon long longitude")},
    (
        Shape(
            ("lat", "lng"), r"\s*([+-]?[0-9]{1,2}(?:[.][0-9]+)?)\s*[,;]\s*([+-]?[0-9]{1,3}(?:[.][0-9]+)?)\s*"
        ),
    ),
    (("lat",), ("lng",)),
    ",",
    ("lat", "lng"),
)
_AMOUNT = Concept(
    _names("price amount total cost fee salary balance money sum value"),
    {
        "amount": _names("amount price value total cost fee salary balance"),
        "currency": _names("currency currencycode ccy curr"),
    },
    (
        Shape(("amount", "currency"), r"([+-]?[0-9]+(?:[.][0-9]+)?)\s*([A-Z]{3}|[€$£¥])"),
        Shape(("currency", "amount"), r"([A-Z]{3}|[€$£¥])\s*([+-]?[0-9]+(?:[.][0-9]+)?)"),
    ),
    (("amount",), ("currency",)),
    " ",
    ("amount", "currency"),
)
_CONCEPTS = (_PERSON, _ADDRESS, _PHONE, _PLACE, _AMOUNT)


def part_guesses(gone: Sequence[Column], come: Sequence[Column], facts: Facts) -> list[Guess]:
    """Guesses for the columns that only one side has: splits, then merges, each new column once."""
    found: dict[str, Guess] = {}
    for guess in (
        *_splits(gone, come, facts),
        *_merges(gone, come),
        *_clocks(gone, come),
        *_places(gone, come),
        *_ranges(gone, come),
    ):
        found.setdefault(guess.target, guess)
    return list(found.values())


def _called(columns: Sequence[Column], names: frozenset[str]) -> list[Column]:
    """Columns of one of the names, those with a prefix (``billing_city``) included."""
    return [
        c
        for c in columns
        if squashed(c.name) in names
        or any(squashed(c.name).endswith(name) and len(name) > 2 and "_" in c.name for name in names)
    ]


def _parts_among(concept: Concept, columns: Sequence[Column], stem: frozenset[str]) -> dict[str, Column]:
    """Each part's column where exactly one is called like it, those that share a word with the whole before others."""
    found: dict[str, Column] = {}
    for part, names in concept.parts.items():
        called = [
            c for c in _called(columns, names) if c.name not in {other.name for other in found.values()}
        ]
        exact = [c for c in called if squashed(c.name) in names]
        kin = [c for c in called if stem & set(stems(c.name))]
        chosen = exact if len(exact) == 1 else kin if len(kin) == 1 else called
        if len(chosen) == 1:
            found[part] = chosen[0]
    return found


# --- one column becomes several ----------------------------------------------------------------------------------------------------


def _splits(gone: Sequence[Column], come: Sequence[Column], facts: Facts) -> Iterator[Guess]:
    for concept in _CONCEPTS:
        for whole in (c for c in _called(gone, concept.whole) if family(c.type) == "text"):
            parts = _parts_among(
                concept, [c for c in come if c.name != whole.name], frozenset(stems(whole.name))
            )
            if (
                len(parts) > 1
                and not _parts_among(concept, [c for c in gone if c.name != whole.name], frozenset()).keys()
                & parts.keys()
            ):
                yield from _cut(concept, whole, parts, _values(facts.get(whole.name)))
    for whole in gone:
        if family(whole.type) == "text":
            yield from _by_separator(whole, come, _values(facts.get(whole.name)))


def _values(facts: ColumnFacts | None) -> tuple[str, ...]:
    return (
        tuple(counted.value.strip() for counted in facts.values if counted.value.strip())
        if facts is not None
        else ()
    )


def _cut(
    concept: Concept, whole: Column, parts: Mapping[str, Column], values: tuple[str, ...]
) -> Iterator[Guess]:
    usable = [shape for shape in concept.shapes if len(set(shape.parts) & parts.keys()) > 1]
    shape = next(
        (s for s in usable if set(s.parts) <= parts.keys() and share(s.pattern, values) >= _MOST), None
    )
    shape = shape or next((s for s in usable if share(s.pattern, values) >= _MOST), None)
    if shape is None and concept is _PERSON and not values:
        shape = concept.shapes[-1]
    if shape is None:
        return
    value, lost = reference(whole), [part for part in shape.parts if part not in parts]
    person = concept is _PERSON
    exact = shape.pattern if not person or shape.parts[0] == "last" else r"\S+ \S+"
    for place, part in enumerate(shape.parts, 1):
        if part not in parts:
            continue
        told = [f"cut out of '{whole.name}' as {', '.join(shape.parts)}"]
        if lost:
            told.append(f"NEW has no column for: {', '.join(lost)}")
        if person:
            told.append(
                "a name of more than two words is cut at the first blank; one of one word goes to the first part"
            )
        sql = (
            _person_part(value, part)
            if person and shape.parts[0] == "first"
            else _group(value, shape, place, parts[part])
        )
        yield Guess(
            (whole.name,),
            parts[part].name,
            sql,
            matches(value, exact),
            value,
            tuple(told),
            provable=not person and not lost,
        )


def _person_part(value: str, part: str) -> str:
    if part == "first":
        return f"split_part({value}, ' ', 1)"
    return f"CASE WHEN strpos({value}, ' ') > 0 THEN substr({value}, strpos({value}, ' ') + 1) ELSE '' END"


def _group(value: str, shape: Shape, place: int, target: Column) -> str:
    """One part; a text of another shape goes to the main part whole, and a number is refused by the server."""
    found = f"(regexp_match({value}, {text_literal(f'^{shape.pattern}$')}))[{place}]"
    if shape.parts[place - 1] == shape.main:
        return f"COALESCE({found}, {value})"
    if family(target.type) in ("integer", "decimal"):
        return f"CAST(COALESCE({found}, {value}) AS numeric)"
    return found


def _by_separator(whole: Column, come: Sequence[Column], values: tuple[str, ...]) -> Iterator[Guess]:
    """New columns that carry the whole's name (``size`` → ``size_width``, ``size_height``), cut where every value has the same separators."""
    kin = [
        c
        for c in come
        if set(stems(whole.name)) < set(stems(c.name)) and family(c.type) in ("text", "integer", "decimal")
    ]
    if len(kin) < 2 or not values:
        return
    for separator in (" x ", "x", " - ", "-", "/", "|", ";", ",", ":", "_"):
        if not all(value.count(separator) == len(kin) - 1 for value in values):
            continue
        value = reference(whole)
        piece = r"\s*[+-]?[0-9]+([.][0-9]+)?\s*"
        patterns = [piece if family(c.type) != "text" else ".*" for c in kin]
        fits = matches(value, re.escape(separator).replace(r"\ ", " ").join(patterns))
        for place, column in enumerate(kin, 1):
            cut = f"split_part({value}, {text_literal(separator)}, {place})"
            sql = f"CAST({cut} AS numeric)" if family(column.type) != "text" else cut
            told = f"every value seen has {len(kin)} parts between {separator!r}; that they stand in the order of NEW's columns is a guess"
            yield Guess((whole.name,), column.name, sql, fits, value, (told,), provable=False)
        return


# --- several columns become one ----------------------------------------------------------------------------------------------------


def _merges(gone: Sequence[Column], come: Sequence[Column]) -> Iterator[Guess]:
    for concept in _CONCEPTS:
        for whole in _called(come, concept.whole):
            if family(whole.type) != "text" or _parts_among(
                concept, [c for c in come if c.name != whole.name], frozenset()
            ):
                continue
            parts = _parts_among(
                concept, [c for c in gone if c.name != whole.name], frozenset(stems(whole.name))
            )
            if set(concept.least) <= parts.keys():
                yield _join(concept, parts, whole)


def _join(concept: Concept, parts: Mapping[str, Column], whole: Column) -> Guess:
    values = {part: reference(parts[part]) for part in concept.parts if part in parts}
    groups = [[values[part] for part in group if part in values] for group in concept.groups]
    items = [
        group[0] if len(group) == 1 else f"concat_ws(' ', {', '.join(group)})" for group in groups if group
    ]
    sql = f"concat_ws({text_literal(concept.between)}, {', '.join(items)})"
    if not whole.refuses_null:
        sql = f"NULLIF({sql}, '')"
    there = " AND ".join(f"{value} IS NOT NULL" for value in values.values())
    shown = f"NULLIF(concat_ws(' | ', {', '.join(values.values())}), '')"
    told = "joined from its parts: how they are written together is yours to say; a part that is NULL is left out"
    sources = tuple(parts[part].name for part in concept.parts if part in parts)
    return Guess(sources, whole.name, sql, there, shown, (told,), provable=False)


def _clocks(gone: Sequence[Column], come: Sequence[Column]) -> Iterator[Guess]:
    """A date and a time become a timestamp, and back: by their types, where there is one of each, or by a shared word."""
    for stamp in (c for c in come if c.type.leaf.base in (_STAMP, _ZONED)):
        day, time = _of_type(gone, _DATE, stamp), _of_type(gone, _TIME, stamp)
        if day is not None and time is not None:
            values = reference(day), reference(time)
            fits = f"({values[0]} IS NULL) = ({values[1]} IS NULL)"
            shown = f"NULLIF(concat_ws(' ', {values[0]}, {values[1]}), '')"
            told = ["a date without a time becomes midnight"]
            if stamp.type.leaf.base == _ZONED:
                told.append("read in the time zone of OLD's database")
            sql = f"{values[0]} + COALESCE({values[1]}, '00:00')"
            yield Guess(
                (day.name, time.name),
                stamp.name,
                sql,
                fits,
                shown,
                tuple(told),
                provable=stamp.type.leaf.base == _STAMP,
            )
    for stamp in (c for c in gone if c.type.leaf.base == _STAMP):
        day, time = _of_type(come, _DATE, stamp), _of_type(come, _TIME, stamp)
        if day is not None and time is not None:
            value = reference(stamp)
            for column, base in ((day, "date"), (time, "time")):
                yield Guess(
                    (stamp.name,),
                    column.name,
                    f"CAST({value} AS {base})",
                    f"isfinite({value})",
                    value,
                    (f"the {base} of '{stamp.name}'",),
                )


def _places(gone: Sequence[Column], come: Sequence[Column]) -> Iterator[Guess]:
    """Two numbers become a point, and back; which of them is x is a convention."""
    told = "x is the longitude and y the latitude, as PostGIS has it: check"
    for whole in (c for c in come if c.type.leaf.base == "point"):
        parts = _parts_among(_PLACE, gone, frozenset(stems(whole.name)))
        if len(parts) == 2:
            lat, lng = reference(parts["lat"]), reference(parts["lng"])
            shown = f"NULLIF(concat_ws(', ', {lat}, {lng}), '')"
            fits = f"({lat} IS NULL) = ({lng} IS NULL)"
            yield Guess(
                (parts["lat"].name, parts["lng"].name),
                whole.name,
                f"point({lng}, {lat})",
                fits,
                shown,
                (told,),
                provable=False,
            )
    for whole in (c for c in gone if c.type.leaf.base == "point"):
        for part, column in _parts_among(_PLACE, come, frozenset(stems(whole.name))).items():
            value = reference(whole)
            sql = f"{value}[{1 if part == 'lat' else 0}]"
            yield Guess(
                (whole.name,),
                column.name,
                sql,
                f"{value} IS NOT NULL",
                f"CAST({value} AS text)",
                (told,),
                provable=False,
            )


def _of_type(columns: Sequence[Column], base: str, like: Column) -> Column | None:
    found = [c for c in columns if c.type.leaf.base == base]
    kin = [
        c
        for c in found
        if set(stems(c.name)) & set(stems(like.name)) - {"date", "time", "at", "on", "timestamp"}
    ]
    chosen = kin or found
    return chosen[0] if len(chosen) == 1 else None


def _ranges(gone: Sequence[Column], come: Sequence[Column]) -> Iterator[Guess]:
    """A range becomes its two ends, and back."""
    starts, ends = (
        _names("start begin from since lower validfrom"),
        _names("end finish until to upper validto validuntil"),
    )
    for whole in (c for c in gone if c.type.leaf.kind == "range" and c.type.leaf.element is not None):
        for names, function in ((starts, "lower"), (ends, "upper")):
            for column in (c for c in come if set(stems(c.name)) & names and c.type.leaf.element is None):
                value = reference(whole)
                told = f"{function} bound of '{whole.name}'; what is not bounded becomes NULL"
                fits = f"NOT isempty({value}) AND lower_inc({value}) AND NOT upper_inc({value})"
                yield Guess(
                    (whole.name,), column.name, f"{function}({value})", fits, value, (told,), provable=False
                )
    for whole in (c for c in come if c.type.leaf.kind == "range" and c.type.leaf.name is not None):
        bounds = [[c for c in gone if set(stems(c.name)) & names] for names in (starts, ends)]
        if all(len(found) == 1 for found in bounds):
            low, high = (reference(found[0]) for found in bounds)
            name = whole.type.leaf.base
            fits = f"({low} <= {high}) IS NOT FALSE"
            shown = f"NULLIF(concat_ws(' to ', {low}, {high}), '')"
            told = "the lower end belongs to the range, the upper one does not; an end that is NULL is open"
            yield Guess(
                (bounds[0][0].name, bounds[1][0].name),
                whole.name,
                f"{name}({low}, {high})",
                fits,
                shown,
                (told,),
                provable=False,
            )
