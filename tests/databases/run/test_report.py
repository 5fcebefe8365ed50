"""The page of a run: what happened when, what was rejected and why, and the certificate."""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec
import pytest

from support import MakePair, Pair
from support.chromium import chromium
from support.runs import migrate
from tranship import api
from tranship.config import Config, load_config
from tranship.errors import UsageError
from tranship.model.options import Verify
from tranship.model.verification import VerifyOptions

HOSTILE = "<script>alert(1)</script>"
OLD = f"""
CREATE TABLE "{HOSTILE}" (id int PRIMARY KEY, state text);
INSERT INTO "{HOSTILE}" SELECT g, CASE WHEN g > 8 THEN 'far too long<b>' ELSE 'ok' END FROM generate_series(1, 10) g;
CREATE TABLE line (id int PRIMARY KEY, parent int REFERENCES "{HOSTILE}");
INSERT INTO line SELECT g, g FROM generate_series(1, 10) g;
"""
NEW = f"""
CREATE TABLE "{HOSTILE}" (id int PRIMARY KEY, state varchar(4));
CREATE TABLE line (id int PRIMARY KEY, parent int REFERENCES "{HOSTILE}");
"""
DECISIONS = {HOSTILE: [{"action": "transform", "old_column": "state", "new_column": "state"}]}


def loaded(pair: Pair, folder: Path) -> Config:
    return load_config(pair.config(folder))


def private_text(path: Path) -> str:
    assert path.stat().st_mode & 0o777 == 0o600
    return path.read_text(encoding="utf-8")


def alter(path: Path) -> None:
    path.write_text(path.read_text().replace('"written": 10', '"written": 11'))


def decided(folder: Path) -> str:
    path = folder / "decisions.json"
    path.write_text(json.dumps({"resolutions": DECISIONS}), encoding="utf-8")
    return str(path)


async def test_a_run_with_rejects(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(OLD, NEW)
    await migrate(pair, tmp_path, resolutions=decided(tmp_path))
    made = await api.report(loaded(pair, tmp_path), prefix="my", results_dir=str(tmp_path))
    path = Path(made.page)
    assert path.name == f"my_run_{made.run.id}.html"
    page = private_text(path)
    assert HOSTILE not in page
    places = [
        page.index(part) for part in ("2 rows, 1 value", "parent in", "Timeline", "8 written + 2 rejected")
    ]
    assert "were rejected: their causes stand below" in made.verdict[0]
    assert made.verdict[1].endswith("--live --rejects-only")
    assert places[0] < places[1], "causes before consequences"
    assert "far too long&lt;b&gt;" in page
    assert b"far too long" not in msgspec.json.encode(made.without_values)
    first = made.run.tables[0]
    assert first.began is not None
    assert first.ended is not None
    assert first.began < first.ended
    assert len(re.findall(r'role="listitem"', page)) >= 2
    with chromium(tmp_path) as browser:
        browser.send(
            "Emulation.setDeviceMetricsOverride", width=400, height=800, deviceScaleFactor=1, mobile=False
        )
        browser.send("Page.navigate", url=path.as_uri())
        browser.until("document.readyState === 'complete'")
        assert browser.run("document.documentElement.scrollWidth") <= 400
        assert browser.errors == []
        assert browser.requests == [path.as_uri()]


async def test_a_verified_run_names_its_certificate(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(OLD.replace("far too long<b>", "no"), NEW)
    await migrate(pair, tmp_path, resolutions=decided(tmp_path))
    config = loaded(pair, tmp_path)
    before = await api.report(config, results_dir=str(tmp_path))
    assert before.certificate is None
    assert "tranship verify" in before.verdict[1]
    verified = await api.verify(config, VerifyOptions(results_dir=str(tmp_path)))
    after = await api.report(config, results_dir=str(tmp_path))
    assert after.certificate is not None
    assert after.certificate.page == str(verified.certificate)
    assert after.verdict == ("Everything arrived: 20 rows, verified.", "Nothing left to do.")
    # One that was altered certifies nothing.
    assert verified.certificate is not None
    alter(verified.certificate.with_suffix(".json"))
    assert (await api.report(config, results_dir=str(tmp_path))).certificate is None


async def test_an_unknown_run_is_refused(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(OLD, NEW)
    config = loaded(pair, tmp_path)
    with pytest.raises(UsageError):
        await api.report(config, results_dir=str(tmp_path))
    await migrate(pair, tmp_path, resolutions=decided(tmp_path), verify=Verify.OFF)
    with pytest.raises(UsageError, match="nosuch"):
        await api.report(config, run="nosuch", results_dir=str(tmp_path))
