"""The bars of the rename benchmark, and the figures that the manual prints. Skipped where the benchmark is not beside the checkout."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support import ROOT, SHARED, run_python

DATA = sorted((SHARED / "renames").glob("*.jsonl*"))
SCRIPT = ROOT / "benchmarks" / "renames.py"
CASE = {
    "old": {"table": "t", "columns": [{"name": "id", "type": "integer"}, {"name": "a", "type": "text"}, {"name": "z", "type": "integer"}]},
    "new": {"table": "t", "columns": [{"name": "id", "type": "integer"}, {"name": "b", "type": "text"}, {"name": "z", "type": "integer"}]},
}


def score(*arguments: str | Path, cwd: Path) -> str:
    result = run_python(SCRIPT, *arguments, cwd=cwd)
    assert result.status == 0, result
    return result.stdout


def test_cases_need_little(tmp_path: Path) -> None:
    path = tmp_path / "cases.jsonl"
    path.write_text(json.dumps(CASE | {"renames": [["a", "b"]]}) + "\n" + json.dumps(CASE | {"derived": [["a", "b", "derived"]]}) + "\n")
    known = json.loads(score(path, "--format", "json", cwd=tmp_path))[str(path)]["columns"]["known"]
    assert (known["cases"], known["auto_precision"], known["auto_recall"], known["auto_derived"]) == (2, 0.5, 1.0, 1)
    assert (known["proposed_precision"], known["proposed_recall"], known["proposed_f1"]) == (1.0, 1.0, 1.0)
    assert "automatic a → b" in score(path, "--errors", cwd=tmp_path)


@pytest.mark.skipif(not DATA, reason="the rename benchmark is not beside the checkout")
def test_bars_and_the_table_in_the_manual(tmp_path: Path) -> None:
    figures = json.loads(score(*DATA, "--format", "json", cwd=tmp_path))
    for groups in figures.values():
        for group in (groups["columns"]["known"], groups["columns"]["unknown"]):
            assert group["auto_precision"] >= 0.995 and group["auto_derived"] == 0
            assert group["proposed_precision"] >= 0.90 and group["proposed_recall"] >= 0.90
        assert groups["tables"]["proposed_f1"] >= 0.94
    assert score(*DATA, cwd=tmp_path) in (ROOT / "docs" / "renames.md").read_text(encoding="utf-8")
