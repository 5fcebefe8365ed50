"""How failures are listed."""

from __future__ import annotations

from tranship.cli.context import CliContext
from tranship.cli.trouble import lines_of, listed, spelled
from tranship.errors.codes.decisions import Undecided, UndecidedChanges
from tranship.model.resolution import Problem


def _undecided(table: str, column: str, what: str = "type mismatch") -> Problem:
    return Undecided(f"Column '{column}' {what}").problem(f"public.{table}.{column}")


def test_problems_alike_are_one_line_with_the_names_of_the_others() -> None:
    changes = [
        _undecided("a", "at"),
        _undecided("b", "made"),
        _undecided("c", "x", "is gone"),
        _undecided("d", "at"),
    ]
    assert lines_of([UndecidedChanges(4, "tranship resolve generate").problem(), *changes]) == [
        "TS300 Breaking changes detected: 4",
        "  TS301 public.a.at: Column 'at' type mismatch\n    the same for 2 more: public.b.made, public.d.at",
        "  TS301 public.c.x: Column 'x' is gone",
        "  hint: decide each of them; to write them down with suggestions: tranship resolve generate",
    ]


def test_the_first_of_problems_alike_is_named_where_its_name_begins_another_one() -> None:
    changes = [_undecided("address", "address"), _undecided("address", "address2"), _undecided("a", "x")]
    changes.append(Undecided("Column 'address' type mismatch").problem("public.other.address"))
    (line, *_) = lines_of([UndecidedChanges(4, "x").problem(), *changes])[1:]
    assert line.startswith("  TS301 public.address.address: Column 'address' type mismatch\n")


def test_two_problems_alike_stay_two_lines() -> None:
    changes = [_undecided("a", "at"), _undecided("b", "at")]
    assert listed(changes) == [
        "TS301 public.a.at: Column 'at' type mismatch",
        "TS301 public.b.at: Column 'at' type mismatch\n  hint: decide it in the resolutions file",
    ]


def test_very_many_names_are_cut_off() -> None:
    (line,) = listed([_undecided(f"t{n}", "at") for n in range(500)])
    assert "the same for 499 more: public.t1.at, " in line
    assert "public.t40.at and 459 more" in line


HINT = "hint: tranship resolve generate writes it; tranship doctor CONFIG --restore; tranship moves rows"


def _call(invocation: str, *databases: str) -> CliContext:
    return CliContext(arguments=(), invocation=invocation, databases=databases)


def test_commands_are_spelled_as_the_program_was_called() -> None:
    scripts = _call("python scripts")
    assert spelled(HINT, _call("tranship")) == HINT
    assert spelled(HINT, scripts) == (
        "hint: python scripts/manual_resolutions.py generate writes it;"
        " PYTHONPATH=src python -m tranship doctor CONFIG --restore; tranship moves rows"
    )
    again = spelled(HINT, scripts)
    assert spelled(again, scripts) == again


def test_commands_name_the_databases_that_the_call_named() -> None:
    assert "tranship doctor 'my shop.json' --restore" in spelled(HINT, _call("tranship", "my shop.json"))
    assert "tranship doctor postgres:///a postgres:///b --restore" in spelled(
        HINT, _call("tranship", "postgres:///a", "postgres:///b")
    )
    assert "python -m tranship doctor config.json --restore" in spelled(
        HINT, _call("python scripts", "config.json")
    )
