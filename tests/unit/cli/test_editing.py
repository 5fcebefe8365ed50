"""What a person is told who types something that answers no question of ``resolve edit``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.changes import changes_of
from tranship import api
from tranship.api.deciding import Deciding
from tranship.cli.editing import Dialog

Edit = Callable[..., str]


@pytest.fixture
def edit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Edit:
    changes = changes_of(tmp_path, "t(id int pk, fax text, lost text)", "t(id int pk)")
    written = asyncio.run(api.suggest(changes, results_dir=str(tmp_path)))
    assert written.path is not None
    deciding = Deciding(written.path, changes)

    def typed(*lines: str) -> str:
        """Types lines, then ends the input; returns what is printed, with the prompts."""
        left: Iterator[str] = iter(lines)

        def ask(prompt: str) -> str:
            line = next(left, None)
            # As a terminal shows it: the prompt, and behind it what is typed.
            print(f"{prompt}{line or ''}")
            if line is None:
                raise EOFError
            return line

        Dialog(deciding, ask, "Ann").run(all_=False)
        return capsys.readouterr().out

    return typed


def test_a_question_mark_explains_each_key_and_the_question_is_asked_again(edit: Edit) -> None:
    for word in ("?", "h", "help"):
        said = edit(word)
        for key in ("a  accept", "number  ", "e  ", "j  ", "s  skip", "b  back", "q  quit"):
            assert said.count(f"\n    {key}") == 1, said
        assert said.count("1 of 2. [t]") == 1, "the question is on the screen already"
        assert said.count("\n> ") == 2, said
    assert "? help" in edit("q")


def test_enter_alone_skips_nothing(edit: Edit) -> None:
    said = edit("", "s", "q")
    assert "Nothing is typed, so nothing is decided or skipped" in said
    assert said.count("1 of 2. [t]") == 1 and said.count("2 of 2. [t]") == 1, said


def test_a_question_mark_at_a_field_explains_the_keys_there(edit: Edit) -> None:
    said = edit("e", "?", "b", "q")
    assert said.count("= before a value that is such a letter itself") == 2, said
    assert "saved" not in said
