"""Units in names and comments, and what one of them is in another."""

from __future__ import annotations

import re
from fractions import Fraction

from msgspec import Struct

from tranship.model.catalog import Column
from tranship.planning.names.tokens import singular, words


class Unit(Struct, frozen=True):
    """A unit as a name or a comment says it."""

    word: str
    dimension: str
    factor: Fraction | None
    """How much of the dimension's base it is; None where there is no fixed rate (another currency, a
    temperature).
    """


# Factors as exact fractions: an inch is 25.4 mm and a pound 0.45359237 kg by definition (international yard
# and pound agreement of 1959). A kilobyte is taken for 1024 bytes, which evidence says where it matters.
_FACTORS = {
    "money": "cent 1/100 penny 1/100 pence 1/100 euro 1 dollar 1 usd 1 eur 1 gbp 1 chf 1",
    "length": (
        "mm 1/1000 cm 1/100 km 1000 meter 1 metre 1 mile 201168/125 inch 127/5000 ft 381/1250 feet 381/1250"
        " yard 1143/1250"
    ),
    "weight": (
        "mg 1/1000000 gram 1/1000 kg 1 kilogram 1 lb 45359237/100000000 pound 45359237/100000000"
        " oz 45359237/1600000000 ounce 45359237/1600000000"
    ),
    "time": (
        "nanosecond 1/1000000000 ns 1/1000000000 microsecond 1/1000000 usec 1/1000000 ms 1/1000 msec 1/1000"
        " milli 1/1000 millisecond 1/1000 sec 1 second 1 minute 60 hour 3600 hr 3600 day 86400 week 604800"
    ),
    "size": (
        "byte 1 kb 1024 kib 1024 kilobyte 1024 mb 1048576 mib 1048576 megabyte 1048576"
        " gb 1073741824 gib 1073741824 gigabyte 1073741824"
    ),
    "share": "percent 1/100 pct 1/100 percentage 1/100 permille 1/1000 bps 1/10000 fraction 1 ratio 1",
}
_CURRENCIES = frozenset({"euro", "eur", "dollar", "usd", "gbp", "chf"})
_SAME_CURRENCY = (frozenset({"euro", "eur"}), frozenset({"dollar", "usd"}))
_LETTERS = {"g": "gram", "m": "meter"}
"""Units of one letter: they count only at the end of a name."""
_TEMPERATURES = frozenset({"celsius", "fahrenheit", "kelvin"})
_SAID = re.compile(r"(?:\b(?:in|as|unit:?|units:?)\s+|[(\[]\s*(?:in\s+)?)(%|[a-z]+)", re.IGNORECASE)


def _units() -> dict[str, Unit]:
    found = {word: Unit(word, "temperature", None) for word in sorted(_TEMPERATURES)}
    for dimension, factors in _FACTORS.items():
        parts = factors.split()
        for word, factor in zip(parts[::2], parts[1::2], strict=True):
            found[word] = Unit(word, dimension, Fraction(factor))
    return found


UNITS = _units()


def unit_of(column: Column) -> Unit | None:
    """Returns the one unit that a column's name says, else its comment (``in cents``, ``(kg)``); None for
    none or several.
    """
    named = _named_units(column.name)
    if not named:
        said = _SAID.findall(column.comment or "")
        named = {unit for word in said if (unit := UNITS.get(_plain(word))) is not None}
    return next(iter(named)) if len(named) == 1 else None


def _named_units(name: str) -> set[Unit]:
    parts = words(name)
    found = {unit for word in parts if (unit := UNITS.get(word) or UNITS.get(singular(word))) is not None}
    # One letter says a unit only behind another word: "weight_g", but not "g".
    if not found and len(parts) > 1 and parts[-1] in _LETTERS:
        return {UNITS[_LETTERS[parts[-1]]]}
    return found


def _plain(word: str) -> str:
    if word == "%":
        return "percent"
    return word.lower() if word.lower() in UNITS else singular(word.lower())


def same_unit(left: Unit, right: Unit) -> bool:
    """Returns whether two words are one unit."""
    currencies = {left.word, right.word}
    if left.dimension == "money" and currencies <= _CURRENCIES:
        return len(currencies) == 1 or any(currencies <= group for group in _SAME_CURRENCY)
    same_factor = left.factor == right.factor and (left.factor is not None or left.word == right.word)
    return left.dimension == right.dimension and same_factor


def converted(value: str, left: Unit, right: Unit) -> str | None:
    """Returns the expression that turns a number of one unit into the other; None where there is no fixed
    rate.
    """
    if left.dimension != right.dimension:
        return None
    if left.dimension == "temperature":
        return _TEMPERATURE.get((left.word, right.word), "").replace("?", value) or None
    if left.dimension == "money" and {left.word, right.word} <= _CURRENCIES:
        return None
    if left.factor is None or right.factor is None:
        return None
    return times(value, left.factor / right.factor)


def times(value: str, ratio: Fraction) -> str:
    """Returns a product as a person would write it: ``old.price / 100.0``, ``old.length * 1000``, ``old.way /
    1.609344``.
    """
    if ratio.denominator == 1:
        return f"{value} * {ratio.numerator}"
    # A division where that is shorter to read: by 100 rather than times 0.01.
    for sign, number in (("/", 1 / ratio), ("*", ratio)):
        decimal = _decimal(number) if sign == "*" or number > 1 else None
        if decimal is not None:
            return f"{value} {sign} {decimal}"
    return f"{value} * {ratio.numerator}.0 / {ratio.denominator}"


def _decimal(number: Fraction) -> str | None:
    """Returns a number with all its digits; None where they never end."""
    # Twelve digits hold every factor above; one that needs more never ends.
    for digits in range(1, 13):
        whole, rest = divmod(number.numerator * 10**digits, number.denominator)
        if rest == 0:
            text = str(whole).rjust(digits + 1, "0")
            return f"{text[:-digits]}.{text[-digits:]}"
    return None


_TEMPERATURE = {
    ("celsius", "fahrenheit"): "? * 1.8 + 32",
    ("fahrenheit", "celsius"): "(? - 32) / 1.8",
    ("celsius", "kelvin"): "? + 273.15",
    ("kelvin", "celsius"): "? - 273.15",
    ("fahrenheit", "kelvin"): "(? - 32) / 1.8 + 273.15",
    ("kelvin", "fahrenheit"): "(? - 273.15) * 1.8 + 32",
}
