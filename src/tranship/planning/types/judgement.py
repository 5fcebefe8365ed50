"""The few forms that a judgement of two types has. Pure."""

from __future__ import annotations

from tranship.model.expression import Conversion, Loss, Rule

SAME = Conversion(Rule.SAME, automatic=True)
CAST = Conversion(Rule.OLD_CAST, automatic=True)
NOTHING_IN_COMMON = (
    "neither type is read as the other by itself: give a transform_sql, a value_mapping or a lookup_table"
)


def no_conversion(why: str) -> Conversion:
    """Returns the judgement that a bare transform has no meaning for these types."""
    return Conversion(Rule.NEW_INPUT, automatic=False, fallible=True, bare=False, why=why)


def asked(rule: Rule, why: str, *, fallible: bool = True, loss: Loss = Loss.NONE) -> Conversion:
    """Returns a conversion that exists, but that a person has to decide on."""
    return Conversion(rule, automatic=False, fallible=fallible, loss=loss, why=why)
