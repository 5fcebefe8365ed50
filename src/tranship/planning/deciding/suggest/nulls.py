"""What becomes of NULL where the new column refuses it, beside a mapping or a lookup of the other values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from tranship.model.catalog import Column
from tranship.model.count import count_of
from tranship.model.evidence import ColumnFacts
from tranship.planning.deciding.resolve.words import SPECIFY_DEFAULT_VALUE
from tranship.planning.deciding.suggest.constants import constant_default
from tranship.planning.deciding.suggest.drafts import Field
from tranship.planning.deciding.suggest.facts import Fact


class NullsLeft(Struct, frozen=True):
    """What a mapping leaves to say of NULL."""

    fields: Mapping[str, Field] = {}
    evidence: tuple[Fact, ...] = ()


def nulls_left(facts: ColumnFacts | None, target: Column, allowed: Sequence[str]) -> NullsLeft:
    """Returns what NULL becomes as far as anything says so: NEW's default where it is one of the values that
    NEW allows, else a placeholder. Nothing where no row that was read holds NULL, or NEW takes it.
    """
    held = _held(facts, target)
    if not held:
        return NullsLeft()
    default = constant_default(target)
    if default is None or (allowed and default not in allowed):
        return NullsLeft(
            {"null_value": SPECIFY_DEFAULT_VALUE}, (f"{held}: null_value says what they become",)
        )
    why = f"{held}: null_value makes them NEW's default, {default!r}"
    return NullsLeft({"null_value": default}, (why,))


def nulls_refused(facts: ColumnFacts | None, target: Column) -> tuple[str, ...]:
    """Returns that rows with NULL are rejected, where nothing says what they become."""
    held = _held(facts, target)
    return (f"{held}: such rows are rejected, unless null_value says what they become",) if held else ()


def _held(facts: ColumnFacts | None, target: Column) -> str:
    if facts is None or not facts.nulls or not target.refuses_null:
        return ""
    of = f"{facts.rows} sampled rows" if facts.sampled else count_of(facts.rows, "row")
    hold = "holds" if facts.nulls == 1 else "hold"
    return f"{facts.nulls} of {of} {hold} NULL, which NEW refuses"
