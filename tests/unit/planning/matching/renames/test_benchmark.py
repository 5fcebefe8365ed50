"""The bars of the rename benchmark, and the figures that the manual prints.

Skipped where the benchmark is not beside the checkout.
"""

from __future__ import annotations

import json
import lzma
from pathlib import Path

import pytest

from support import ROOT, SHARED, run_python

DATA = sorted((SHARED / "renames").glob("*.jsonl*"))
SCRIPT = ROOT / "benchmarks" / "renames.py"
CASE = {
    "old": {
        "table": "t",
        "columns": [
            {"name": "id", "type": "integer"},
            {"name": "a", "type": "text"},
            {"name": "z", "type": "integer"},
        ],
    },
    "new": {
        "table": "t",
        "columns": [
            {"name": "id", "type": "integer"},
            {"name": "b", "type": "text"},
            {"name": "z", "type": "integer"},
        ],
    },
}


def score(*arguments: str | Path, cwd: Path) -> str:
    result = run_python(SCRIPT, *arguments, cwd=cwd)
    assert result.status == 0, result
    return result.stdout


def test_cases_need_little(tmp_path: Path) -> None:
    path = tmp_path / "cases.jsonl"
    path.write_text(
        json.dumps(CASE | {"renames": [["a", "b"]]})
        + "\n"
        + json.dumps(CASE | {"derived": [["a", "b", "derived"]]})
        + "\n"
    )
    known = json.loads(score(path, "--format", "json", cwd=tmp_path))[str(path)]["columns"]["known"]
    assert (known["cases"], known["auto_precision"], known["auto_recall"], known["auto_derived"]) == (
        2,
        0.5,
        1.0,
        1,
    )
    assert (known["proposed_precision"], known["proposed_recall"], known["proposed_f1"]) == (1.0, 1.0, 1.0)
    assert "automatic a → b" in score(path, "--errors", cwd=tmp_path)


def test_odd_files(tmp_path: Path) -> None:
    bare = {
        "old": {"columns": [{"name": "a", "type": None, "default": 0}]},
        "new": {"columns": [{"name": "b", "nullable": None}]},
    }
    tables = {"old": [{"table": "a", "columns": [{"name": "x"}]}], "new": [], "table_renames": None}
    packed = tmp_path / "no_ending"
    packed.write_bytes(
        lzma.compress(
            "\n".join(
                map(json.dumps, (bare | {"renames": [["a", "b"]], "ambiguous": [["a", "b"]]}, tables))
            ).encode()
        )
    )
    (tmp_path / "empty").write_text("\n")
    report = json.loads(score(packed, "empty", "--format", "json", "--errors", cwd=tmp_path))
    assert [report[str(packed)][kind]["cases"] for kind in ("tables",)] == [1] and report["empty"]["tables"][
        "cases"
    ] == 0
    assert report[str(packed)]["columns"]["known"] | {"errors": []} == report[str(packed)]["columns"]["known"]
    for text, expected in (
        ("{", "odd:1: "),
        ('{"old": {}}', 'odd:1: ValueError(\'no case: "old" and "new"'),
        (
            json.dumps(bare | {"renames": ["a"]}),
            "odd: case 1 (no id): ValueError('\"a\" is no pair of names')",
        ),
    ):
        (tmp_path / "odd").write_text(text)
        result = run_python(SCRIPT, "odd", cwd=tmp_path)
        assert result.status == 2 and result.stderr.startswith(expected), result


@pytest.mark.skipif(not DATA, reason="the rename benchmark is not beside the checkout")
def test_bars_and_the_table_in_the_manual(tmp_path: Path) -> None:
    figures = json.loads(score(*DATA, "--format", "json", cwd=tmp_path))
    for groups in figures.values():
        for group in (groups["columns"]["known"], groups["columns"]["unknown"]):
            assert group["auto_precision"] >= 0.995 and group["auto_derived"] == 0
            assert group["proposed_precision"] >= 0.90 and group["proposed_recall"] >= 0.90
        assert groups["tables"]["proposed_f1"] >= 0.94
    assert score(*DATA, cwd=tmp_path) in (ROOT / "docs" / "renames.md").read_text(encoding="utf-8")
