"""Names, comments and keys of an OLD in SQL_ASCII, which holds bytes that are UTF-8."""

from __future__ import annotations

import json
from pathlib import Path

from support import MakePair
from support.runs import migrate, verify

OLD = """
CREATE TABLE "Straße" (schlüssel text PRIMARY KEY, "länge" int);
COMMENT ON TABLE "Straße" IS 'in Köln'; COMMENT ON COLUMN "Straße"."länge" IS 'größer';
CREATE VIEW "Höhe" AS SELECT 'ß' AS "größe";
INSERT INTO "Straße" VALUES ('Ä', 1), ('Ö', NULL);
"""
NEW = 'CREATE TABLE "Straße" (schlüssel text PRIMARY KEY, "länge" bigint NOT NULL)'


def rejected_keys(folder: Path) -> list[object]:
    lines = [line for path in folder.glob("*.jsonl") for line in path.read_text("utf-8").splitlines()]
    return [json.loads(line)["key"] for line in lines]


async def test_names_that_are_no_ascii(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(OLD, NEW, encodings=("SQL_ASCII", "UTF8"))
    for live in (False, True):
        result = await migrate(pair, tmp_path, live=live)
        assert (result.status, result.stats.rows_failed) == ("rejects", 1)
    assert await pair.new.fetch('SELECT * FROM "Straße"') == [("Ä", 1)]
    assert rejected_keys(tmp_path) == [{"schlüssel": "Ö"}] * 2
    assert (await verify(pair, tmp_path)).exit_status == 0
