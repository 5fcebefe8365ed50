"""What each family of types says without a server: how a changed modifier is judged, and which texts its
input function takes. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec import Struct

from tranship.model.builtin_types import Family
from tranship.model.expression import Conversion
from tranship.model.types import PgType
from tranship.planning.types import inputs
from tranship.planning.types.moments import interval_modifier, precision_change
from tranship.planning.types.numbers import money_modifier, numeric_modifier
from tranship.planning.types.strings import bits_modifier, string_modifier


class FamilyRules(Struct, frozen=True):
    """The pure rules of one family."""

    takes: Callable[[PgType, str], bool | None] = inputs.unknown
    """Whether the input function of a type of the family takes a text, the modifier included; None: only a
    server knows.
    """
    normal: Callable[[str], str] = inputs.unchanged
    """One text for all texts that are equal values, for texts that ``takes`` accepts."""
    modifier: Callable[[PgType, PgType], Conversion] | None = None
    """Judges one type against itself with another modifier; None: the family has no modifiers."""


RULES: Mapping[Family, FamilyRules] = {
    Family.INTEGER: FamilyRules(inputs.integer, inputs.normal_integer),
    Family.NUMERIC: FamilyRules(inputs.numeric, modifier=numeric_modifier),
    Family.FLOAT: FamilyRules(inputs.floating),
    Family.MONEY: FamilyRules(modifier=money_modifier),
    Family.BOOLEAN: FamilyRules(inputs.boolean, inputs.normal_boolean),
    Family.STRING: FamilyRules(inputs.string, modifier=string_modifier),
    Family.BYTES: FamilyRules(),
    Family.DATE: FamilyRules(inputs.day),
    Family.TIME: FamilyRules(modifier=precision_change),
    Family.TIMESTAMP: FamilyRules(modifier=precision_change),
    Family.INTERVAL: FamilyRules(modifier=interval_modifier),
    Family.UUID: FamilyRules(inputs.uuid, inputs.normal_uuid),
    Family.JSON: FamilyRules(inputs.document),
    Family.XML: FamilyRules(),
    Family.NETWORK: FamilyRules(),
    Family.HARDWARE: FamilyRules(),
    Family.BITS: FamilyRules(modifier=bits_modifier),
    Family.GEOMETRY: FamilyRules(),
    Family.SEARCH: FamilyRules(),
    Family.JSON_PATH: FamilyRules(),
    Family.OBJECT: FamilyRules(),
    Family.SYSTEM: FamilyRules(),
    Family.PRIVILEGE: FamilyRules(),
}
"""Every family; a unit test compares the keys with :class:`Family`."""
