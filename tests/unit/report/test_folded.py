"""Long lines are broken between words, and commands stay whole."""

from __future__ import annotations

from tranship.cli.entry import COMMANDS as KNOWN
from tranship.report import folded as page
from tranship.report.folded import columns, folded

NAMES = "      the same for 4 more columns: customers.first_name, customers.last_name, staff.first_name"


def test_the_rest_of_a_line_stands_further_in() -> None:
    assert folded(NAMES, 60) == (
        "      the same for 4 more columns: customers.first_name,\n        customers.last_name, staff.first_name"
    )


def test_what_fits_is_left_alone() -> None:
    table = "  public.users      12       12         0\n\n  public.orders      8        8         0"
    assert folded(table, 60) == table
    assert folded("x" * 60, 60) == "x" * 60


def test_each_line_of_a_text_is_folded_for_itself() -> None:
    text = "TS100 something is not as it should be\n  hint: look at both of the files and choose"
    assert folded(text, 30).split("\n") == [
        "TS100 something is not as it",
        "  should be",
        "  hint: look at both of the",
        "    files and choose",
    ]


def test_a_word_that_is_too_long_keeps_its_characters() -> None:
    assert folded("see results/" + "x" * 40 + " for more", 30).split("\n") == [
        "see",
        "  results/" + "x" * 40,
        "  for more",
    ]


def test_a_command_is_never_broken() -> None:
    for command in (
        "tranship resolve edit results/my_manual_resolutions.json results/my_migration_changes.json",
        "python scripts/data_migrator.py config/my-config.json --prefix my --resolutions x.json",
        "PYTHONPATH=src python -m tranship resolve edit results/a.json results/b.json --by somebody",
    ):
        text = f"9 questions are still open. Answer in the file, or one by one: {command}"
        assert folded(text, 70).split("\n")[-1] == f"  {command}"
    # The program's name within a sentence begins no command.
    assert "\n" in folded("Not created: tranship moves rows, and no definitions of anything", 40)


def test_every_command_is_known() -> None:
    assert page.COMMANDS.split("|") == sorted(KNOWN)


def test_a_quoted_name_is_never_broken() -> None:
    assert folded('GRANT SELECT ON public.short, public."a long name of a table" TO reader;', 40).split(
        "\n"
    ) == [
        "GRANT SELECT ON public.short,",
        '  public."a long name of a table" TO',
        "  reader;",
    ]
    assert folded('an inch is written 1" here and nothing closes it again', 30).count("\n") == 1


def test_columns_are_those_of_a_terminal() -> None:
    assert [columns(text) for text in ("abc", "漢字", "e\u0301", "é")] == [3, 4, 1, 1]


def test_a_terminal_without_room_is_left_alone() -> None:
    assert folded(NAMES, 0) == NAMES
