"""The two best values of each thing: enough to say, for every candidate, how good the best other one is."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import TypeVar

_Name = TypeVar("_Name", bound=Hashable)

NO_RIVALS = (0.0, 0.0)


def two_greatest(best: tuple[float, float], value: float) -> tuple[float, float]:
    """Returns the two greatest values, the greatest first, after one more value."""
    first, second = best
    return (value, first) if value > first else (first, max(second, value))


def two_greatest_by_name(values: Iterable[tuple[_Name, float]]) -> dict[_Name, tuple[float, float]]:
    """Returns the two greatest values of each name."""
    found: dict[_Name, tuple[float, float]] = {}
    for name, value in values:
        found[name] = two_greatest(found.get(name, NO_RIVALS), value)
    return found


def best_of_others(best: tuple[float, float], own: float) -> float:
    """Returns the greatest value among the others, where ``own`` is one of those that ``best`` was taken
    from.
    """
    return best[1] if own == best[0] else best[0]


def in_words(rival: Hashable | None) -> tuple[str, ...]:
    """Returns what is said of something old that may be meant as well; nothing without one."""
    return () if rival is None else (f"'{rival}' may be meant as well: nothing else takes it up",)
