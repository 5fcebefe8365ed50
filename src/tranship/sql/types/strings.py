"""SQL about strings."""

from __future__ import annotations

from collections.abc import Iterator

from tranship.model.builtin_types import Builtin, Family, money_format
from tranship.model.expression import Loss
from tranship.model.names import TableName
from tranship.model.types import PgType
from tranship.sql.quote import literal
from tranship.sql.types.family import Change, as_text
from tranship.sql.types.moments import date_order_applied, moment_read, zone_applied
from tranship.sql.types.numbers import number_changed

_PLAIN = frozenset({"text", "varchar", "bpchar"})
"""Strings that are not cut silently, as ``name`` and ``"char"`` are."""
_MOST_LABELS = 200
_NUMBER = r"^\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?\s*$"
"""Numbers that OLD reads as numeric on every version; at most three digits of an exponent fit a numeric."""
_NUMERIC = PgType("numeric", "numeric", name=TableName("pg_catalog", "numeric"))


def byte_text(value: str) -> str:
    """Returns SQL for the text of a "char", as PostgreSQL prints it from version 15 on: ``\\ooo`` above 127.

    Earlier versions print the bare byte, which is no text in most encodings.
    """
    byte = f"(256 + CAST({value} AS pg_catalog.int4))"
    digits = " || ".join(f"({byte} / {place} % 8)" for place in (64, 8, 1))
    above = f"CAST({value} AS pg_catalog.int4) < 0"
    return f"CASE WHEN {above} THEN '\\' || {digits} ELSE {as_text(value)} END"


def canonical_string(value: str, row: Builtin) -> str:
    """Returns the text of a string, which is the same on every version."""
    return byte_text(value) if row.name == "char" else as_text(value)


def is_plain(pg_type: PgType) -> bool:
    """Says whether a type is ``text``, ``varchar`` or ``char(n)``."""
    return pg_type.typname in _PLAIN


def short_enough(value: str, new: PgType, *, in_bytes: bool) -> str | None:
    """Returns a predicate for strings that fit NEW's plain string type. ``in_bytes``: NEW measures texts in
    bytes of UTF8.
    """
    if not new.modifiers:
        return "true" if new.base != "character" else f"{_length(value, in_bytes)} <= 1"
    return f"{_length(value, in_bytes)} <= {new.modifiers[0]}"


def _length(value: str, in_bytes: bool) -> str:
    plain = as_text(value)
    if in_bytes:
        return f"pg_catalog.octet_length(pg_catalog.convert_to({plain}, 'UTF8'))"
    return f"pg_catalog.char_length({plain})"


def shaped(value: str, shape: str) -> str:
    """Returns a predicate for strings of a shape, whatever the collation."""
    return f'{as_text(value)} COLLATE pg_catalog."C" ~ {literal(shape)}'


def is_label(value: str, new: PgType) -> str | None:
    """Returns a predicate for strings and labels that are labels of NEW's enum; None where there are too many
    to list.
    """
    if not 0 < len(new.labels) <= _MOST_LABELS:
        return None
    labels = ", ".join(literal(label) for label in new.labels)
    return f'{as_text(value)} COLLATE pg_catalog."C" IN ({labels})'


def string_changed(value: str, old: PgType, new: PgType, zone: str) -> Change | None:
    """Returns the rows with a string whose trailing spaces are cut, or of which the type that reads it keeps
    a part; by the shape of the text, since it is NEW that reads it.
    """
    exact = f'{as_text(value)} COLLATE pg_catalog."C"'
    match new.family:
        case Family.STRING if new.typname == "bpchar" and old.typname != "bpchar":
            return Loss.CUT_SPACES, " AND ".join((f"{exact} LIKE '% '", *_fits_cut(value, new)))
        case Family.STRING if new.modifiers:
            longer = f"{_length(value, in_bytes=False)} > {new.modifiers[0]}"
            return Loss.CUT_SPACES, " AND ".join((longer, *_fits_cut(value, new)))
        case Family.JSON if new.typname == "jsonb" and old.typname != "jsonb":
            text = as_text(value)
            return Loss.KEYS, f"{text} IS JSON AND NOT {text} IS JSON WITH UNIQUE KEYS"
        case Family.NUMERIC | Family.FLOAT | Family.MONEY:
            return _number_read(exact, new, zone)
        case Family.DATE | Family.TIME | Family.TIMESTAMP | Family.INTERVAL:
            return moment_read(exact, new)
        case _:
            return None


def read_by_settings(value: str, new: PgType) -> Iterator[Change]:
    """Yields the rows with a string that NEW reads in a time zone, or in an order of day and month, which it
    does not say itself.
    """
    exact = f'{as_text(value)} COLLATE pg_catalog."C"'
    found = zone_applied(exact, new), date_order_applied(exact, new)
    yield from (change for change in found if change is not None)


def _fits_cut(value: str, new: PgType) -> list[str]:
    """Returns that a string fits once its trailing spaces are cut: else it is refused, and not changed."""
    if not new.modifiers:
        return []
    return [f"pg_catalog.length(pg_catalog.rtrim({as_text(value)})) <= {new.modifiers[0]}"]


def _number_read(text: str, new: PgType, zone: str) -> Change | None:
    if new.family is Family.MONEY and money_format(new.printed_form)[1] != ".":
        return None
    found = number_changed(f"CAST({text} AS pg_catalog.numeric)", _NUMERIC, new, zone)
    if found is None:
        return None
    loss, predicate = found
    return loss, f"CASE WHEN {text} ~ {literal(_NUMBER)} THEN {predicate} ELSE false END"
