"""A few rounds of the campaign ``verify``: each corruption is named with table, key and column, and nothing else is."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from long.mutations.rounds import Tally, corrupt
from long.mutations.scenes import SCENES, Scene
from support import MakePair


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
async def test_corruptions_are_named(scene: Scene, make_pair: MakePair, tmp_path: Path) -> None:
    tally = Tally()
    await corrupt(scene, make_pair, tmp_path, random.Random(f"tests {scene.name}"), tally, wanted=12)
    assert not tally.violations, "\n".join(tally.violations)
    assert tally.strikes >= 12
    assert tally.clean == 1
