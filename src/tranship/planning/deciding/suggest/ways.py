"""Expressions from a type to another one where the server converts by itself only when it is told to. Pure.

Each is one reading of several, so that none is ever filled in. A value that has no such reading raises an
error, which rejects its row: an expression that turned it into NULL would lose it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from tranship.model.builtin_types import Family
from tranship.model.types import PgType, TypeKind
from tranship.planning.matching.scope import quoted


class Way(Struct, frozen=True):
    """An expression, and how it reads the old value, in words."""

    sql: str
    reading: str


_WHOLE: Final = ("int2", "int4", "int8")
_NUMBERS: Final = (*_WHOLE, "numeric", "float4", "float8")
_CLOCKS: Final = ("timestamp", "timestamptz", "time", "interval")
_OF_JSON: Final = (*_NUMBERS, "bool", "uuid", "date", "timestamp", "timestamptz", "time", "interval", "inet")
_DOCUMENTS: Final = ("json", "jsonb")
_SEVERAL: Final = "the two types have several readings of each other: choose one"


def way_between(value: str, old: PgType, new: PgType) -> Way | None:
    """Returns how a value of one type is written as one of the other; None where no way is known.

    ``value`` is the old column as an expression names it; both types are without their domains.
    """
    found = (way(value, old, new) for way in _WAYS)
    return next((way for way in found if way is not None), None)


def _bytes(value: str, old: PgType, new: PgType) -> Way | None:
    ways = {
        ("bytea", "text"): f"encode({value}, 'hex')",
        ("text", "bytea"): f"convert_to({value}, 'UTF8')",
        ("uuid", "bytea"): f"decode(replace(CAST({value} AS text), '-', ''), 'hex')",
        ("bytea", "uuid"): f"CAST(encode({value}, 'hex') AS uuid)",
    }
    sql = ways.get((old.typname, new.typname))
    if sql is None:
        return None
    return Way(sql, _SEVERAL if "text" in (old.typname, new.typname) else "read as the 16 bytes of a uuid")


def _bits(value: str, old: PgType, new: PgType) -> Way | None:
    bits = new.modifiers[0] if new.modifiers else 1
    if new.typname == "bit" and old.typname in ("int4", "int8"):
        return Way(f"CAST({value} AS {new.text})", f"the lowest {bits} bits of the number, no others")
    if new.typname in ("int4", "int8") and old.typname == "bit":
        return Way(f"CAST({value} AS {new.text})", "read as a number in base 2")
    if new.typname == "bit" and old.family is Family.BITS:
        return Way(
            f"CAST({value} AS {new.text})", f"zeros follow up to {bits} bits, and further bits are cut"
        )
    return None


def _truth(value: str, old: PgType, new: PgType) -> Way | None:
    if old.typname == "bool" and new.typname in _NUMBERS:
        return Way(f"CAST({value} AS integer)", "true becomes 1 and false 0")
    if new.typname != "bool":
        return None
    if old.typname in _NUMBERS:
        return Way(f"{value} <> 0", "0 becomes false and every other number true")
    if old.typname in ("date", "timestamp", "timestamptz"):
        return Way(f"{value} IS NOT NULL", "true where OLD holds a moment; the moment itself is left behind")
    return None


def _into_json(value: str, old: PgType, new: PgType) -> Way | None:
    if new.typname not in _DOCUMENTS:
        return None
    if old.extension == "hstore" and old.name is not None:
        function = f"{quoted(old.name.schema)}.hstore_to_{new.typname}"
        return Way(f"{function}({value})", "an object whose values are texts or null")
    if old.family is Family.STRING:
        under = f"{new.typname}_build_object('en', {value})"
        return Way(
            f"to_{new.typname}({value})", f"a JSON string of the text; an object with it under a key: {under}"
        )
    whole = old.kind in (TypeKind.ARRAY, TypeKind.COMPOSITE)
    reading = {TypeKind.ARRAY: "a list", TypeKind.COMPOSITE: "an object of the attributes"}
    plain = old.typname in _NUMBERS or old.typname in ("bool", "uuid", "date", *_CLOCKS)
    if not whole and not plain:
        return None
    return Way(
        f"to_{new.typname}({value})", reading.get(old.kind, "a single value: a number, truth value or text")
    )


def _out_of_json(value: str, old: PgType, new: PgType) -> Way | None:
    if old.typname not in _DOCUMENTS:
        return None
    if new.typname in _OF_JSON:
        sql = f"CAST({value} #>> '{{}}' AS {new.text})"
        return Way(
            sql,
            "read as a single value, in quotes or without; null becomes NULL, a list or an object is refused",
        )
    if new.kind is not TypeKind.ARRAY or new.element is None:
        return None
    element = new.element.typname
    if element not in (*_OF_JSON, "text", "varchar"):
        return None
    items = f"ARRAY(SELECT {old.typname}_array_elements_text({value}))"
    items = items if element == "text" else f"CAST({items} AS {new.text})"
    sql = f"CASE WHEN {old.typname}_typeof({value}) <> 'null' THEN {items} END"
    return Way(sql, "read as a list of single values; null becomes NULL, anything but a list is refused")


def _out_of_time(value: str, old: PgType, new: PgType) -> Way | None:
    if new.typname not in _NUMBERS:
        return None
    if old.typname == "date":
        day = f"CAST(to_char({value}, 'YYYYMMDD') AS integer)"
        return Way(day, f"year, month and day in one number; days since 1970 are {value} - date '1970-01-01'")
    if old.typname not in _CLOCKS:
        return None
    seconds = f"extract(epoch FROM {value})"
    since = "" if old.typname in ("time", "interval") else " since 1970"
    zone = ", the clock read as UTC" if old.typname == "timestamp" else ""
    if new.typname not in _WHOLE:
        return Way(seconds, f"seconds{since}{zone}; does NEW count milliseconds?")
    return Way(f"floor({seconds})", f"whole seconds{since}{zone}; does NEW count milliseconds?")


def _addresses(value: str, old: PgType, new: PgType) -> Way | None:
    if (old.typname, new.typname) == ("inet", "int8"):
        return Way(f"{value} - inet '0.0.0.0'", "the number of an IPv4 address; another one is refused")
    if old.typname in ("int4", "int8") and new.typname == "inet":
        return Way(f"inet '0.0.0.0' + {value}", "read as the number of an IPv4 address")
    return None


def _into_list(value: str, old: PgType, new: PgType) -> Way | None:
    if new.kind is not TypeKind.ARRAY or new.element is None or old.kind is not TypeKind.BASE:
        return None
    if not old.typname or old.typname != new.element.typname:
        return None
    return Way(f"CASE WHEN {value} IS NOT NULL THEN ARRAY[{value}] END", "a list of this one value")


def _into_multirange(value: str, old: PgType, new: PgType) -> Way | None:
    if old.kind is not TypeKind.RANGE or new.kind is not TypeKind.MULTIRANGE or new.element is None:
        return None
    if not old.typname or new.element.typname != old.typname:
        return None
    return Way(f"{new.typname}({value})", "this one range")


_WAYS: Final[tuple[Callable[[str, PgType, PgType], Way | None], ...]] = (
    _bytes,
    _bits,
    _truth,
    _into_json,
    _out_of_json,
    _out_of_time,
    _addresses,
    _into_list,
    _into_multirange,
)
