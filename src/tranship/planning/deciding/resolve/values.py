"""Whether a text can be a value of a type, as far as it can be said without a server."""

from __future__ import annotations

import json
import re
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, localcontext

from tranship.model.types import PgType, TypeKind

_INTEGER_LIMITS = {"smallint": 15, "integer": 31, "bigint": 63}
_BOOLEAN_WORDS = (("true", True), ("false", False), ("yes", True), ("no", False))
_BOOLEAN_EXACT = {"on": True, "of": False, "off": False, "1": True, "0": False}
_SPACES = " \t\n\r\f\v"


def castable(type: PgType, text: str) -> bool | None:
    """Say whether the input function of ``type`` takes ``text`` (its modifier included); None: only the server knows."""
    match type.kind:
        case TypeKind.ENUM:
            return text in type.labels
        case TypeKind.DOMAIN:
            inner = castable(type.element, text) if type.element is not None else None
            return None if inner and type.checks else inner
        case TypeKind.BASE:
            return _base(type, text)
        case TypeKind.ARRAY | TypeKind.COMPOSITE | TypeKind.RANGE | TypeKind.MULTIRANGE:
            return False if not text.strip(_SPACES) else None
        case TypeKind.PSEUDO:
            return None


def canonical(type: PgType, text: str) -> str:
    """The same text for values that the type's ``=`` takes for equal, where that is known here; else the text itself."""
    leaf = type.leaf
    if castable(leaf, text) is not True or leaf.kind is not TypeKind.BASE:
        return text
    if leaf.base in _INTEGER_LIMITS:
        return str(int(text))
    if leaf.base == "boolean":
        return str(_boolean(text))
    if leaf.base == "character":
        return text.rstrip(" ")
    if leaf.base == "uuid":
        return re.sub(r"[{}-]", "", text.lower())
    return text


def holds_text(type: PgType) -> bool:
    """The type's input function takes every text (lengths and domain checks apart)."""
    return type.leaf.kind is TypeKind.BASE and type.leaf.base in ("text", "character varying", "character")


def _base(type: PgType, text: str) -> bool | None:
    match type.base:
        case "smallint" | "integer" | "bigint":
            return _integer(_INTEGER_LIMITS[type.base], text)
        case "numeric":
            return _numeric(type.modifiers, text)
        case "real" | "double precision":
            return _float(text)
        case "boolean":
            return _boolean(text) is not None
        case "text":
            return "\0" not in text
        case "character varying" | "character":
            return _fits(type, text)
        case "uuid":
            return _uuid(text)
        case "date":
            return _date(text)
        case "json" | "jsonb":
            return _json(text)
        case _:
            return None


def _integer(bits: int, text: str) -> bool | None:
    bare = text.strip(_SPACES)
    if re.fullmatch(r"[+-]?[0-9]+", bare):
        return -(2**bits) <= int(bare) < 2**bits if len(bare) < 400 else False
    if re.match(r"[+-]?0[xXoObB]|[+-]?[0-9]+_", bare):
        return None
    return False


def _numeric(modifiers: tuple[int, ...], text: str) -> bool | None:
    bare = text.strip(_SPACES).lower()
    if bare == "nan":
        return True
    if re.fullmatch(r"[+-]?inf(inity)?", bare):
        return None if not modifiers else False
    if re.match(r"[+-]?0[xob]|[+-]?[0-9]+_", bare):
        return None
    if not re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]{1,6})?", bare):
        return False
    if not modifiers:
        return True
    precision, scale = modifiers[0], modifiers[1] if len(modifiers) > 1 else 0
    value = Decimal(bare)
    if value == 0 or value.adjusted() < precision - scale - 1:
        return True
    if value.adjusted() >= precision - scale:
        return False
    with localcontext() as context:
        context.prec = precision + 2
        rounded = value.quantize(Decimal(1).scaleb(-scale), rounding=ROUND_HALF_UP)
    return rounded.adjusted() < precision - scale


def _float(text: str) -> bool | None:
    bare = text.strip(_SPACES).lower()
    if re.fullmatch(r"[+-]?inf(inity)?|nan", bare):
        return True
    if not re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?", bare):
        return None if re.match(r"[+-]?0x", bare) else False
    return True if len(bare) < 30 and "e" not in bare else None


def _boolean(text: str) -> bool | None:
    bare = text.strip(_SPACES).lower()
    if bare in _BOOLEAN_EXACT:
        return _BOOLEAN_EXACT[bare]
    if not bare:
        return None
    return next((value for word, value in _BOOLEAN_WORDS if word.startswith(bare)), None)


def _fits(type: PgType, text: str) -> bool:
    if "\0" in text:
        return False
    if not type.modifiers:
        return True
    return len(text) <= type.modifiers[0] or not text[type.modifiers[0] :].strip(" ")


def _uuid(text: str) -> bool | None:
    bare = text[1:-1] if text.startswith("{") and text.endswith("}") else text
    if re.fullmatch(r"[0-9a-fA-F]{8}(-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}", bare):
        return True
    return None if len(re.sub(r"-", "", bare)) == 32 and re.fullmatch(r"[0-9a-fA-F-]+", bare) else False


def _date(text: str) -> bool | None:
    bare = text.strip(_SPACES)
    iso = re.fullmatch(r"([0-9]{4})-([0-9]{2})-([0-9]{2})", bare)
    if iso is None:
        return None if bare else False
    try:
        date(*(int(part) for part in iso.groups()))
    except ValueError:
        return False
    return True


def _json(text: str) -> bool | None:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return None if text.strip(_SPACES) else False
    return True if "\\u0000" not in text and not re.search(r"NaN|Infinity|\\u[dD]", text) else None
