"""Tables that belong to an extension are said, with the rows in them that are the user's."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from support import CliResult, MakePair

RunCli = Callable[..., CliResult]
OLD = """
CREATE EXTENSION hstore;
CREATE TABLE units (code int PRIMARY KEY, label text);
CREATE TABLE notes (line text);
INSERT INTO units VALUES (1, 'one'), (2, 'two'), (70, 'mine'), (71, 'mine, too');
ALTER EXTENSION hstore ADD TABLE units;
ALTER EXTENSION hstore ADD TABLE notes;
UPDATE pg_extension SET extconfig = ARRAY['units'::regclass::oid], extcondition = ARRAY['WHERE code >= 70'] WHERE extname = 'hstore';
CREATE TABLE parcel (id int PRIMARY KEY, unit int);
INSERT INTO parcel VALUES (1, 1), (2, 70);
"""
NEW = """
CREATE EXTENSION hstore;
CREATE TABLE units (code int PRIMARY KEY, label text);
INSERT INTO units VALUES (1, 'one'), (2, 'two');
ALTER EXTENSION hstore ADD TABLE units;
CREATE TABLE parcel (id int PRIMARY KEY, unit int REFERENCES units);
"""


async def test_tables_of_extensions_are_said(make_pair: MakePair, run_cli: RunCli, tmp_path: Path) -> None:
    pair = await make_pair(OLD, NEW, template=False)
    config = pair.config(tmp_path)
    assert run_cli("analyze", config).status == 0
    report = (tmp_path / "results/migration_report.txt").read_text(encoding="utf-8")
    assert (
        "Table 'units' belongs to the extension hstore; OLD holds 2 rows beyond the extension's own" in report
    )
    assert report.count("Table 'notes' belongs to the extension hstore") == 1
    predicted = run_cli("migrate", config)
    assert predicted.status == 1
    assert "Total rows failed: 1" in predicted.stdout
    left_out = tmp_path / "left_out.json"
    left_out.write_text('{"resolutions": {"units": [{"action": "drop_table"}]}}', encoding="utf-8")
    refused = run_cli("resolve", "validate", str(left_out), "results/migration_changes.json")
    assert "extension hstore" in refused.stdout
    moved = run_cli("migrate", config, "--live")
    assert moved.status == 1, moved.stdout + moved.stderr
    assert await pair.new.value("SELECT array_agg(id) FROM parcel") == [1]

    document = json.loads(config.read_text(encoding="utf-8"))
    config.write_text(json.dumps({**document, "tables": ["parcel", "units"]}), encoding="utf-8")
    refused = run_cli("analyze", config)
    assert refused.status == 2
    assert "belongs to the extension hstore" in refused.stderr
