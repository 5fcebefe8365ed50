"""A sample is compared and said to be one: it finds what lies in it, and never ends as verified."""

from __future__ import annotations

from pathlib import Path

from support import MakePair
from support.observe import Observe
from support.runs import migrate, verify
from tranship.report.verification import coverage

OLD = "CREATE TABLE item (id int PRIMARY KEY, n int); INSERT INTO item SELECT g, g FROM generate_series(1, 5000) g"
NEW = "CREATE TABLE item (id int PRIMARY KEY, n int)"


async def test_a_sample_is_never_verified(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(OLD, NEW)
    result = await migrate(pair, tmp_path, sample="20%")
    (table,) = result.tables
    assert (result.status, result.exit_status, table.verified) == ("done", 0, None)
    hashed = await pair.new.value("SELECT sum(written) FROM _tranship.batch WHERE hash0 IS NOT NULL")
    assert 0 < hashed < 2500
    assert table.verified_why == f"only a sample of 20% was compared: {hashed} of 5000 rows"
    assert (table.cells, table.cells_verified) == (10_000, 2 * hashed)
    assert coverage(result.tables).startswith("Not verified: only a sample of 20% was compared")
    later = await verify(pair, tmp_path)
    assert (later.status, later.exit_status) == ("not verified", 1)
    assert later.tables[0].verified_why == "its run recorded the sums of a sample only (--sample 20%)"


async def test_what_lies_in_the_sample_is_found(
    make_pair: MakePair, tmp_path: Path, observe: Observe
) -> None:
    """Row 1 is in the first batch, which is always one of the sample; beyond it, rows are counted."""
    pair = await make_pair(OLD, NEW)
    observe.once(
        "phase.entered",
        lambda: pair.new.run("UPDATE item SET n = 0 WHERE id = 1; DELETE FROM item WHERE id > 4990"),
        passage=2,
    )
    result = await migrate(pair, tmp_path, sample="1%")
    assert (result.status, result.exit_status) == ("differs", 5)
    found = {one.key["id"] for one in result.tables[0].differences if one.key}
    assert found == {"1", *map(str, range(4991, 5001))}
