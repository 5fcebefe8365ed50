"""Words of a command line that hold a password are not repeated, however a message writes them."""

from __future__ import annotations

import pytest

from tranship.cli.concealed import concealed
from tranship.model.resolution import Problem


@pytest.mark.parametrize(
    ("word", "written", "shown"),
    [
        ("postgresql://me:hunter2@h/d", "no such command: 'postgresql://me:hunter2@h/d'", "postgresql://…"),
        ("postgresql://me:hunter2'x@h/d", 'none: "postgresql://me:hunter2\'x@h/d"', "postgresql://…"),
        ("postgresql://me:hunter2\\@h/d", repr("postgresql://me:hunter2\\@h/d"), "postgresql://…"),
        ("postgresql://me:hunter2@h/d", "file not found: postgresql:/me:hunter2@h/d", "found: …"),
        ("--jobs=postgresql://me:hunter2@h/d", "'postgresql://me:hunter2@h/d' is none", "'postgresql://…'"),
        ("me:hunter2@h/d", "(me:hunter2@h/d)", "(…)"),
        ("host=h password=hunter2", "'host=h password=hunter2' is none", "'…' is none"),
    ],
)
def test_no_part_of_a_problem_repeats_it(word: str, written: str, shown: str) -> None:
    (told,) = concealed((Problem("TS101", written, written, written),), ("analyze", word))
    assert all("hunter2" not in text and shown in text for text in (told.object, told.message, told.hint))


@pytest.mark.parametrize("word", ["postgresql://me:${PW}@h/d", "postgresql://me@h/d", "c:d.json", "c.json"])
def test_what_holds_no_password_stays(word: str) -> None:
    problem = Problem("TS101", word, f"wrong: {word}")
    assert concealed((problem,), (word,)) == (problem,)
