"""A parent is refused in a way that nobody predicts (a value too long for an index), so children that are in
NEW already are taken out again when the foreign keys are proven. The run is killed before that, and run again.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from support import MakePair
from support.foreseeing import foreseen, killed
from support.runs import migrate, owned_by_a_plain_role

LONG = "(SELECT string_agg(md5(n::text), '') FROM generate_series(1, 300) n)"
OLD = f"""
CREATE TABLE p (id int PRIMARY KEY, up int REFERENCES p, n text);
INSERT INTO p SELECT g, CASE WHEN g % 10 = 0 AND g > 50 THEN 50 END, CASE g WHEN 50 THEN {LONG} ELSE 'n' || g END
  FROM generate_series(1, 1200) g;
"""
MOVED = "UPDATE p SET n = n WHERE id = 50"
"""From here on the last batch has the row that NEW refuses."""
NEW = """
CREATE TABLE p (id bigint PRIMARY KEY, up bigint REFERENCES p, n text); CREATE INDEX pn ON p (n);
"""
ORPHANS = (
    "SELECT count(*)::int FROM p WHERE NOT EXISTS (SELECT FROM p q WHERE q.id = p.up) AND up IS NOT NULL"
)
REJECTS = "SELECT sqlstate, count(*)::int FROM _tranship.reject GROUP BY 1 ORDER BY 1"


@pytest.mark.thinned(3)
@pytest.mark.parametrize("superuser", [True, False])
@pytest.mark.parametrize(
    ("moved", "place"),
    [
        ("", "batch.committed:1"),
        (MOVED, "batch.committed:5"),
        (MOVED, "batch.committed:6"),
        ("", "keys.proven:1"),
    ],
)
async def test_killed_before_the_keys_are_proven(
    make_pair: MakePair, tmp_path: Path, superuser: bool, moved: str, place: str
) -> None:
    pair = await make_pair(f"{OLD}{moved}", NEW)
    options = {"new": None if superuser else await owned_by_a_plain_role(pair), "batch_size": 200}
    await killed(pair, tmp_path, place, "--batch-size", "200", "--jobs", "1", new=options["new"])
    if place == "batch.committed:5":
        # Nobody predicts the reject that is still to come, and what follows from it.
        assert (await migrate(pair, tmp_path, **options)).exit_status == 1
    else:
        assert (await foreseen(pair, tmp_path, **options))["exit"] == 1
    assert await pair.new.value("SELECT count(*)::int FROM p") == 1084
    assert await pair.new.fetch(REJECTS) == [("23503", 115), ("54000", 1)]
    assert await pair.new.value(ORPHANS) == 0
    assert await pair.new.fetch("SELECT convalidated FROM pg_constraint WHERE contype = 'f'") == [(True,)]
