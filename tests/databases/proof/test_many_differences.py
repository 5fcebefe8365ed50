"""A table of which every row differs: the first rows are named, the others counted, and few are held at once."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from support import MakePair
from support.observe import Observe
from support.runs import migrate, verify
from tranship.execution.proof import naming, strangers
from tranship.execution.verification import differing
from tranship.model.difference import Difference, DifferenceKind

KEYED = "CREATE TABLE item (id int PRIMARY KEY, name text)"
LOOSE = "CREATE TABLE item (id int, name text)"
ROWS = "; INSERT INTO item SELECT g, 'name ' || g FROM generate_series(1, 2000) g"
MISSING, CHANGED, ADDED = DifferenceKind


def counted(differences: tuple[Difference, ...]) -> dict[tuple[DifferenceKind, bool], int]:
    """Rows by kind, and whether others wrote them."""
    found: Counter[tuple[DifferenceKind, bool]] = Counter()
    for one in differences:
        found[one.kind, one.by_others] += one.rows
    return dict(found)


@pytest.fixture(params=[100_000, 10], ids=["few strangers", "many strangers"])
def small(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (naming, differing):
        monkeypatch.setattr(module, "NAMED", 50)
    monkeypatch.setattr(strangers, "MOST_HELD", request.param)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("table", [KEYED, LOOSE], ids=["keyed", "loose"])
async def test_rows_beyond_the_first_are_counted(make_pair: MakePair, tmp_path: Path, table: str) -> None:
    pair = await make_pair(table + ROWS, table)
    assert (await migrate(pair, tmp_path)).exit_status == 0
    await pair.new.run("""
        UPDATE item SET name = 'other ' || id WHERE id <= 1500; UPDATE item SET name = name WHERE id BETWEEN 1600 AND 1700;
        DELETE FROM item WHERE id > 1900; INSERT INTO item SELECT g, 'more' FROM generate_series(5001, 5200) g
    """)
    result = await verify(pair, tmp_path)
    (one,) = result.tables
    assert (result.exit_status, one.verified) == (5, False)
    named = [difference for difference in one.differences if difference.key is not None]
    if table == KEYED:
        assert counted(one.differences) == {(CHANGED, True): 1500, (MISSING, False): 100, (ADDED, True): 200}
        assert len(named) == 50 and all(difference.columns == ("name",) for difference in named)
    else:
        assert counted(one.differences) == {(MISSING, False): 1600, (ADDED, True): 1700}
    assert len(one.differences) <= 60


@pytest.mark.usefixtures("small")
async def test_the_run_itself_counts_them_too(make_pair: MakePair, tmp_path: Path, observe: Observe) -> None:
    pair = await make_pair(KEYED + ROWS, KEYED)

    struck = observe.once(
        "table.done", lambda: pair.new.run("UPDATE item SET name = upper(name) WHERE id > 7")
    )
    result = await migrate(pair, tmp_path, new_in_use=True)
    (one,) = result.tables
    assert struck and result.exit_status == 1
    assert counted(one.differences) == {(CHANGED, True): 1993}
    assert len(one.differences) <= 60
