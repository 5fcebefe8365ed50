"""The page that a dry run leaves: what would become of the rows, and that nothing was written."""

from __future__ import annotations

import json
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest

from support import CliResult, MakePair
from tranship import api
from tranship.config import load_config
from tranship.model.options import MigrateOptions

RunCli = Callable[..., CliResult]

OLD = """
CREATE TABLE shop (id int PRIMARY KEY, state text, "<b>" varchar(9));
CREATE TABLE sale (id int PRIMARY KEY, shop int REFERENCES shop);
INSERT INTO shop VALUES (1, 'on', 'x'), (2, 'odd<i>', 'y'), (3, 'off', 'z');
INSERT INTO sale VALUES (10, 1), (11, 2), (12, 2), (13, 3);
"""
NEW = """
CREATE TABLE shop (id int PRIMARY KEY, state smallint NOT NULL, "<b>" varchar(9));
CREATE TABLE sale (id int PRIMARY KEY, shop int REFERENCES shop);
"""
DECISIONS = {
    "resolutions": {
        "shop": [
            {"action": "filter", "where": "old.id <> 3", "children": "leave_out"},
            {
                "action": "transform",
                "old_column": "state",
                "new_column": "state",
                "value_mapping": {"on": 1, "off": 0},
            },
        ]
    }
}


@pytest.mark.parametrize(
    ("options", "mode", "label"),
    [((), "dryrun", "Dry run of "), (("--rehearse",), "rehearse", "Rehearsal of ")],
)
async def test_rows_by_fate_and_rejects_by_cause_are_on_a_page(
    make_pair: MakePair, run_cli: RunCli, tmp_path: Path, options: tuple[str, ...], mode: str, label: str
) -> None:
    pair = await make_pair(OLD, NEW)
    config = pair.config(tmp_path)
    (tmp_path / "answers.json").write_text(json.dumps(DECISIONS), encoding="utf-8")
    said = run_cli("migrate", config, "--resolutions", "answers.json", *options)
    assert said.status == 1, said.stderr
    (page,) = (tmp_path / "results").glob(f"{mode}_*.html")
    assert f"The same as a page: results/{page.name}\n" in said.stdout
    (file,) = (tmp_path / "results").glob(f"migration_result_{mode}_*.json")
    result = json.loads(file.read_text(encoding="utf-8"))
    assert result["page_file"] == f"results/{page.name}"
    assert stat.S_IMODE(page.stat().st_mode) == 0o600
    text = page.read_text(encoding="utf-8")
    assert label in text
    assert "nothing" in text
    assert "--live" in text, "the next command"
    assert "no entry in the value mapping of state (22023): 1 row" in text
    assert "odd&lt;i&gt;" in text, "the value that has no place, as text"
    assert "odd<i>" not in text
    assert "Rejected because of these" in text
    assert "old rows left out" in text


async def test_a_live_run_leaves_none(make_pair: MakePair, run_cli: RunCli, tmp_path: Path) -> None:
    """``tranship report`` makes its page, from the journal."""
    pair = await make_pair(OLD, NEW)
    config = pair.config(tmp_path)
    (tmp_path / "answers.json").write_text(json.dumps(DECISIONS), encoding="utf-8")
    assert run_cli("migrate", config, "--resolutions", "answers.json", "--live").status == 1
    assert not list((tmp_path / "results").glob("*.html"))


async def test_rows_of_tables_that_change_stand_before_and_after(
    make_pair: MakePair, run_cli: RunCli, tmp_path: Path
) -> None:
    """A table that is only copied shows none, a value that is refused is marked, and names are text."""
    config = (await make_pair(OLD, NEW)).config(tmp_path)
    (tmp_path / "answers.json").write_text(json.dumps(DECISIONS), encoding="utf-8")
    run_cli("migrate", config, "--resolutions", "answers.json")
    text = _page(tmp_path / "results")
    assert "Rows before and after <small>1</small>" in text
    assert "<li><span>state &#39;on&#39; (value_mapping) →</span> state &#39;1&#39;</li>" in text
    assert '<span>state &#39;odd&lt;i&gt;&#39; (value_mapping) →</span> <b class="bad">state (' in text
    assert "&lt;b&gt; &#39;y&#39;" in text
    assert "&#39;off&#39;" not in text, "the filter leaves the row out"
    assert "public.sale → public.sale" not in text


async def test_rows_that_cannot_be_read_end_no_dry_run(
    make_pair: MakePair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The servers allowed one connection less than a preview needs, or went away."""
    monkeypatch.setattr(sys.modules["tranship.api.preview"], "open_session", _refused)
    (tmp_path / "answers.json").write_text(json.dumps(DECISIONS), encoding="utf-8")
    config = load_config((await make_pair(OLD, NEW)).config(tmp_path))
    options = MigrateOptions(resolutions=str(tmp_path / "answers.json"), results_dir=str(tmp_path))
    result = (await api.migrate(config, options)).result
    assert (result.exit_status, result.stats.rows_failed) == (1, 3)
    assert "no rows are shown: too many connections" in _page(tmp_path)


def _page(folder: Path) -> str:
    (page,) = folder.glob("dryrun_*.html")
    return page.read_text(encoding="utf-8")


async def _refused(*_: object, **__: object) -> None:
    raise asyncpg.TooManyConnectionsError("too many connections")
