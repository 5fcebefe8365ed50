"""Where the time of a run goes, by a clock that each reading moves on by one second."""

from __future__ import annotations

import asyncio
from itertools import count

import pytest

from tranship.execution.time_spent import Stopwatch, phase, question, spent
from tranship.model.verdict import TimeSpent


def watch() -> Stopwatch:
    seconds = count()
    return Stopwatch(lambda: float(next(seconds)))


def test_questions_add_up_below_their_phase() -> None:
    with watch().running():
        with phase("prepare"):
            with question("count"):
                pass
            with question("count"):
                pass
        with phase("copy"):
            pass
        assert spent() == (
            TimeSpent("prepare", "", 1, 5.0),
            TimeSpent("prepare", "count", 2, 2.0),
            TimeSpent("copy", "", 1, 1.0),
        )


def test_a_phase_inside_of_another_one_is_its_question() -> None:
    with watch().running():
        with phase("prepare"), phase("connect"):
            pass
        assert [(one.phase, one.question) for one in spent()] == [("prepare", ""), ("prepare", "connect")]


def test_a_question_outside_of_phases_is_a_phase() -> None:
    with watch().running():
        with question("connect"):
            pass
        assert spent() == (TimeSpent("connect", "", 1, 1.0),)


def test_what_raises_is_measured_too() -> None:
    with watch().running():
        with pytest.raises(ValueError), phase("copy"):
            raise ValueError
        assert spent() == (TimeSpent("copy", "", 1, 1.0),)


async def test_tasks_belong_to_the_phase_that_starts_them() -> None:
    async def asks() -> None:
        with question("batch"):
            await asyncio.sleep(0)

    with watch().running():
        with phase("copy"):
            await asyncio.gather(asks(), asks())
        assert [(one.phase, one.question, one.times) for one in spent()] == [
            ("copy", "", 1),
            ("copy", "batch", 2),
        ]


def test_without_a_stopwatch_nothing_is_measured() -> None:
    with phase("copy"), question("batch"):
        pass
    assert spent() == ()
