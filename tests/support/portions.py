"""Portions and heaps so small that each table of a test is counted beside the copy, page by page."""

from __future__ import annotations

import os
from types import ModuleType

import pytest

from tranship.execution.probe import counted_later
from tranship.server import pages, portion, small

VARIABLE = "TRANSHIP_TEST_SMALL_PORTIONS"
"""In the environment of a forked command: it counts in small portions."""
SMALL: tuple[tuple[ModuleType, str, int], ...] = (
    (counted_later, "AHEAD", 0),
    (counted_later, "_BATCH_ROWS", 0),
    (portion, "FIRST_RANGES", 1),
    (pages, "AT_ONCE", 1),
    (pages, "STEP", 1),
    (small, "_MOST_PAGES", 0),
)
UNCOUNTED = "SELECT count(*)::int FROM _tranship.batch WHERE state = 'uncounted'"
"""Asked of NEW: of how many heaps some pages are not counted yet."""


def shrink(monkeypatch: pytest.MonkeyPatch) -> None:
    """For the rest of a test."""
    for module, name, value in SMALL:
        monkeypatch.setattr(module, name, value)


def make_small() -> None:
    """For the rest of this process, if the environment says so."""
    if os.environ.get(VARIABLE):
        for module, name, value in SMALL:
            setattr(module, name, value)
