"""How one built-in scalar type becomes another: the lists of the specification, pair by pair."""

from __future__ import annotations

from collections.abc import Callable

from tranship.model.expression import Conversion, Loss, Rule
from tranship.model.types import PgType

SAME = Conversion(Rule.SAME, automatic=True)
_CAST = Conversion(Rule.OLD_CAST, automatic=True)

_INTEGER_DIGITS = {"int2": 5, "int4": 10, "int8": 19}
_INTEGER_ORDER = {"int2": 0, "int4": 1, "int8": 2}
_FLOATS = frozenset({"float4", "float8"})
_NUMBERS = frozenset({"int2", "int4", "int8", "numeric", "float4", "float8", "money"})
_UNBOUNDED_PRECISION = 6
STRINGS = frozenset({"text", "varchar", "bpchar", "name", "char"})
_CLOCK = frozenset({"date", "time", "timetz", "timestamp", "timestamptz"})
_ONE_TEXT = frozenset(
    {
        "int2",
        "int4",
        "int8",
        "numeric",
        "float4",
        "float8",
        "bool",
        "uuid",
        "date",
        "timestamp",
        "time",
        "timetz",
        "interval",
        "bit",
        "varbit",
    }
    | {"json", "jsonb", "xml", "macaddr", "macaddr8", "name", "oid", "xid", "xid8", "cid", "tid", "pg_lsn"}
)
"""Types with one text per value, whatever the session's settings (the pinned ones aside): text holds them without loss."""


def no_conversion(why: str) -> Conversion:
    """Nothing that a bare transform could mean."""
    return Conversion(Rule.NEW_INPUT, automatic=False, fallible=True, bare=False, why=why)


def asked(rule: Rule, why: str, *, fallible: bool = True, loss: Loss = Loss.NONE) -> Conversion:
    """A conversion that exists and that a person has to want."""
    return Conversion(rule, automatic=False, fallible=fallible, loss=loss, why=why)


def scalar(o: str, n: str, old: PgType, new: PgType, new_version: int) -> Conversion:
    """The judgement of two built-in scalar types by their catalog names (``int4``, ``varchar``); ``old`` and ``new`` bring the modifiers."""
    if o == n:
        return _SAME_NAME.get(o, _other_modifier)(old, new)
    if n in STRINGS:
        return _to_string(o, n, old, new)
    if o in STRINGS:
        return _from_string(o, n, new)
    if o in _NUMBERS and n in _NUMBERS:
        return _number(o, n, old, new, new_version)
    if o in _CLOCK and n in _CLOCK:
        return _clock(o, n, new)
    if (o, n) == ("bit", "varbit"):
        return _bit_to_varbit(old, new)
    return _OTHER_PAIRS.get(
        (o, n),
        no_conversion(
            "the types have nothing in common: give a transform_sql, a value_mapping or a lookup_table"
        ),
    )


# --- the same type with another modifier -------------------------------------------------------------------------------------------


def _length(old: PgType, new: PgType, loss: Loss) -> Conversion:
    if not new.modifiers or (old.modifiers and old.modifiers[0] <= new.modifiers[0]):
        return SAME
    was = str(old.modifiers[0]) if old.modifiers else "unlimited"
    return asked(Rule.NEW_INPUT, f"the length shrinks from {was} to {new.modifiers[0]}", loss=loss)


def _varchar(old: PgType, new: PgType) -> Conversion:
    return _length(old, new, Loss.CUT_SPACES)


def _varbit(old: PgType, new: PgType) -> Conversion:
    return _length(old, new, Loss.NONE)


def _bpchar(old: PgType, new: PgType) -> Conversion:
    if old.modifiers == new.modifiers:
        return SAME
    if not new.modifiers or (old.modifiers and old.modifiers[0] < new.modifiers[0]):
        return asked(Rule.NEW_INPUT, "the padding of a char(n) changes with its length", fallible=False)
    return _length(old, new, Loss.CUT_SPACES)


def _bit(old: PgType, new: PgType) -> Conversion:
    if old.modifiers == new.modifiers:
        return SAME
    return no_conversion(
        "a bit(n) holds exactly n bits: say with transform_sql on which side bits are added or cut"
    )


def _bit_to_varbit(old: PgType, new: PgType) -> Conversion:
    length = _length(old, new, Loss.NONE)
    return _CAST if length is SAME else length


def _numeric(old: PgType, new: PgType) -> Conversion:
    if not new.modifiers:
        return SAME
    precision, scale = _numeric_modifiers(new)
    if not old.modifiers:
        return asked(
            Rule.NEW_INPUT, f"any numeric does not fit numeric({precision},{scale})", loss=Loss.ROUNDED
        )
    old_precision, old_scale = _numeric_modifiers(old)
    if scale >= old_scale and precision - scale >= old_precision - old_scale:
        return SAME
    what = "the scale shrinks" if scale < old_scale else "fewer digits before the point"
    loss = Loss.ROUNDED if scale < old_scale else Loss.NONE
    return asked(
        Rule.NEW_INPUT,
        f"{what}: numeric({old_precision},{old_scale}) to numeric({precision},{scale})",
        loss=loss,
    )


def _numeric_modifiers(numeric: PgType) -> tuple[int, int]:
    return numeric.modifiers[0], numeric.modifiers[1] if len(numeric.modifiers) > 1 else 0


def _precision(old: PgType, new: PgType) -> Conversion:
    was, now = (t.modifiers[0] if t.modifiers else _UNBOUNDED_PRECISION for t in (old, new))
    if now >= was:
        return SAME
    return asked(
        Rule.NEW_INPUT,
        f"the precision shrinks from {was} to {now} digits of a second",
        fallible=False,
        loss=Loss.ROUNDED,
    )


def _interval(old: PgType, new: PgType) -> Conversion:
    fields = _interval_fields(new)
    if fields and fields != _interval_fields(old):
        return asked(
            Rule.NEW_INPUT, f"interval {fields} drops the other fields", fallible=False, loss=Loss.TRUNCATED
        )
    return _precision(old, new)


def _interval_fields(interval: PgType) -> str:
    """``year to month`` of ``interval year to month``; empty: all fields."""
    return interval.text.removeprefix("interval").split("(")[0].strip()


def _other_modifier(old: PgType, new: PgType) -> Conversion:
    if old.modifiers == new.modifiers or not new.modifiers:
        return SAME
    return asked(Rule.NEW_INPUT, "the modifier changes")


_SAME_NAME: dict[str, Callable[[PgType, PgType], Conversion]] = {
    "varchar": _varchar,
    "varbit": _varbit,
    "bpchar": _bpchar,
    "bit": _bit,
    "numeric": _numeric,
    "time": _precision,
    "timetz": _precision,
    "timestamp": _precision,
    "timestamptz": _precision,
    "interval": _interval,
}


# --- strings -----------------------------------------------------------------------------------------------------------------------


def _to_string(o: str, n: str, old: PgType, new: PgType) -> Conversion:
    if o == "bytea":
        return no_conversion(
            "bytea and text: only a person knows whether hex or an encoding is meant; give a transform_sql"
        )
    if n in ("name", "char"):
        return no_conversion(f"the server would cut values to fit {new.text} without a word")
    if n == "bpchar":
        return asked(Rule.NEW_INPUT, "a char(n) pads with spaces", loss=Loss.CUT_SPACES)
    if o in ("text", "varchar"):
        return (
            SAME
            if not new.modifiers
            else _length(old if o == "varchar" else new_unbounded(old), new, Loss.CUT_SPACES)
        )
    if o == "bpchar":
        fits = not new.modifiers or (bool(old.modifiers) and old.modifiers[0] <= new.modifiers[0])
        return asked(Rule.NEW_INPUT, "the padding of char(n) is dropped", fallible=not fits)
    if new.modifiers:
        return asked(
            Rule.NEW_INPUT,
            f"the text may not fit {new.modifiers[0]} characters",
            loss=Loss.CUT_SPACES if o == "char" else Loss.NONE,
        )
    return to_text(o)


def new_unbounded(old: PgType) -> PgType:
    """A text column for the length rules: no modifier."""
    return PgType(text=old.text, base=old.base, kind=old.kind, name=old.name)


def to_text(o: str) -> Conversion:
    """A built-in scalar as unlimited text."""
    if o in _ONE_TEXT:
        return _CAST
    if o == "timestamptz":
        return asked(
            Rule.OLD_CAST,
            "the text is written in the time zone of the session",
            fallible=False,
            loss=Loss.ZONE,
        )
    if o in ("inet", "cidr"):
        return asked(Rule.OLD_CAST, "the cast always writes the netmask", fallible=False)
    return asked(Rule.OLD_CAST, "the value becomes its printed form", fallible=False)


def _from_string(o: str, n: str, new: PgType) -> Conversion:
    if n == "bytea":
        return no_conversion(
            "text and bytea: only a person knows whether hex, escapes or an encoding is meant; give a transform_sql"
        )
    if o == "char":
        return no_conversion('a "char" is one byte: give a transform_sql or a value_mapping')
    loss = Loss.NONE
    if n == "numeric" and new.modifiers:
        loss = Loss.ROUNDED
    elif n in _FLOATS:
        loss = Loss.FLOAT
    elif n == "date":
        loss = Loss.TRUNCATED
    elif new.modifiers and n in ("time", "timetz", "timestamp", "timestamptz", "interval"):
        loss = Loss.ROUNDED
    return asked(Rule.NEW_INPUT, f"text that is no {new.text} is refused", loss=loss)


# --- numbers -----------------------------------------------------------------------------------------------------------------------


def _number(o: str, n: str, old: PgType, new: PgType, new_version: int) -> Conversion:
    if "money" in (o, n):
        return _money(o, n, new)
    if o in _INTEGER_ORDER and n in _INTEGER_ORDER:
        return (
            _CAST
            if _INTEGER_ORDER[o] < _INTEGER_ORDER[n]
            else asked(Rule.NEW_INPUT, f"{new.text} holds a smaller range than {old.text}")
        )
    if n in _INTEGER_ORDER:
        return asked(
            Rule.ROUND, f"fractions are rounded and the range of {new.text} is smaller", loss=Loss.ROUNDED
        )
    if n == "numeric":
        return _to_numeric(o, old, new, new_version)
    return _to_float(o, n)


def _money(o: str, n: str, new: PgType) -> Conversion:
    if o == "money" and n == "numeric":
        if new.modifiers:
            return asked(
                Rule.NEW_INPUT, f"money loses its currency and may not fit {new.text}", loss=Loss.ROUNDED
            )
        return asked(Rule.OLD_CAST, "money loses its currency", fallible=False)
    if o in ("int2", "int4", "int8", "numeric"):
        return asked(
            Rule.NEW_INPUT,
            "a number becomes an amount of money",
            loss=Loss.ROUNDED if o == "numeric" else Loss.NONE,
        )
    return no_conversion("there is no direct way to or from money here: give a transform_sql through numeric")


def _to_numeric(o: str, old: PgType, new: PgType, new_version: int) -> Conversion:
    if o in _FLOATS:
        if new.modifiers:
            return asked(Rule.NEW_INPUT, f"not every {old.text} fits {new.text}", loss=Loss.ROUNDED)
        # numeric holds infinities from PostgreSQL 14 on.
        return Conversion(Rule.NEW_INPUT, automatic=True, fallible=new_version < 140000)
    if not new.modifiers:
        return _CAST
    precision, scale = _numeric_modifiers(new)
    if scale >= 0 and precision - scale >= _INTEGER_DIGITS[o]:
        return _CAST
    why = f"{old.text} needs {_INTEGER_DIGITS[o]} digits before the point and {new.text} has {precision - scale}"
    return asked(Rule.NEW_INPUT, why, loss=Loss.ROUNDED if scale < 0 else Loss.NONE)


def _to_float(o: str, n: str) -> Conversion:
    if (o, n) in {("int2", "float4"), ("int2", "float8"), ("int4", "float8"), ("float4", "float8")}:
        return _CAST
    if (o, n) == ("int4", "float4"):
        return Conversion(Rule.OLD_CAST, automatic=True, loss=Loss.FLOAT)
    if o == "int8":
        return asked(
            Rule.OLD_CAST, "a float does not hold every bigint exactly", fallible=False, loss=Loss.FLOAT
        )
    return asked(
        Rule.NEW_INPUT,
        "a float keeps fewer digits and a smaller range" if n == "float4" else "a float rounds",
        loss=Loss.FLOAT,
    )


# --- dates and times ---------------------------------------------------------------------------------------------------------------


def _clock(o: str, n: str, new: PgType) -> Conversion:
    if (o, n) == ("date", "timestamp"):
        # Dates reach further than timestamps: the few that do not fit are refused by NEW's input.
        return Conversion(Rule.NEW_INPUT, automatic=True, fallible=True)
    if (o, n) in {
        ("date", "timestamptz"),
        ("timestamp", "timestamptz"),
        ("timestamptz", "timestamp"),
        ("timestamptz", "date"),
    }:
        loss = Loss.TRUNCATED if n == "date" else Loss.ZONE
        return asked(Rule.ZONE, "the time zone of OLD's database decides which moment is meant", loss=loss)
    if (o, n) == ("timestamp", "date"):
        return asked(Rule.OLD_CAST, "the time of day is dropped", fallible=False, loss=Loss.TRUNCATED)
    if (o, n) == ("timetz", "time"):
        return asked(Rule.NEW_INPUT, "the offset is dropped", fallible=False, loss=Loss.ZONE)
    if (o, n) == ("time", "timetz"):
        return no_conversion("the offset would be the one of today: give a transform_sql")
    return no_conversion(
        f"a part of the value would be lost or made up on the way to {new.text}: give a transform_sql"
    )


# --- the rest ----------------------------------------------------------------------------------------------------------------------

_OTHER_PAIRS: dict[tuple[str, str], Conversion] = {
    ("json", "jsonb"): asked(
        Rule.NEW_INPUT, "jsonb normalises: key order, duplicate keys and white space are lost"
    ),
    ("jsonb", "json"): _CAST,
    ("cidr", "inet"): _CAST,
    ("varbit", "bit"): asked(Rule.NEW_INPUT, "only strings of exactly as many bits fit"),
    ("inet", "cidr"): asked(Rule.NEW_INPUT, "an address with host bits is no cidr"),
    ("macaddr", "macaddr8"): asked(
        Rule.NEW_INPUT, "the server inserts ff:fe into the address", fallible=False
    ),
    ("macaddr8", "macaddr"): asked(Rule.NEW_INPUT, "only addresses with ff:fe fit"),
    ("bool", "int4"): asked(Rule.OLD_CAST, "true becomes 1 and false 0", fallible=False),
    ("int4", "bool"): asked(Rule.OLD_CAST, "0 becomes false and every other number true", fallible=False),
    ("int2", "bool"): asked(Rule.NEW_INPUT, "only 0 and 1 are read as boolean"),
    ("int8", "bool"): asked(Rule.NEW_INPUT, "only 0 and 1 are read as boolean"),
    ("time", "interval"): asked(Rule.NEW_INPUT, "a time of day becomes a duration", fallible=False),
    ("oid", "int8"): asked(Rule.OLD_CAST, "an object identifier becomes a plain number", fallible=False),
    ("int8", "oid"): asked(Rule.NEW_INPUT, "a number becomes an object identifier"),
    ("int4", "oid"): asked(Rule.NEW_INPUT, "a number becomes an object identifier"),
    ("xml", "json"): no_conversion("there is no general way from xml to json: give a transform_sql"),
}
