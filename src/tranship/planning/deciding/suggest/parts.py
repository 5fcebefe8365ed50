"""Columns that were split or joined: names and types make it plausible, and the values show it."""

from __future__ import annotations

from collections.abc import Sequence

from tranship.model.catalog import Column
from tranship.planning.deciding.suggest.guesses import Guess
from tranship.planning.deciding.suggest.merges import merges
from tranship.planning.deciding.suggest.pairs import clocks, places, ranges
from tranship.planning.deciding.suggest.splits import Facts, splits


def part_guesses(gone: Sequence[Column], come: Sequence[Column], facts: Facts) -> list[Guess]:
    """Returns guesses for the columns that only one side has, each new column once.

    Splits come first, then merges, then types with two parts: what the values show is better than what names
    say.
    """
    found: dict[str, Guess] = {}
    for guess in (
        *splits(gone, come, facts),
        *merges(gone, come),
        *clocks(gone, come),
        *places(gone, come),
        *ranges(gone, come),
    ):
        found.setdefault(guess.target, guess)
    return list(found.values())
