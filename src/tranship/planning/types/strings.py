"""Conversions to, from and between strings, and those of bit strings, which follow the same rules of length.
Pure.
"""

from __future__ import annotations

from tranship.model.builtin_types import Builtin, Family, smallest_unit
from tranship.model.expression import Conversion, Loss, Rule
from tranship.model.types import PgType
from tranship.planning.types.judgement import CAST, SAME, asked, no_conversion

_TAKES_ANY = ("text", "varchar")
_WITH_PRECISION = (Family.TIME, Family.TIMESTAMP, Family.INTERVAL)
_MAY_END_IN_SPACES = (Family.STRING, Family.JSON, Family.XML)
"""Families whose printed form may end in spaces."""


def length_change(old: PgType, new: PgType, loss: Loss) -> Conversion:
    """Judges two limits of length of one type; a type without a modifier has none."""
    if not new.modifiers or (old.modifiers and old.modifiers[0] <= new.modifiers[0]):
        return SAME
    was = str(old.modifiers[0]) if old.modifiers else "unlimited"
    return asked(Rule.NEW_INPUT, f"the length shrinks from {was} to {new.modifiers[0]}", loss=loss)


def string_modifier(old: PgType, new: PgType) -> Conversion:
    """Judges ``varchar``, ``char(n)`` and the types without a length, each against itself."""
    if new.typname != "bpchar":
        return length_change(old, new, Loss.CUT_SPACES)
    if old.modifiers == new.modifiers:
        return SAME
    if not new.modifiers or (old.modifiers and old.modifiers[0] < new.modifiers[0]):
        return asked(Rule.NEW_INPUT, "the padding of a char(n) changes with its length", fallible=False)
    return length_change(old, new, Loss.CUT_SPACES)


def bits_modifier(old: PgType, new: PgType) -> Conversion:
    """Judges ``bit(n)`` or ``bit varying(n)`` against itself."""
    if new.typname == "varbit":
        return length_change(old, new, Loss.NONE)
    if old.modifiers == new.modifiers:
        return SAME
    return no_conversion(
        "a bit(n) holds exactly n bits: say with transform_sql on which side bits are added or cut"
    )


def bits_to_bits(old: PgType, new: PgType) -> Conversion:
    """Judges ``bit(n)`` against ``bit varying(n)``, in both directions."""
    if new.typname == "bit":
        return asked(Rule.NEW_INPUT, "only strings of exactly as many bits fit")
    length = length_change(old, new, Loss.NONE)
    return CAST if length is SAME else length


def to_string(old: PgType, new: PgType) -> Conversion:
    """Judges a built-in scalar type against a string type of another name."""
    if old.family is Family.BYTES:
        return no_conversion(
            "bytea and text: only a person knows whether hex or an encoding is meant; give a transform_sql"
        )
    if new.typname in ("name", "char"):
        return no_conversion(f"the server would cut values to fit {new.text} without a word")
    spaces = Loss.CUT_SPACES if old.family in _MAY_END_IN_SPACES else Loss.NONE
    if new.typname == "bpchar":
        return asked(Rule.NEW_INPUT, "a char(n) pads with spaces", loss=spaces)
    if old.typname in _TAKES_ANY:
        return length_change(old, new, Loss.CUT_SPACES)
    if old.typname == "bpchar":
        fits = not new.modifiers or (bool(old.modifiers) and old.modifiers[0] <= new.modifiers[0])
        return asked(Rule.NEW_INPUT, "the padding of char(n) is dropped", fallible=not fits)
    if new.modifiers:
        return asked(Rule.NEW_INPUT, f"the text may not fit {new.modifiers[0]} characters", loss=spaces)
    return _to_text(old.builtin)


def _to_text(old: Builtin | None) -> Conversion:
    if old is not None and old.one_text:
        return CAST
    if old is not None and old.name == "timestamptz":
        return asked(
            Rule.OLD_CAST,
            "the text is written in the time zone of the session",
            fallible=False,
            loss=Loss.ZONE,
        )
    if old is not None and old.family is Family.NETWORK:
        return asked(Rule.OLD_CAST, "the cast always writes the netmask", fallible=False)
    return asked(Rule.OLD_CAST, "the value becomes its printed form", fallible=False)


def from_string(old: PgType, new: PgType) -> Conversion:
    """Judges a string type against any other built-in scalar type."""
    if new.family is Family.BYTES:
        return no_conversion(
            "text and bytea: only a person knows whether hex, escapes or an encoding is meant;"
            " give a transform_sql"
        )
    if old.typname == "char":
        return no_conversion('a "char" is one byte: give a transform_sql or a value_mapping')
    if new.typname in ("xid", "xid8", "cid", "tid"):
        return no_conversion(f"a text names no {new.text} of NEW's server: give a transform_sql")
    if new.family is Family.INTERVAL and (unit := smallest_unit(new.text)[1]) != "second":
        return no_conversion(f"an {new.text} drops what is smaller than a {unit}: give a transform_sql")
    why = f"text that is not a valid {new.text} is refused"
    return asked(Rule.NEW_INPUT, why, loss=_loss_of_reading(new))


def _loss_of_reading(new: PgType) -> Loss:
    """What the input function of a type drops without an error."""
    if new.family is Family.FLOAT:
        return Loss.FLOAT
    if new.family is Family.DATE:
        return Loss.TRUNCATED
    rounds = new.family in (*_WITH_PRECISION, Family.MONEY) or (
        new.family is Family.NUMERIC and bool(new.modifiers)
    )
    return Loss.ROUNDED if rounds else Loss.NONE
