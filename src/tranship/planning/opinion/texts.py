"""The texts of values: one for all that servers print of the same value."""

from __future__ import annotations

import datetime
import json
import re
import struct
from decimal import Decimal

from tranship.model.builtin_types import Family
from tranship.model.types import PgType


class Refused(Exception):
    """NEW's type holds no such value."""


class Unsure(Exception):
    """What becomes of this one value is not known here."""


DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
TIME_OF_DAY = re.compile(DAY.pattern + r" [0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?", re.ASCII)
_OFFSET = r"([+-])([0-9]{2})(?::([0-9]{2}))?(?::([0-9]{2}))?"
MOMENT = re.compile(f"({TIME_OF_DAY.pattern}){_OFFSET}", re.ASCII)
TRUE = ("t", "tr", "tru", "true", "y", "ye", "yes", "on", "1")
FALSE = ("f", "fa", "fal", "fals", "false", "n", "no", "of", "off", "0")
"""What the input function of boolean reads: unique prefixes, too."""


def canonical(text: str, pg_type: PgType) -> str:
    """Returns one text for all texts by which servers print a value of a type.

    Raises:
        Unsure: the text of a moment that cannot be told in UTC, or of a document that Python cannot read.
    """
    leaf = pg_type.leaf
    match leaf.family:
        case Family.BOOLEAN:
            return "true" if text in TRUE else "false"
        case Family.FLOAT:
            return struct.pack(">f" if leaf.typname == "float4" else ">d", float(text)).hex()
        case Family.TIMESTAMP if leaf.typname == "timestamptz":
            return in_utc(text)
        case Family.STRING if leaf.typname == "bpchar":
            return text.rstrip(" ")
        case Family.JSON if leaf.typname == "jsonb":
            return _json(text)
        case _:
            return text


def in_utc(text: str) -> str:
    """Returns the text of a moment in UTC.

    Raises:
        Unsure: Python's calendar lacks it.
    """
    if text.lstrip("-").removesuffix("+00") == "infinity":
        return text.removesuffix("+00")
    found = MOMENT.fullmatch(text)
    if found is None:
        raise Unsure
    wall, _, sign, hours, minutes, seconds = found.groups()
    offset = datetime.timedelta(hours=int(hours), minutes=int(minutes or 0), seconds=int(seconds or 0))
    try:
        moved = parsed(wall) - (offset if sign == "+" else -offset)
    except (ValueError, OverflowError):
        raise Unsure from None
    return f"{printed(moved)}+00"


def parsed(text: str) -> datetime.datetime:
    whole, _, fraction = text.partition(".")
    return datetime.datetime.strptime(f"{whole}.{fraction.ljust(6, '0')}", "%Y-%m-%d %H:%M:%S.%f")


def printed(moment: datetime.datetime) -> str:
    return moment.isoformat(" ").rstrip("0") if moment.microsecond else moment.isoformat(" ")


def _json(text: str) -> str:
    """Returns the text of a document as jsonb keeps it: the last of equal keys, numbers with their digits.

    Raises:
        Unsure: it is nested too deeply for Python, or no document.
    """
    try:
        found = json.loads(text, parse_float=_digits, parse_int=_digits, parse_constant=str)
        return json.dumps(found, sort_keys=True)
    except (ValueError, ArithmeticError, RecursionError):
        raise Unsure from None


def _digits(text: str) -> dict[str, str]:
    """Returns a number so that it is no string of the document."""
    return {"\0": printed_number(Decimal(text))}


def printed_number(number: Decimal) -> str:
    printed = format(number, "f")
    # numeric has no negative zero.
    return printed.removeprefix("-") if number.is_zero() else printed
