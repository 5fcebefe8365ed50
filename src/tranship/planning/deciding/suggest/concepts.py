"""Things that schemas hold in one column or in several: persons, addresses, telephone numbers, places,
amounts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from tranship.model.catalog import Column
from tranship.planning.names.tokens import squashed, stems


class Shape(Struct, frozen=True):
    """How a whole text is made of its parts: a pattern with one group for each part, in order."""

    parts: tuple[str, ...]
    pattern: str
    main: str = ""
    """The part that takes a text of another shape, so that nothing gets lost; empty means that such a row is
    refused.
    """


class Concept(Struct, frozen=True):
    """A thing that schemas hold in one column or in several."""

    whole: frozenset[str]
    parts: Mapping[str, frozenset[str]]
    """Part → what its column may be called (squashed), also after a prefix."""
    shapes: tuple[Shape, ...]
    groups: tuple[tuple[str, ...], ...]
    """How the parts stand together in the whole, one group after the other."""
    between: str
    """What stands between two groups; inside of a group it is a blank."""
    least: tuple[str, ...]
    """Parts that must be there."""


def names_of(text: str) -> frozenset[str]:
    """Returns the words of a text as a set."""
    return frozenset(text.split())


PERSON = Concept(
    names_of(
        "name fullname displayname personname contactname customername employeename patientname ownername"
        " holdername completename"
    ),
    {
        "first": names_of("firstname forename givenname fname vorname prenom"),
        "last": names_of("lastname surname familyname lname nachname"),
    },
    (
        Shape(("last", "first"), r"([^,]+),\s*([^,]+)", "last"),
        Shape(("first", "last"), r"(\S+)\s+(\S.*)", "first"),
    ),
    (("first",), ("last",)),
    " ",
    ("first", "last"),
)
ADDRESS = Concept(
    names_of("address fulladdress postaladdress mailingaddress location adresse anschrift"),
    {
        "street": names_of(
            "street streetaddress addressline addressline1 address1 line1 street1 streetname strasse"
        ),
        "zip": names_of("zip zipcode postcode postalcode plz"),
        "city": names_of("city town ort stadt locality"),
        "state": names_of("state province region"),
        "country": names_of("country land"),
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
    names_of("phone telephone tel mobile phonenumber telefon cell contactphone"),
    {
        "code": names_of(
            "countrycode dialcode dialingcode callingcode phoneprefix phonecountrycode phonecountry prefix"
        ),
        "number": names_of(
            "number phonenumber localnumber subscribernumber nationalnumber phonelocal phone telephone"
        ),
    },
    (Shape(("code", "number"), r"(\+[0-9]{1,3})[\s./-]+([0-9].*)", "number"),),
    (("code",), ("number",)),
    " ",
    ("code", "number"),
)
PLACE = Concept(
    names_of(
        "latlng latlon latlong coordinates coordinate coords position location geo geolocation gps point"
    ),
    {"lat": names_of("lat latitude"), "lng": names_of("lng lon long longitude")},
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
    names_of("price amount total cost fee salary balance money sum value"),
    {
        "amount": names_of("amount price value total cost fee salary balance"),
        "currency": names_of("currency currencycode ccy curr"),
    },
    (
        Shape(("amount", "currency"), r"([+-]?[0-9]+(?:[.][0-9]+)?)\s*([A-Z]{3}|[€$£¥])"),
        Shape(("currency", "amount"), r"([A-Z]{3}|[€$£¥])\s*([+-]?[0-9]+(?:[.][0-9]+)?)"),
    ),
    (("amount",), ("currency",)),
    " ",
    ("amount", "currency"),
)
INSIDE = names_of(
    "houseno housenumber housenr houseno streetno streetnumber streetnr hausnummer hausnr apartment apt unit"
    " suite floor building addressline2 address2 line2 street2 middlename middle areacode extension ext"
)
"""What the columns are called of which a street, a name or a number may hold the value."""
CONCEPTS = (PERSON, ADDRESS, _PHONE, PLACE, _AMOUNT)


def called(columns: Sequence[Column], names: frozenset[str]) -> list[Column]:
    """Returns the columns of one of the names, those with a prefix (``billing_city``) included."""
    return [column for column in columns if squashed(column.name) in names or _has_prefix(column, names)]


def _has_prefix(column: Column, names: frozenset[str]) -> bool:
    # A name of two letters is the end of too many others.
    bare = squashed(column.name)
    return "_" in column.name and any(len(name) > 2 and bare.endswith(name) for name in names)


def parts_among(concept: Concept, columns: Sequence[Column], stem: frozenset[str]) -> dict[str, Column]:
    """Returns each part's column, where exactly one is called like it.

    Columns that share a word with the whole (``stem``) come before others, and exact names before those.
    """
    found: dict[str, Column] = {}
    for part, names in concept.parts.items():
        taken = {column.name for column in found.values()}
        candidates = [column for column in called(columns, names) if column.name not in taken]
        exact = [column for column in candidates if squashed(column.name) in names]
        kin = [column for column in candidates if stem & set(stems(column.name))]
        for chosen in (exact, kin, candidates):
            if len(chosen) == 1:
                found[part] = chosen[0]
                break
    return found
