"""Desks for the classic workflow."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from support import MakePair
from support.desk import Desk, make_desk


@pytest.fixture
def desk_of(make_pair: MakePair, tmp_path: Path) -> Callable[[str, str], Desk]:
    """A desk over two databases made by two scripts."""

    def make(old: str, new: str) -> Desk:
        return make_desk(tmp_path, asyncio.run(make_pair(old, new)))

    return make
