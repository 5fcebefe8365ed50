"""What a state of the resolutions file comes to is found out once, and is what `validate` says of it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from support.changes import changes_of
from tranship import api
from tranship.api.deciding import Answer, Deciding
from tranship.api.judging import Judge, Judged, same_decisions
from tranship.codec.decision_file import DecisionFile
from tranship.model.resolution import ResolutionFile

IGNORED = Answer({"action": "ignore"}, "Ann", "choice")
STAMP = "2000-01-01T00:00:00+00:00"


@pytest.fixture
def deciding(tmp_path: Path) -> Deciding:
    """Three questions of two tables; the changes are in ``changes.json``."""
    old = "t(id int pk, fax text, lost text); u(id int pk, gone text)"
    changes = changes_of(tmp_path, old, "t(id int pk); u(id int pk)")
    written = asyncio.run(api.suggest(changes, results_dir=str(tmp_path)))
    assert written.path is not None
    return Deciding(written.path, changes)


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A list that is as long as the number of states that were judged."""
    count: list[int] = []
    judge = Judge.judged

    def counted(self: Judge, file: ResolutionFile) -> Judged:
        count.append(1)
        return judge(self, file)

    monkeypatch.setattr(Judge, "judged", counted)
    return count


def test_an_answer_that_was_checked_is_judged_once(deciding: Deciding, judged: list[int]) -> None:
    for question in deciding.questions():
        deciding.questions(), deciding.problems(), deciding.drawings()
        before = len(judged)
        assert deciding.wrong(question.place, IGNORED) == ()
        assert deciding.answer(question.place, IGNORED) == ()
        deciding.reload()
        deciding.questions(), deciding.problems(), deciding.drawings()
        assert len(judged) == before + 1
    assert [one.open for one in deciding.questions()] == [False] * 3


def test_the_problems_are_those_of_validate(deciding: Deciding, tmp_path: Path) -> None:
    for question in deciding.questions():
        changes = next(tmp_path.glob("*changes.json"))
        assert deciding.problems() == api.validate(deciding.seen.path, changes)
        deciding.answer(question.place, IGNORED)
    assert not [one for one in deciding.problems() if not one.warning]


def test_what_somebody_else_saved_meanwhile_is_judged_anew(deciding: Deciding) -> None:
    first, second, third = deciding.questions()
    deciding.wrong(first.place, IGNORED)
    other = DecisionFile.read(deciding.seen.path)
    other.save(second.place, {"action": "ignore", "old_column": "lost"})
    deciding.reload()
    assert [one.place for one in deciding.questions() if one.open] == [first.place, third.place]
    deciding.answer(first.place, IGNORED)
    assert [one.place for one in deciding.questions() if one.open] == [third.place]


@pytest.mark.parametrize(
    ("changed", "same"),
    [
        ({"_decided": {"by": "Ann", "at": STAMP}}, True),
        ({"_decided": {"by": "Bob", "at": STAMP}}, False),
        ({"_decided": {"by": "Ann", "at": STAMP}, "because": "unused"}, False),
        ({"_decided": {"by": "Ann", "at": STAMP}, "action": "rename"}, False),
        ({"_evidence": ["another"]}, False),
    ],
)
def test_only_the_moment_of_a_decision_makes_no_difference(
    tmp_path: Path, changed: dict[str, object], same: bool
) -> None:
    entry = {
        "action": "ignore",
        "old_column": "a",
        "_decided": {"by": "Ann", "at": "2026-01-01T00:00:00+00:00"},
    }
    read = []
    for name, one in (("a", entry), ("b", {**entry, **changed})):
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps({"resolutions": {"t": [one]}}), encoding="utf-8")
        read.append(DecisionFile.read(path).file)
    assert same_decisions(*read) is same
