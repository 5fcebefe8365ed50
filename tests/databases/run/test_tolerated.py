"""Rows that are kept although they break a constraint are those that OLD keeps, and no others."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from support import MakePair
from support.runs import migrate, owned_by_a_plain_role
from tranship import api
from tranship.config import load_config
from tranship.model.verification import VerifyOptions

OLD = """
CREATE TABLE staff (id int PRIMARY KEY, name text, boss int);
INSERT INTO staff VALUES (1, 'ok', NULL), (2, 'ok', 99), (3, 'ok', 1), (4, 'no', 1), (5, 'ok', 4), (6, 'ok', 98), (7, 'ok', 5);
ALTER TABLE staff ADD CONSTRAINT staff_boss FOREIGN KEY (boss) REFERENCES staff NOT VALID;
"""
# Nobody can ask beforehand where a row will lie, so no data check finds who breaks `unforeseen`.
NEW = """
CREATE TABLE staff (id int PRIMARY KEY, name text, boss int, CONSTRAINT unforeseen CHECK (tableoid <> 0 AND name <> 'no'));
ALTER TABLE staff ADD CONSTRAINT staff_boss FOREIGN KEY (boss) REFERENCES staff NOT VALID;
"""


@pytest.mark.parametrize("plain", [True, False])
async def test_children_of_rows_that_nobody_foresaw_to_be_rejected_are_not_kept(
    make_pair: MakePair, tmp_path: Path, plain: bool
) -> None:
    pair = await make_pair(OLD, NEW)
    role = {"new": await owned_by_a_plain_role(pair)} if plain else {}
    decisions = tmp_path / "r.json"
    decisions.write_text(
        json.dumps({"resolutions": {"staff": [{"action": "tolerate", "constraint": "staff_boss"}]}})
    )
    result = await migrate(pair, tmp_path, resolutions=str(decisions), batch_size=3, **role)
    (table,) = result.tables
    assert (result.exit_status, table.rows_migrated, table.rows_failed) == (1, 4, 3)
    assert [(one.constraint, one.rows) for one in table.tolerated] == [("staff_boss", 2)]
    assert await pair.new.fetch("SELECT id FROM staff ORDER BY id") == [(1,), (2,), (3,), (6,)]
    valid = "SELECT convalidated FROM pg_constraint WHERE conname = 'staff_boss'"
    assert await pair.new.value(valid) is False
    # As in OLD: two rows break it. The certificate says so, and is none the worse for it.
    config = load_config(pair.config(tmp_path, **role))
    verified = await api.verify(config, VerifyOptions(results_dir=str(tmp_path)))
    asked = {one.name: (one.rows, one.broken) for one in verified.result.constraints}
    assert asked["staff_boss"] == (2, False)
    assert verified.certificate is not None
    certificate = api.check_certificate(verified.certificate)
    kept = [(one.name, one.rows) for one in certificate.constraints if one.tolerated]
    assert kept == [("staff_boss", 2)]
    said = "broken by 2 rows that a decision keeps: staff_boss"
    assert said in await asyncio.to_thread(verified.certificate.read_text, encoding="utf-8")
