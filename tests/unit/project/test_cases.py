"""The files of cases are read strictly: what nobody would look at is an error."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from support.cases import page
from support.cases.case import Asked, Expected, Script
from support.cases.commands import RunFiles
from support.cases.findings import Seen, compare_changes, compare_questions, compare_rejects, reason_test
from support.cases.outcome import DryRun, Outcome, names, read_outcome


def _page(monkeypatch: pytest.MonkeyPatch, folder: Path, text: str) -> Path:
    monkeypatch.setattr(page, "OWN", folder)
    path = folder / "topic" / "one.md"
    path.parent.mkdir()
    path.write_text(text, encoding="utf-8")
    return path


WHOLE = """# One

```json databases
{"servers": ["15:18"], "roles": {"app": ""}, "new": {"login": "app", "settings": {"TimeZone": "Asia/Tokyo"}}}
```
```sql old
SELECT 1;
```
```json outcome
{"outcome": "success"}
```
Prose.
```sql ask new
SELECT 2;
```
```text
2
```
"""


def test_a_case_happens_in_the_order_of_its_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = _page(monkeypatch, tmp_path, WHOLE)
    (case,) = page.own_cases()
    assert (case.name, case.kind, case.databases.pairs) == ("topic/one", "success", [(15, 18)])
    login = case.databases.login("new")
    assert login is not None and (login.user, login.password) == ("app", "secret")
    assert [type(step) for step in case.steps] == [Script, Expected, Asked]
    asked = case.steps[-1]
    assert isinstance(asked, Asked) and asked.place is not None and asked.answer == "2\n"
    page.rewrite_answers(path, {asked.place: "3\n4\n"})
    assert path.read_text(encoding="utf-8") == WHOLE.replace("```text\n2\n", "```text\n3\n4\n")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('```json outcome\n{"outcome": "success", "rejcted": {}}\n```\n', "rejcted"),
        ('```json outcome\n{"outcome": "good"}\n```\n', "good"),
        ('```json databases\n{"olt": {}}\n```\n', "olt"),
        ("```sql odl\nSELECT 1\n```\n", "sql odl"),
        ("```sql ask new\nSELECT 1\n```\n", "no answer"),
        ("```sql ask new\nSELECT 1\n```\n```sql old\n```\n", "answer of the question before is missing"),
        ("```text\n1\n```\n", "text"),
    ],
)
def test_what_nobody_would_look_at_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, words: str
) -> None:
    path = _page(monkeypatch, tmp_path, text)
    with pytest.raises(page.BadCase, match=words):
        page.read_page(path)


def test_an_unknown_key_of_an_outcome_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="expectd"):
        read_outcome('{"outcome": "success", "expectd": 1}')


def test_lists_of_names_may_hold_ranges() -> None:
    listed = ("a.b", "t.a-c", "w.c8 .. w.c11", "Two Words.Old-New")
    assert list(names(listed)) == [
        "a.b",
        "t.a",
        "t.b",
        "t.c",
        "w.c8",
        "w.c9",
        "w.c10",
        "w.c11",
        "Two Words.Old-New",
    ]


CHANGES = [
    {
        "type": "breaking",
        "table": "public.t",
        "new_table": "public.t",
        "old_column": "a",
        "new_column": "a",
        "description": "d",
    },
    {
        "type": "safe",
        "table": "public.t",
        "new_table": "public.t",
        "old_column": "b",
        "new_column": "b",
        "description": "d",
    },
    {"type": "breaking", "table": "public.gone", "new_table": None, "description": "d"},
]


@pytest.mark.parametrize(
    ("outcome", "findings"),
    [
        (Outcome(outcome="success", breaking=("t.a", "gone")), 0),
        (Outcome(outcome="success", breaking=("public.t.a", "gone"), automatic=("t.b",)), 0),
        (Outcome(outcome="success", breaking=("t.a", "gone", "t.b")), 1),
        (Outcome(outcome="success", breaking=("t.a",)), 1),
        (Outcome(outcome="success", breaking=()), 2),
        (Outcome(outcome="success", automatic=("t.a",)), 1),
        (Outcome(outcome="success", automatic=("t.c",)), 1),
    ],
)
def test_breaking_and_automatic_changes_are_compared(outcome: Outcome, findings: int) -> None:
    seen = Seen()
    compare_changes(outcome, CHANGES, seen)
    assert len(seen.findings) == findings


ENTRIES = {
    "t": [
        {"old_column": "a", "new_column": "a", "action": "transform", "transform_sql": "old.a || ''"},
        {"new_column": "m", "action": "default", "default_value": "SPECIFY_DEFAULT_VALUE"},
    ],
    "gone": [{"action": "drop_table"}],
}


@pytest.mark.parametrize(
    ("wanted", "findings"),
    [
        ({"t.a": "transform", "t.m": None, "gone": "drop_table"}, 0),
        ({"t.a": {"transform_sql": "old.a || ''"}, "t.m": {"action": "default"}, "gone": "drop_table"}, 0),
        ({"t.a": None, "t.m": "default", "gone": "ignore"}, 3),
        ({"t.a": {"transform_sql": None}, "t.m": None, "t.x": None}, 3),
    ],
)
def test_questions_are_compared(wanted: dict[str, str | dict[str, object] | None], findings: int) -> None:
    seen = Seen()
    compare_questions(wanted, ENTRIES, seen)
    assert len(seen.findings) == findings


def _files(*rejects: dict[str, object], read: int = 5) -> RunFiles:
    plain = {
        "table": "public.t",
        "column": None,
        "constraint": "t_ck",
        "sqlstate": "23514",
        "reason": "breaks t_ck",
    }
    counts = {
        "table": "public.t",
        "rows_read": read,
        "rows_migrated": 5 - len(rejects),
        "rows_left_out": 0,
        "rows_already_there": 0,
        "rows_kept": 0,
        "rows_updated": 0,
    }
    return RunFiles(
        {"tables": [{**counts, "rows_failed": len(rejects)}]},
        [{**plain, "row": {"id": str(r["id"]), "v": "Blue"}, "key": {"id": r["id"]}, **r} for r in rejects],
    )


@pytest.mark.parametrize(
    ("rows", "words", "findings"),
    [
        ([{"id": 1}], "", 0),
        (
            [
                {
                    "id": 1,
                    "why": "T_CK",
                    "sqlstate": "23514",
                    "constraint": "t_ck",
                    "reason_contains": "breaks",
                }
            ],
            "",
            0,
        ),
        ([{"id": 1, "sqlstate": "23505", "why": "other"}], "", 2),
        ([{"id": 2}], "", 2),
        ([{"id": 1}, {"id": 2}], "", 2),
        ([{"id": 1}], "breaks | overflow", 0),
        ([{"id": 1}], "over/flow", 1),
        ([{"id": 1}], "the value itself (Blue)", 1),
    ],
)
def test_rejects_are_compared(rows: list[dict[str, object]], words: str, findings: int) -> None:
    seen = Seen()
    outcome = Outcome(outcome="partial", rejected={"public.t": rows}, reason_contains=words)
    compare_rejects(outcome, _files({"id": 1}), seen, quotes=reason_test(outcome))
    assert len(seen.findings) == findings


def test_rows_that_are_not_accounted_for_are_found() -> None:
    seen = Seen()
    compare_rejects(DryRun(outcome="success"), _files(read=6), seen)
    assert len(seen.findings) == 1
