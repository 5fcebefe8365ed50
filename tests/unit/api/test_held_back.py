"""Warnings about a plan are told once it is known that something is left to do."""

from __future__ import annotations

from tranship.api.held_back import HeldBack
from tranship.execution.time_spent import BEFORE_START
from tranship.model.notes import AlreadyMigrated, NothingToMove, Warned
from tranship.model.progress import Began, Event, Noted, RunStarted
from tranship.model.resolution import Problem

WARNING = Noted(Warned(Problem(code="TS333", object="", message="careful", hint="", warning=True)))
BEGUN = RunStarted(())


def heard(*events: Event, over: bool = False) -> list[Event]:
    told: list[Event] = []
    hear = HeldBack(told.append)
    hear.hold([WARNING, BEGUN])
    for event in events:
        hear(event)
    hear.release()
    assert hear.is_over is over, "the result does not tell them either"
    return told


def test_a_run_that_has_nothing_left_to_do_tells_no_warning_of_its_plan() -> None:
    before, done = Began(BEFORE_START, "rights"), Noted(AlreadyMigrated())
    assert heard(before, done, over=True) == [before, BEGUN, done]


def test_every_other_run_tells_them_before_anything_else_becomes_known() -> None:
    for event in (Began("take the snapshot"), Noted(NothingToMove())):
        assert heard(Began(BEFORE_START), event) == [Began(BEFORE_START), WARNING, BEGUN, event]


def test_a_run_that_fails_tells_them_at_its_end() -> None:
    assert heard() == [WARNING, BEGUN]
