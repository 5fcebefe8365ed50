"""What a name says about a whole number: that it is a number, a label, a coded value, or a row of a table.
Pure.
"""

from __future__ import annotations

from collections.abc import Iterable

from tranship.model.catalog import Catalog
from tranship.model.names import TableName
from tranship.planning.comparing.meaning.units import UNITS
from tranship.planning.names.tokens import stems

_NUMBER_WORDS = """
zip postal plz phone fax mobile cell msisdn number year version build revision release barcode ean upc isbn
issn gtin ssn ein tin vat serial
pin port iban imei imsi extension ext plate house
quantity count counter total subtotal amount sum price cost fee tax balance salary age size weight height
length width depth duration score
percent rate ratio latitude longitude epoch timestamp checksum crc sort attempt retry limit maximum minimum
average offset
"""
_NUMBERS = frozenset(_NUMBER_WORDS.split()) | frozenset(UNITS)
_LABELS = frozenset({"name", "title", "label", "caption", "heading", "description"})
_CODED_WORDS = """
status state type kind category class role gender sex priority severity level mode stage phase reason channel
method frequency visibility
plan tier grade group language locale country currency region nation province code unit department salutation
month weekday quarter season
color colour
"""
_CODED = frozenset(_CODED_WORDS.split())
_OWN_ROWS = frozenset(
    [
        "parent",
        "manager",
        "boss",
        "supervisor",
        "superior",
        "ancestor",
        "root",
        "original",
        "previous",
        "next",
        "predecessor",
        "successor",
        "replacement",
        "head",
        "master",
    ]
)
_DULL = frozenset({"id", "code", "key", "value", "type", "number", "table", "tbl", "data", "list"})
_TABLE_PREFIXES = frozenset({"tbl", "table", "t", "tab"})


def says_number(column: str) -> bool:
    """Returns whether a name speaks of a number as such: a telephone, a year, an amount, a measure with its
    unit.
    """
    return bool(_NUMBERS & set(stems(column)))


def says_label(column: str) -> bool:
    """Returns whether a name speaks of a text for people, such as ``name`` or ``title``."""
    return bool(_LABELS & set(stems(column)))


def says_code(column: str) -> bool:
    """Returns whether a name speaks of one of a few listed values, such as ``status``: numbers there stand
    for words.
    """
    return bool(_CODED & set(stems(column)))


def says_own_row(column: str, table: TableName) -> bool:
    """Returns whether a name speaks of another row of its own table: ``parent``, ``manager``, or the table's
    own word.
    """
    words = set(stems(column))
    return bool(words & _OWN_ROWS or (words & set(stems(table.name))) - _DULL)


def kinship(column: str, owner: TableName, table: TableName) -> int:
    """Returns how many words the name of ``table`` shares with a column of ``owner``; 0 where it shares none
    with the column itself.

    ``artist.sort_name`` and ``artist_name`` share two: the word of the column and, once that is there, the
    word of its table.
    """
    there = set(stems(table.name)) - _TABLE_PREFIXES
    words = set(stems(column))
    shared = there & ((words - _DULL) or words)
    return len(there & (words | set(stems(owner.name)))) if shared else 0


def resembles_a_table(column: str, owner: TableName, catalogs: Iterable[Catalog]) -> bool:
    """Returns whether a table of one of the catalogs is called after a column, so that its numbers may be
    keys of that table.
    """
    return any(
        table.name.name != owner.name and kinship(column, owner, table.name)
        for catalog in catalogs
        for table in catalog.tables
    )
