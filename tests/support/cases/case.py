"""A case folder as a value: two schemas with rows, decisions, and what must come of them.

old.sql new.sql                     loaded by psql into empty databases (old.encoding / new.encoding: one word, UTF8 without)
resolutions.json                    the decisions, where it needs some
expect.sql                          asked of NEW (psql -AtX) and compared with expect.txt, or expect_refused.txt after a refusal
outcome.json                        see ``Outcome``
more_bad.json                       further resolutions, each of which must be refused
writer.sh OLD_URL SECONDS           runs while the live run does
hold_temp.sh OLD_URL NEW_URL        runs from the first command to the last
connect.json                        {"old": {"user", "password"}, "new": …}
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support import ROOT, SHARED

OWN = ROOT / "tests" / "cases"
SHARED_CASES = SHARED / "cases"
STATUS = {"success": 0, "partial": 1, "refuse": 3}
ONLY_ON = {"01_scalars_extreme": 15, "36_text_to_int": 15}
"""The expectation holds for this version alone: from PostgreSQL 16 on ``E'\\v'`` is a vertical tab and ``1_000`` an integer."""
OTHER_READING = {"73_large_objects": "expect_alt.txt"}
"""Where a case allows two outcomes and its first is not ours: large objects are named, not moved."""


@dataclass(frozen=True)
class Outcome:
    """``outcome.json``: what must come of it."""

    document: dict[str, Any]

    @property
    def kind(self) -> str:
        """``success`` (exit 0), ``partial`` (some rows rejected, exit 1) or ``refuse`` (exit 3, nothing written)."""
        return str(self.document["outcome"])

    @property
    def status(self) -> int:
        return STATUS[self.kind]

    @property
    def rejected(self) -> dict[str, list[dict[str, Any]]]:
        """Per table the keys of exactly the rows that are rejected; ``why`` is part of the reason or the constraint."""
        return dict(self.document.get("rejected") or {})

    @property
    def rejected_count(self) -> dict[str, int]:
        """How many, per table."""
        return self.document.get("rejected_count") or {
            table: len(rows) for table, rows in self.rejected.items()
        }

    @property
    def reasons(self) -> list[str]:
        """One of these stands in each reject's reason (a sentence about them is for people)."""
        words = str(self.document.get("reason_contains", ""))
        return [] if not words or words.startswith("the ") else [w.strip().lower() for w in words.split("|")]

    @property
    def undecided_refused(self) -> bool:
        """Without the resolutions the run must be refused."""
        return str(self.document.get("undecided", "")).startswith("refuse")

    def names(self, key: str) -> list[str]:
        """A list of names: ``breaking``, ``error_contains``, ``must_report``, ``new_constraints_to_show``."""
        return [str(name) for name in self.document.get(key, [])]

    def login(self, side: str) -> dict[str, str]:
        """User and password of one side (``old``, ``new``) where it is not the superuser."""
        return dict(self.document.get(f"connect_{side}_as") or {})


@dataclass(frozen=True)
class Case:
    """One folder."""

    folder: Path

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def own(self) -> bool:
        """It is the project's, so its expectations may be rewritten."""
        return self.folder.is_relative_to(OWN)

    @property
    def outcome(self) -> Outcome:
        return Outcome(json.loads(self.text("outcome.json")))

    def text(self, name: str) -> str:
        """A file of the case."""
        return (self.folder / name).read_text(encoding="utf-8")

    def path(self, name: str) -> Path | None:
        """A file that may be missing."""
        path = self.folder / name
        return path if path.is_file() else None

    @property
    def expectation(self) -> str:
        """The file that ``expect.sql`` is compared with."""
        return (
            "expect_refused.txt"
            if self.outcome.kind == "refuse"
            else OTHER_READING.get(self.name, "expect.txt")
        )

    def encoding(self, side: str) -> str:
        path = self.path(f"{side}.encoding")
        return path.read_text(encoding="ascii").strip() if path else "UTF8"

    def login(self, side: str) -> dict[str, str]:
        """User and password of one side, empty for the superuser."""
        connect = self.path("connect.json")
        return json.loads(connect.read_text(encoding="utf-8"))[side] if connect else self.outcome.login(side)


def own_cases() -> list[Case]:
    """The project's cases: tests/cases/<topic>/<case>/."""
    return [Case(path.parent) for path in sorted(OWN.glob("*/*/outcome.json"))]


def shared_cases() -> list[Case]:
    """The cases beside the checkout; none on most machines."""
    return [Case(path.parent) for path in sorted(SHARED_CASES.glob("*/outcome.json"))]
