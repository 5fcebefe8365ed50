"""Codes of fixed width that are kept as numbers, and the other way round: a code has leading zeros, a number
has none.
"""

from __future__ import annotations

from collections.abc import Iterator

from tranship.model.catalog import Column
from tranship.planning.deciding.suggest.facts import Fact, quoting
from tranship.planning.deciding.suggest.guesses import Guess, of_one_form, reference

_WIDEST = 18
"""Digits of the longest code that a bigint holds whatever its digits are."""


def width_of(target: Column) -> int | None:
    """Returns the length of a ``char(n)``; None for any other type."""
    leaf = target.type.leaf
    return leaf.modifiers[0] if leaf.typname == "bpchar" and leaf.modifiers else None


def code_guesses(source: Column, target: Column, values: tuple[str, ...]) -> Iterator[Guess]:
    """Yields how a number becomes a code with zeros in front, where some values are shorter than the code."""
    width = width_of(target)
    digits = [value for value in values if value.isdigit()]
    if width is None or width > _WIDEST or not any(len(value) < width for value in digits):
        return
    value = reference(source)
    shortest = min(digits, key=lambda text: (len(text), text))
    evidence: tuple[Fact, ...] = (
        f"a number has no leading zeros: if codes of {width} digits are meant, they belong in front",
        quoting(f"a shorter one would stand in the char({width}) with spaces behind it", [shortest]),
        "if the numbers themselves are meant: action 'transform' with the same columns alone",
    )
    fits = f"{value} BETWEEN 0 AND {10**width - 1}"
    sql = of_one_form(fits, f"lpad({value}::text, {width}, '0')", value, f"a code of {width} digits")
    yield Guess((source.name,), target.name, sql, fits, value, evidence, provable=False)
