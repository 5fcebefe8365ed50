"""Where the time of a run went, on the terminal."""

from __future__ import annotations

from tranship.model.verdict import TimeSpent
from tranship.report.time_spent import time_lines


def test_phases_with_their_questions_the_longest_first() -> None:
    spent = (
        TimeSpent("prepare", "", 1, 3.5),
        TimeSpent("prepare", "count and divide public.a", 1, 1.0),
        TimeSpent("prepare", "write the journal", 1, 0.01),
        TimeSpent("prepare", "collisions in public.a", 2, 0.02),
        TimeSpent("prepare", "count and divide public.b", 1, 2.0),
        TimeSpent("copy", "", 1, 10.0),
        TimeSpent("copy", "COPY, over all streams", 7, 19.0),
    )
    assert time_lines(spent) == [
        "Seconds spent (questions that are asked side by side add up to more than their phase):",
        "      3.50  prepare",
        "        2.00  count and divide public.b",
        "        1.00  count and divide public.a",
        "        0.03  3 short questions",
        "     10.00  copy",
        "       19.00  COPY, over all streams (7 times)",
    ]


def test_nothing_was_measured() -> None:
    assert time_lines(()) == []
