"""Cases beside the checkout: a folder each, with ``old.sql``, ``new.sql``, ``outcome.json``,
``expect.sql`` and its answer.

resolutions.json              the decisions, where it needs some
old.encoding new.encoding     one word; UTF8 without
expect_refused.txt            the answer after a refusal; expect.txt otherwise
more_bad.json                 further resolutions, each of which must be refused
writer.sh hold_temp.sh        see ``Case``
connect.json                  {"old": {"user", "password"}, "new": …}
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import msgspec

from support import SHARED
from support.cases.case import (
    Asked,
    Case,
    Databases,
    Decisions,
    Expected,
    Script,
    Side,
    SideName,
    Step,
    Wrong,
)
from support.cases.outcome import Login, Outcome, read_outcome

SHARED_CASES = SHARED / "cases"
ONLY_ON = {"01_scalars_extreme": 15, "36_text_to_int": 15}
"""The expectation holds for this version alone: from PostgreSQL 16 on ``E'\\v'`` is a vertical tab
and ``1_000`` an integer.
"""
OTHER_READING = {"73_large_objects": "expect_alt.txt"}
"""Where a case allows two outcomes and its first is not ours: large objects are named, not moved."""


def shared_cases() -> list[Case]:
    """Returns the cases beside the checkout; none on most machines."""
    return [case for path in sorted(SHARED_CASES.glob("*/outcome.json")) for case in _cases(path.parent)]


def _cases(folder: Path) -> Iterator[Case]:
    """Yields the case of a folder, and the same as another account where it asks for that."""
    outcome = read_outcome((folder / "outcome.json").read_bytes())
    yield _case(folder, outcome, OTHER_READING.get(folder.name, _expectation(outcome)))
    second = outcome.second_run
    if second is not None and second.connect_new_as is not None:
        changed = Outcome(
            outcome=second.outcome, error_contains=second.error_contains, connect_new_as=second.connect_new_as
        )
        yield _case(folder, changed, second.expect, name=f"{folder.name} as {second.connect_new_as.user}")


def _expectation(outcome: Outcome) -> str:
    return "expect_refused.txt" if outcome.outcome == "refuse" else "expect.txt"


def _case(folder: Path, outcome: Outcome, expectation: str, *, name: str = "") -> Case:
    steps: list[Step] = [Script("old", _text(folder, "old.sql")), Script("new", _text(folder, "new.sql"))]
    if (folder / "resolutions.json").is_file():
        steps.append(Decisions(_text(folder, "resolutions.json")))
    if (folder / "more_bad.json").is_file():
        steps += [
            Wrong(json.dumps({"resolutions": entry["resolutions"]}), entry["why"])
            for entry in json.loads(_text(folder, "more_bad.json"))
        ]
    steps += [
        Expected(outcome),
        Asked("new", _text(folder, "expect.sql"), _text(folder, expectation)),
    ]
    return Case(
        name or folder.name,
        folder,
        tuple(steps),
        Databases(old=_side(folder, outcome, "old"), new=_side(folder, outcome, "new")),
        only_on=ONLY_ON.get(folder.name),
        holder=_file(folder, "hold_temp.sh"),
        writer=_file(folder, "writer.sh"),
    )


def _side(folder: Path, outcome: Outcome, name: SideName) -> Side:
    login = outcome.connect_old_as if name == "old" else outcome.connect_new_as
    if (folder / "connect.json").is_file():
        login = msgspec.convert(json.loads(_text(folder, "connect.json"))[name], Login)
    encoding = _text(folder, f"{name}.encoding").strip() if _file(folder, f"{name}.encoding") else "UTF8"
    return Side(encoding=encoding, login=login)


def _file(folder: Path, name: str) -> Path | None:
    path = folder / name
    return path if path.is_file() else None


def _text(folder: Path, name: str) -> str:
    return (folder / name).read_bytes().decode("utf-8", errors="surrogateescape")
