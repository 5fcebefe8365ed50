"""Which texts the input functions of built-in types take, as far as that can be said without a server. Pure.

Each function takes the type (its modifier counts) and a text; None means that only the server knows.
"""

from __future__ import annotations

import json
import re
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, localcontext

from tranship.model.types import PgType

SPACES = " \t\n\r\f\v"
_BOOLEAN_WORDS = (("true", True), ("false", False), ("yes", True), ("no", False))
_BOOLEAN_EXACT = {"on": True, "of": False, "off": False, "1": True, "0": False}
_LONGEST_INTEGER = 400
"""Digits beyond which a text is no integer of PostgreSQL, so that Python need not read it."""


def unknown(pg_type: PgType, text: str) -> bool | None:
    """Says that only the server knows."""
    return None


def unchanged(text: str) -> str:
    """Returns the text: no two texts are known to be equal values."""
    return text


def integer(pg_type: PgType, text: str) -> bool | None:
    """Judges a text as an integer of the type's range; PostgreSQL 16 brought hexadecimal and underscores."""
    bare, row = text.strip(SPACES), pg_type.builtin
    if re.fullmatch(r"[+-]?[0-9]+", bare):
        return len(bare) < _LONGEST_INTEGER and row is not None and row.low <= int(bare) <= row.high
    return None if re.match(r"[+-]?0[xXoObB]|[+-]?[0-9]+_", bare) else False


def normal_integer(text: str) -> str:
    """Returns the digits without signs and zeros that do not count."""
    return str(int(text))


def numeric(pg_type: PgType, text: str) -> bool | None:
    """Judges a text as a numeric of the type's precision and scale; infinity came with PostgreSQL 14."""
    bare, modifiers = text.strip(SPACES).lower(), pg_type.modifiers
    if bare == "nan":
        return True
    if re.fullmatch(r"[+-]?inf(inity)?", bare):
        return None if not modifiers else False
    if re.match(r"[+-]?0[xob]|[+-]?[0-9]+_", bare):
        return None
    if not re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]{1,6})?", bare):
        return False
    return not modifiers or _fits_precision(Decimal(bare), modifiers)


def _fits_precision(value: Decimal, modifiers: tuple[int, ...]) -> bool:
    """Rounded to the scale, half away from zero, the value has no more digits before the point than there is
    room for.
    """
    precision, scale = modifiers[0], modifiers[1] if len(modifiers) > 1 else 0
    if value == 0 or value.adjusted() < precision - scale - 1:
        return True
    if value.adjusted() >= precision - scale:
        return False
    with localcontext() as context:
        context.prec = precision + 2
        rounded = value.quantize(Decimal(1).scaleb(-scale), rounding=ROUND_HALF_UP)
    return rounded.adjusted() < precision - scale


def floating(pg_type: PgType, text: str) -> bool | None:
    """Judges a text as a float; what may overflow or underflow is left to the server."""
    bare = text.strip(SPACES).lower()
    if re.fullmatch(r"[+-]?inf(inity)?|nan", bare):
        return True
    if not re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?", bare):
        return None if re.match(r"[+-]?0x", bare) else False
    return True if len(bare) < 30 and "e" not in bare else None


def boolean(pg_type: PgType, text: str) -> bool | None:
    """Judges a text as a boolean."""
    return _truth(text) is not None


def normal_boolean(text: str) -> str:
    """Returns ``True`` or ``False``."""
    return str(_truth(text))


def _truth(text: str) -> bool | None:
    """Unique prefixes of true, false, yes and no count, as ``parse_bool`` reads them."""
    bare = text.strip(SPACES).lower()
    if bare in _BOOLEAN_EXACT:
        return _BOOLEAN_EXACT[bare]
    if not bare:
        return None
    return next((value for word, value in _BOOLEAN_WORDS if word.startswith(bare)), None)


def string(pg_type: PgType, text: str) -> bool | None:
    """Judges a text by its length in characters; only excess spaces are cut."""
    if pg_type.typname in ("name", "char"):
        return None
    if "\0" in text:
        return False
    most = pg_type.modifiers[0] if pg_type.modifiers else len(text)
    return len(text) <= most or not text[most:].strip(" ")


def uuid(pg_type: PgType, text: str) -> bool | None:
    """Judges a text as a UUID."""
    bare = text[1:-1] if text.startswith("{") and text.endswith("}") else text
    if re.fullmatch(r"[0-9a-fA-F]{8}(-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}", bare):
        return True
    return None if len(re.sub(r"-", "", bare)) == 32 and re.fullmatch(r"[0-9a-fA-F-]+", bare) else False


def normal_uuid(text: str) -> str:
    """Returns the 32 digits."""
    return re.sub(r"[{}-]", "", text.lower())


def day(pg_type: PgType, text: str) -> bool | None:
    """Judges a text as an ISO date; every other form depends on DateStyle."""
    bare = text.strip(SPACES)
    iso = re.fullmatch(r"([0-9]{4})-([0-9]{2})-([0-9]{2})", bare)
    if iso is None:
        return None if bare else False
    try:
        date(*(int(part) for part in iso.groups()))
    except ValueError:
        return False
    return True


def document(pg_type: PgType, text: str) -> bool | None:
    """Judges a text as JSON; what Python and PostgreSQL read differently is left to the server."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return None if text.strip(SPACES) else False
    return True if "\\u0000" not in text and not re.search(r"NaN|Infinity|\\u[dD]", text) else None
