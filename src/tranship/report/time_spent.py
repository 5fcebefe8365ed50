"""Where the time of a run went, as lines for the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tranship.model.verdict import TimeSpent

_SHORT = 0.05
"""Seconds below which questions are added up in one line."""


def time_lines(spent: Sequence[TimeSpent]) -> list[str]:
    """Returns a line for each phase, and below it one for each question that took long."""
    if not spent:
        return []
    lines = ["Seconds spent (questions that are asked side by side add up to more than their phase):"]
    for phase in (one for one in spent if not one.question):
        lines.append(f"  {phase.seconds:8.2f}  {phase.phase}")
        lines += _questions([one for one in spent if one.phase == phase.phase and one.question])
    return lines


def _questions(spent: Sequence[TimeSpent]) -> Iterator[str]:
    """Yields the questions of one phase, the longest first."""
    long = [one for one in spent if one.seconds >= _SHORT]
    for one in sorted(long, key=lambda one: -one.seconds):
        often = f" ({one.times} times)" if one.times > 1 else ""
        yield f"    {one.seconds:8.2f}  {one.question}{often}"
    short = [one for one in spent if one.seconds < _SHORT]
    if short:
        times, seconds = sum(one.times for one in short), sum(one.seconds for one in short)
        yield f"    {seconds:8.2f}  {times} short questions"
