"""Foreign keys between partitioned tables that are off for a while and come back as they were,
whatever stands behind each partition.
"""

from __future__ import annotations

from pathlib import Path

from support import MakePair
from support.runs import migrate, owned_by_a_plain_role
from support.scene import definitions

OLD = """
CREATE TABLE x (id int PRIMARY KEY, y int);
CREATE TABLE y (id int PRIMARY KEY, x int);
INSERT INTO x SELECT n, n FROM generate_series(1, 20) n;
INSERT INTO y SELECT n, n FROM generate_series(1, 20) n;
"""
NEW = """
CREATE TABLE x (id int PRIMARY KEY, y int NOT NULL) PARTITION BY HASH (id);
CREATE TABLE x0 PARTITION OF x FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE x1 PARTITION OF x FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE y (id int PRIMARY KEY, x int NOT NULL CHECK (x <> 9));
ALTER TABLE x ADD CONSTRAINT x_y FOREIGN KEY (y) REFERENCES y;
ALTER TABLE y ADD CONSTRAINT y_x FOREIGN KEY (x) REFERENCES x DEFERRABLE;
"""


async def test_keys_into_partitioned_tables_come_back_validated(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(OLD, NEW, majors=(17, 17))
    role = await owned_by_a_plain_role(pair)
    before = await definitions(pair.new)
    result = await migrate(pair, tmp_path, new=role)
    assert (result.exit_status, result.stats.rows_migrated, result.stats.rows_failed) == (1, 38, 2)
    assert await definitions(pair.new) == before
