"""A test of the tests: verifiers that are broken on purpose, each in one way, must each be caught where the sound
one passes.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from support import MakePair, Pair
from support.forked import Command
from support.twins import VERIFIERS

OLD = """
CREATE TABLE log (line text, mark text);
INSERT INTO log SELECT 'line ' || g, NULL FROM generate_series(1, 5000) g;
INSERT INTO log VALUES ('twice', 'a'), ('twice', 'a'), ('more', 'b');
"""
NEW = "CREATE TABLE log (line text, mark text)"
CORRUPTIONS = (
    "UPDATE log SET line = 'other' WHERE line = 'line 20'",
    "DELETE FROM log WHERE line = 'line 4990'",
    "UPDATE log SET line = 'again' WHERE line = 'twice'",
    "UPDATE log SET mark = '' WHERE line = 'line 30'",
)
"""What the proof of a sound verifier finds."""


async def status(pair: Pair, folder: Path, twin: str, *arguments: str) -> int:
    """The exit status of a command of a twin (``""``: of the sound one)."""
    command, *options = arguments
    given = [command, str(pair.config(folder)), *options]
    done = await asyncio.to_thread(Command.start(given, folder, twin=twin).wait)
    return done.status


async def misjudged(make_pair: MakePair, folder: Path, twin: str, *corruptions: str) -> list[str]:
    """Of which corruptions a verifier says something wrong; an empty one leaves the rows equal."""
    wrong = []
    for corruption in corruptions:
        pair = await make_pair(OLD, NEW)
        assert (
            await status(pair, folder, twin, "migrate", "--live", "--batch-size", "2000", "--jobs", "1") == 0
        )
        if corruption:
            await pair.new.run(corruption)
        if await status(pair, folder, twin, "verify") != (5 if corruption else 0):
            wrong.append(corruption)
    return wrong


async def test_the_sound_verifier_misjudges_nothing(make_pair: MakePair, tmp_path: Path) -> None:
    assert await misjudged(make_pair, tmp_path, "", "", *CORRUPTIONS) == []


@pytest.mark.parametrize("twin", VERIFIERS)
async def test_each_broken_verifier_is_caught(make_pair: MakePair, tmp_path: Path, twin: str) -> None:
    expected = {
        "proof_skips_last_batch": CORRUPTIONS[1],
        "proof_by_xor": CORRUPTIONS[2],
        "proof_takes_null_for_empty": CORRUPTIONS[3],
    }
    assert await misjudged(make_pair, tmp_path, twin, expected[twin]) == [expected[twin]]
