"""The built-in types of PostgreSQL as one table: every fact about a type that needs no server stands in its
row.

A type is keyed by its name in the catalog (``pg_type.typname``: ``int4``, never ``integer``). What the
families do is keyed by the same noun:
``planning/types`` judges conversions and reads texts, ``sql/types`` writes the predicates and canonical
texts. To add a type, add its row here; to add a family, add it here, in ``planning/types/table.py`` and in
``sql/types/table.py`` (a unit test names what is missing).
"""

from __future__ import annotations

import re
from enum import StrEnum

from msgspec import Struct


class Family(StrEnum):
    """Types that share their limits, their conversions and their SQL."""

    INTEGER = "integer"
    NUMERIC = "numeric"
    FLOAT = "float"
    MONEY = "money"
    BOOLEAN = "boolean"
    STRING = "string"
    BYTES = "bytes"
    DATE = "date"
    TIME = "time"
    TIMESTAMP = "timestamp"
    INTERVAL = "interval"
    UUID = "uuid"
    JSON = "json"
    XML = "xml"
    NETWORK = "network"
    HARDWARE = "hardware address"
    BITS = "bits"
    GEOMETRY = "geometry"
    SEARCH = "text search"
    JSON_PATH = "json path"
    OBJECT = "object identifier"
    SYSTEM = "system"
    PRIVILEGE = "privilege"


MOMENT_WORDS = ("now", "today", "tomorrow", "yesterday")
"""Words that the input functions of dates, times and timestamps read as the moment of reading (PostgreSQL
documentation, "Date/Time Types – Special Values").
"""


class Refusal(StrEnum):
    """When NEW's input function may refuse what OLD's type of the same name holds."""

    NEVER = ""
    OTHER_VERSION = "other version"
    """The grammar or a library behind the type differs between server versions."""
    MISSING_OBJECT = "missing object"
    """The value names an object of the catalog, which NEW may lack."""


class Builtin(Struct, frozen=True, kw_only=True):
    """One scalar type of ``pg_catalog``."""

    name: str
    """``pg_type.typname``."""
    family: Family
    printed: str
    """What ``format_type`` prints without a modifier; it can be used in SQL as it is."""
    bits: int = 0
    """Bits of an integer's magnitude: a value lies in -2**bits .. 2**bits - 1."""
    digits: int = 0
    """Decimal digits that an integer may need."""
    zoned: bool = False
    """The value is a moment or an offset, so that its wall-clock text depends on a time zone."""
    one_text: bool = False
    """A value has one text under the pinned settings: text holds it without loss."""
    cast_differs: bool = False
    """The SQL cast to text gives another text than the output function: true/false, no padding, the netmask
    always.
    """
    binary: bool = False
    """The binary form holds no OID and depends on no setting."""
    grew_in: int = 0
    """``server_version_num`` of the version that added values (infinity), which earlier versions refuse; 0:
    none.
    """
    binary_changed_in: int = 0
    """The version from which the same bytes mean another value; 0: none. Both sides must lie on one side of
    it for binary COPY.
    """
    refusal: Refusal = Refusal.NEVER

    @property
    def low(self) -> int:
        """An integer type's smallest value."""
        return -(1 << self.bits)

    @property
    def high(self) -> int:
        """An integer type's largest value."""
        return (1 << self.bits) - 1


def _several(
    family: Family,
    names: str,
    *,
    one_text: bool = False,
    binary: bool = False,
    refusal: Refusal = Refusal.NEVER,
) -> tuple[Builtin, ...]:
    """Returns the rows of types whose printed name is their catalog name."""
    return tuple(
        Builtin(name=name, family=family, printed=name, one_text=one_text, binary=binary, refusal=refusal)
        for name in names.split()
    )


_ROWS: tuple[Builtin, ...] = (
    Builtin(
        name="int2", family=Family.INTEGER, printed="smallint", bits=15, digits=5, one_text=True, binary=True
    ),
    Builtin(
        name="int4", family=Family.INTEGER, printed="integer", bits=31, digits=10, one_text=True, binary=True
    ),
    Builtin(
        name="int8", family=Family.INTEGER, printed="bigint", bits=63, digits=19, one_text=True, binary=True
    ),
    # Infinity came with PostgreSQL 14 for numeric and with 17 for interval (release notes). An interval's
    # infinity is written with the
    # bytes of the largest value of earlier versions (interval_send), whereas numeric marks it with a sign
    # that they refuse (numeric_recv).
    Builtin(
        name="numeric", family=Family.NUMERIC, printed="numeric", one_text=True, binary=True, grew_in=140000
    ),
    Builtin(name="float4", family=Family.FLOAT, printed="real", one_text=True, binary=True),
    Builtin(name="float8", family=Family.FLOAT, printed="double precision", one_text=True, binary=True),
    # The bytes count the smallest unit of the currency of lc_monetary.
    Builtin(name="money", family=Family.MONEY, printed="money"),
    Builtin(
        name="bool",
        family=Family.BOOLEAN,
        printed="boolean",
        one_text=True,
        binary=True,
        cast_differs=True,
    ),
    Builtin(name="text", family=Family.STRING, printed="text", binary=True),
    Builtin(name="varchar", family=Family.STRING, printed="character varying", binary=True),
    Builtin(name="bpchar", family=Family.STRING, printed="character", binary=True, cast_differs=True),
    Builtin(name="name", family=Family.STRING, printed="name", one_text=True, binary=True),
    Builtin(name="char", family=Family.STRING, printed='"char"', binary=True),
    Builtin(name="bytea", family=Family.BYTES, printed="bytea", binary=True),
    Builtin(name="date", family=Family.DATE, printed="date", one_text=True, binary=True),
    Builtin(name="time", family=Family.TIME, printed="time without time zone", one_text=True, binary=True),
    Builtin(
        name="timetz",
        family=Family.TIME,
        printed="time with time zone",
        zoned=True,
        one_text=True,
        binary=True,
    ),
    Builtin(
        name="timestamp",
        family=Family.TIMESTAMP,
        printed="timestamp without time zone",
        one_text=True,
        binary=True,
    ),
    Builtin(
        name="timestamptz",
        family=Family.TIMESTAMP,
        printed="timestamp with time zone",
        zoned=True,
        binary=True,
    ),
    Builtin(
        name="interval",
        family=Family.INTERVAL,
        printed="interval",
        one_text=True,
        binary=True,
        grew_in=170000,
        binary_changed_in=170000,
    ),
    Builtin(name="uuid", family=Family.UUID, printed="uuid", one_text=True, binary=True),
    *_several(Family.JSON, "json jsonb", one_text=True, binary=True),
    *_several(Family.XML, "xml", one_text=True, refusal=Refusal.OTHER_VERSION),
    Builtin(name="inet", family=Family.NETWORK, printed="inet", binary=True, cast_differs=True),
    Builtin(name="cidr", family=Family.NETWORK, printed="cidr", binary=True),
    *_several(Family.HARDWARE, "macaddr macaddr8", one_text=True, binary=True),
    Builtin(name="bit", family=Family.BITS, printed="bit", one_text=True, binary=True),
    Builtin(name="varbit", family=Family.BITS, printed="bit varying", one_text=True, binary=True),
    *_several(Family.GEOMETRY, "point line lseg box path polygon circle", binary=True),
    *_several(Family.SEARCH, "tsvector", binary=True),
    *_several(Family.SEARCH, "tsquery"),
    # The grammar of paths grew with PostgreSQL 13, 16 and 17 (release notes).
    *_several(Family.JSON_PATH, "jsonpath", refusal=Refusal.OTHER_VERSION),
    *_several(Family.OBJECT, "oid", one_text=True),
    *_several(
        Family.OBJECT,
        "regclass regcollation regconfig regdatabase regdictionary regnamespace regoper regoperator"
        " regproc regprocedure regrole regtype",
        refusal=Refusal.MISSING_OBJECT,
    ),
    *_several(Family.SYSTEM, "pg_lsn", one_text=True, binary=True),
    *_several(Family.SYSTEM, "xid xid8 cid tid", one_text=True),
    *_several(Family.SYSTEM, "pg_snapshot txid_snapshot"),
    *_several(Family.PRIVILEGE, "aclitem", refusal=Refusal.MISSING_OBJECT),
)

BUILTINS: dict[str, Builtin] = {row.name: row for row in _ROWS}
"""Every built-in scalar type that the program knows, by its catalog name."""

BINARY_RANGES = frozenset(
    {
        *("int4range", "int8range", "numrange", "tsrange", "tstzrange", "daterange"),
        *("int4multirange", "int8multirange", "nummultirange"),
        *("tsmultirange", "tstzmultirange", "datemultirange"),
    }
)
"""Built-in range types: their binary form is made of their bounds'."""


_BY_WORD = {row.printed: row for row in _ROWS} | BUILTINS


_MONEY_SAMPLE = re.compile(r"567(\D+)(89\d*)")


def money_format(printed_form: str) -> tuple[int, str]:
    """Returns the digits behind the point and the decimal point of a database's ``money``.

    ``printed_form`` is how it prints -1234567.89 (``lc_monetary`` decides); without one it is that of the
    locale C.
    """
    if not printed_form:
        return 2, "."
    found = _MONEY_SAMPLE.search(printed_form)
    return (len(found[2]), found[1]) if found is not None else (0, ".")


_UNITS = ("year", "month", "day", "hour", "minute", "second")


def smallest_unit(printed_interval: str) -> tuple[int, str]:
    """Returns the rank, from 0, and the name of the smallest unit that an interval type keeps.

    Only the last field counts: ``interval second`` keeps years, ``interval day`` drops hours (PostgreSQL
    documentation, "Interval Input").
    """
    fields = printed_interval.removeprefix("interval").split("(")[0].split()
    unit = fields[-1] if fields else _UNITS[-1]
    return _UNITS.index(unit), unit


def builtin_called(word: str) -> Builtin | None:
    """Returns the built-in type that a word names, as the catalog (``int4``) or as ``format_type`` calls it
    (``integer``).
    """
    return _BY_WORD.get(word)
