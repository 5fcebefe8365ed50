"""What the page says of a run, from the files that the run left."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tranship.model.resolution import Problem
from tranship.model.verdict import MigrationResult, Mode, Stats, Status, TableResult
from tranship.studio.results import ResultShown, result_of

EARLIER = "the finished run r1 moved its rows under other decisions"
PROBLEMS = (
    Problem("TS333", "public.b", "a parent is not filled", warning=True),
    *(Problem("TS390", f"public.{name}", EARLIER, "roll it back and run again") for name in "abcd"),
)


def shown(folder: Path, mode: Mode, status: Status, problems: tuple[Problem, ...] = ()) -> ResultShown:
    table = TableResult("public.a", "public.a", 5, 4, 1, 0, 100, None, "", {}, ())
    result = MigrationResult(
        tool_version="1",
        run_id="r",
        mode=mode,
        status=status,
        exit_status=3,
        snapshot=None,
        started="",
        finished="",
        stats=Stats(
            tables_processed=1,
            rows_read=5,
            rows_migrated=4,
            rows_failed=1,
            rows_left_out=0,
            duration_seconds=1,
        ),
        tables=(table,),
        problems=problems,
    )
    (folder / "result.json").write_bytes(msgspec.json.encode(result))
    (folder / "log").write_text(f"Result: {folder / 'result.json'}\n")
    found = result_of(folder / "log")
    assert found is not None
    return found


def test_a_dry_run_says_why_a_live_run_would_be_refused(tmp_path: Path) -> None:
    found = shown(tmp_path, "dryrun", "refused", PROBLEMS)
    assert found.verdict == "A live run would be refused for now. 4 rows would be written, 1 rejected."
    assert found.facts == (
        ("Ended as", "refused, status 3"),
        (
            "Refused",
            f"TS390 public.a: {EARLIER}; the same for 3 more: public.b, public.c, public.d; hint: roll it back and run again",
        ),
    )


@pytest.mark.parametrize(("mode", "written"), [("dryrun", "To write"), ("live", "Written")])
def test_the_counts_have_the_heading_of_their_run(tmp_path: Path, mode: Mode, written: str) -> None:
    found = shown(tmp_path, mode, "rejects", PROBLEMS[:1])
    assert found.headings[:3] == ("Table", "Read", written)
    assert found.tables[0][:4] == ("public.a", "5", "4", "1")
    assert ("Run", "r") in found.facts or mode == "dryrun"
    assert "Refused" not in dict(found.facts)
