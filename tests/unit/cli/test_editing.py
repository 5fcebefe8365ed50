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
    return editing(tmp_path, capsys, "t(id int pk, fax text, lost text)", "t(id int pk)")


def editing(tmp_path: Path, capsys: pytest.CaptureFixture[str], *schemas: str) -> Edit:
    """Returns what goes through the questions about an old and a new schema."""
    changes = changes_of(tmp_path, *schemas)
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
        for key in ("a  accept", "number  ", "e  ", "j  ", "n  ", "s  skip", "b  back", "q  quit"):
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


def test_what_needs_another_answer_first_is_offered_last_and_taken_then(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edit = editing(
        tmp_path,
        capsys,
        "customer(id int pk, name text, street text, city text, zip text)",
        "customer(id uuid pk, name text);"
        "address(id int pk = 1, customer_id uuid! -> customer.id, street text, city text, zip text)",
    )
    said = edit("a", "s", "s", "s", "a", "q")
    assert "1 of 5. [customer] Column 'id' type mismatch" in said, said
    assert "5 of 5. [customer] Suggestion: " in said, said
    assert "first decide action 'new_key' for customer.id: " in said
    assert "TS328 " not in said, "it is accepted when it is offered"
    assert "accepted: Ann" not in said
    assert "Nothing is open." in edit("q")


def _file(folder: Path) -> Path:
    (path,) = folder.glob("*manual_resolutions.json")
    return path


@pytest.fixture
def shop(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Edit:
    return editing(
        tmp_path,
        capsys,
        "t(id int pk, fax text, gone bool)",
        "t(id int pk, gone bool); u(id int pk, number text)",
    )


def test_a_decision_that_nobody_asked_is_typed_beside_a_question(shop: Edit, tmp_path: Path) -> None:
    said = shop("n", "1", "", "NOT old.gone", "leave_out", "old rows", "s")
    assert said.count("1 of 1. [t]") == 2, "the question is asked again"
    assert "for (empty: t; 'old -> new' is one more flow into another table): \n" in said, said
    assert "✓ saved" in said
    text = _file(tmp_path).read_text(encoding="utf-8")
    assert '"where": "NOT old.gone"' in text and '"because": "old rows"' in text
    assert "Nothing is open" not in said


def test_one_more_flow_settles_the_question_that_it_answers(shop: Edit, tmp_path: Path) -> None:
    said = shop("n", "2", "t -> u", "number", "old.fax", "")
    assert "✓ saved" in said and said.count("1 of 1. [t]") == 1, said
    text = _file(tmp_path).read_text(encoding="utf-8")
    assert '"t -> u"' in text and '"transform_sql": "old.fax"' in text


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (("n", ""), "Nothing is typed: back to the question."),
        (("n", "9", ""), "'9' is none of 1 to 7"),
        (("n", "1", "", ""), "Nothing is typed: back to the question."),
        (("n", "1", "nowhere", "true", "", ""), "TS32"),
        (("n", "1", "", "true", "", "s"), "Skipped: nothing is saved."),
        (("n", "b"), "1 of 1. [t]"),
    ],
)
def test_what_is_no_decision_is_said_and_nothing_is_saved(
    shop: Edit, tmp_path: Path, lines: tuple[str, ...], told: str
) -> None:
    path = _file(tmp_path)
    before = path.read_bytes()
    said = shop(*lines)
    assert told in said and said.count("1 of 1. [t]") == 2, said
    assert path.read_bytes() == before
