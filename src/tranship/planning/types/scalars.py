"""How one built-in scalar type becomes another: each pair is judged by the rules of its families. Pure."""

from __future__ import annotations

from tranship.model.builtin_types import Family
from tranship.model.expression import Conversion, Loss, Rule
from tranship.model.types import PgType
from tranship.planning.types.judgement import CAST, NOTHING_IN_COMMON, SAME, asked, no_conversion
from tranship.planning.types.moments import CLOCK, clock_to_clock, time_to_interval
from tranship.planning.types.numbers import NUMBERS, number_to_number
from tranship.planning.types.strings import bits_to_bits, from_string, to_string
from tranship.planning.types.table import RULES


def scalar(old: PgType, new: PgType, new_version: int) -> Conversion:
    """Judges two built-in scalar types. ``new_version`` is NEW's ``server_version_num``."""
    if old.typname == new.typname:
        return _same_name(old, new)
    families = (old.family, new.family)
    if new.family is Family.STRING:
        return to_string(old, new)
    if old.family is Family.STRING:
        return from_string(old, new)
    if NUMBERS.issuperset(families):
        return number_to_number(old, new, new_version)
    if CLOCK.issuperset(families):
        return clock_to_clock(old, new)
    if (old.typname, new.typname) == ("time", "interval"):
        return time_to_interval(old, new)
    if families == (Family.BITS, Family.BITS):
        return bits_to_bits(old, new)
    return _OTHER_PAIRS.get((old.typname, new.typname), no_conversion(NOTHING_IN_COMMON))


def _same_name(old: PgType, new: PgType) -> Conversion:
    rules = RULES[old.family] if old.family is not None else None
    if rules is not None and rules.modifier is not None:
        return rules.modifier(old, new)
    if old.modifiers == new.modifiers or not new.modifiers:
        return SAME
    return asked(Rule.NEW_INPUT, "the modifier changes")


_OTHER_PAIRS: dict[tuple[str, str], Conversion] = {
    ("json", "jsonb"): asked(
        Rule.NEW_INPUT, "jsonb normalises: key order, duplicate keys and white space are lost"
    ),
    ("jsonb", "json"): CAST,
    ("cidr", "inet"): CAST,
    ("inet", "cidr"): asked(Rule.NEW_INPUT, "an address with host bits is no cidr"),
    ("macaddr", "macaddr8"): asked(
        Rule.NEW_INPUT, "the server inserts ff:fe into the address", fallible=False
    ),
    ("macaddr8", "macaddr"): asked(Rule.NEW_INPUT, "only addresses with ff:fe fit"),
    ("bool", "int4"): asked(Rule.OLD_CAST, "true becomes 1 and false 0", fallible=False),
    ("int4", "bool"): asked(
        Rule.OLD_CAST, "0 becomes false and every other number true", fallible=False, loss=Loss.TRUTH
    ),
    ("int2", "bool"): asked(Rule.NEW_INPUT, "only 0 and 1 are read as boolean"),
    ("int8", "bool"): asked(Rule.NEW_INPUT, "only 0 and 1 are read as boolean"),
    ("oid", "int8"): asked(Rule.OLD_CAST, "an object identifier becomes a plain number", fallible=False),
    ("int8", "oid"): asked(Rule.NEW_INPUT, "a number becomes an object identifier"),
    ("int4", "oid"): asked(Rule.NEW_INPUT, "a number becomes an object identifier"),
    ("xml", "json"): no_conversion("there is no general way from xml to json: give a transform_sql"),
}
"""The pairs of different families that PostgreSQL converts."""
