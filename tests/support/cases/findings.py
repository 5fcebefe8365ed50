"""What a walk found, and the comparisons of files with an expectation."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from support.cases.commands import RunFiles, called
from support.cases.outcome import DryRun, Outcome, names, row_reasons, row_values


@dataclass
class Seen:
    """What a case showed; it holds when ``findings`` is empty.

    ``answers`` are those of its questions, by their place.
    """

    findings: list[str] = field(default_factory=list)
    outcome: str = ""
    answers: dict[tuple[int, int], str] = field(default_factory=dict)

    def check(self, holds: object, finding: str) -> bool:
        """Adds the finding unless it holds, and returns whether it does."""
        if not holds:
            self.findings.append(finding)
        return bool(holds)


def compare_changes(outcome: Outcome, changes: list[dict[str, Any]], seen: Seen) -> None:
    """Compares what ``analyze`` calls breaking and automatic with the expectation."""
    breaking = [change for change in changes if change["type"] == "breaking"]
    if outcome.breaking is not None:
        wanted = list(names(outcome.breaking))
        for name in wanted:
            seen.check(any(_named(name, c) for c in breaking), f"analyze does not call {name} breaking")
        for change in breaking:
            if not any(_named(name, change) for name in wanted):
                seen.check(False, f"analyze calls this breaking: [{change['table']}] {change['description']}")
    decided = set(names(outcome.breaking or ()))
    for name in (name for name in names(outcome.automatic) if name not in decided):
        done = [c for c in changes if _named(name, c) and c["type"] != "breaking"]
        seen.check(done, f"analyze does not name {name} as done without a decision")


def _named(name: str, change: Mapping[str, Any]) -> bool:
    """Whether a change concerns a table, or ``table.column``; the schema may be left out."""
    tables = {str(change[key]) for key in ("table", "new_table") if change.get(key)}
    tables |= {table.partition(".")[2] for table in tables}
    columns = {change[key] for key in ("old_column", "new_column") if change.get(key)}
    if not columns:
        return name in tables
    return any(name == f"{table}.{column}" for table in tables for column in columns)


def compare_questions(
    wanted: Mapping[str, str | dict[str, Any] | None], entries: Mapping[str, list[dict[str, Any]]], seen: Seen
) -> None:
    """Compares what ``resolve generate`` filled in, or left open, with the expectation."""
    asked = {
        f"{table}.{column}"
        if (column := entry.get("old_column") or entry.get("new_column"))
        else table: entry
        for table, rows in entries.items()
        for entry in rows
    }
    for name in asked.keys() - wanted.keys():
        seen.check(False, f"resolve generate asks about {name}: {_answer(asked[name])}")
    for name in wanted.keys() - asked.keys():
        seen.check(False, f"resolve generate does not ask about {name}")
    for name in wanted.keys() & asked.keys():
        expected, entry = wanted[name], asked[name]
        open_ = any(isinstance(v, str) and v.startswith("SPECIFY_") for v in entry.values())
        match expected:
            case None:
                seen.check(open_, f"resolve generate fills in {name}: {_answer(entry)}")
            case str():
                seen.check(
                    not open_ and entry["action"] == expected,
                    f"resolve generate should fill in {expected} for {name}, not {_answer(entry)}",
                )
            case _:
                told = {key: entry.get(key) for key in expected}
                seen.check(told == expected, f"{name}: resolve generate says {told}, expected {expected}")


def _answer(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if not key.startswith("_") and key != "description"}


def compare_runs(first: RunFiles, second: RunFiles, names_: tuple[str, str], seen: Seen) -> None:
    """Two runs over the same rows reach the same numbers and reject the same rows."""
    before, after = names_
    counts = f"the {before} came to {first.counts()}, the {after} to {second.counts()}"
    seen.check(first.counts() == second.counts(), counts)
    seen.check(first.keys() == second.keys(), f"the {before} and the {after} reject other rows")
    cells = [[(called(table), table["cells"]) for table in run.result["tables"]] for run in (first, second)]
    counts = f"the {before} counts {cells[0]} cells, the {after} {cells[1]}"
    seen.check(cells[0] == cells[1], counts)


def compare_rejects(
    expected: DryRun,
    files: RunFiles,
    seen: Seen,
    *,
    quotes: Callable[[dict[str, Any], str], bool] | None = None,
) -> None:
    """Compares every table's numbers, and its rejected rows where the expectation lists them."""
    for table in files.result["tables"]:
        words = ("migrated", "failed", "already_there", "kept", "updated")
        whole = sum(table[f"rows_{word}"] for word in words) + table.get("rows_merged", 0)
        made = table.get("rows_made", table["rows_read"] - table["rows_left_out"])
        seen.check(made == whole, f"{called(table)}: {made} rows, accounted for {whole}")
    failed = files.failed()
    seen.check(
        failed == expected.counts, f"rejected {failed}, expected {expected.counts}: {files.rejects[:12]}"
    )
    for word, wanted in (
        ("already_there", expected.already_there),
        ("left_out", expected.left_out),
        ("kept", expected.kept),
        ("updated", expected.updated),
        ("merged", expected.merged),
    ):
        counted = {called(t): t.get(f"rows_{word}", 0) for t in files.result["tables"]}
        rows = {table: count for table, count in counted.items() if count}
        seen.check(wanted is None or rows == wanted, f"{word}: {rows}, not {wanted}")
    if expected.rejected:
        for table, rows in expected.rejected.items():
            _compare_table(table, rows, [r for r in files.rejects if called(r) == table], seen)
    for reject in files.rejects if quotes else ():
        assert quotes is not None
        seen.check(quotes(reject, _said(reject)), f"{reject['table']}: the reason says {reject['reason']!r}")


def _compare_table(
    table: str, expected: list[dict[str, Any]], rejects: list[dict[str, Any]], seen: Seen
) -> None:
    left = list(rejects)
    for row in expected:
        match = next((r for r in left if _is(row, r)), None)
        if match is None:
            seen.check(False, f"{table}: {row} should be rejected")
            continue
        left.remove(match)
        for key, words in row_reasons(row).items():
            if key in ("sqlstate", "constraint"):
                holds = str(match[key]) == words
            else:
                holds = words.lower() in _said(match)
            seen.check(holds, f"{table}: {row} is rejected for another reason: {match}")
    seen.check(not left, f"{table}: these should not be rejected: {[r['key'] or r['row'] for r in left]}")


def _said(reject: Mapping[str, Any]) -> str:
    """The reason of a reject with the constraint and the column, in small letters."""
    return f"{reject['reason']} {reject['constraint'] or ''} {reject['column'] or ''}".lower()


def _is(row: dict[str, Any], reject: Mapping[str, Any]) -> bool:
    """Whether a reject is the expected row, its values compared as text."""
    values = {"item": reject.get("item"), **(reject["row"] or {}), **(reject["key"] or {})}
    return all(
        column in values and str(values[column]) == str(value) for column, value in row_values(row).items()
    )


def reason_test(outcome: Outcome) -> Callable[[dict[str, Any], str], bool] | None:
    """Returns what ``reason_contains`` demands of a reject and its reason, None where it is not said.

    ``|`` and ``/`` separate words of which one has to be there. ``the unmapped value (…)`` is a sentence
    for people: the reason then has to quote a value of the rejected row.
    """
    words = outcome.reason_contains
    if not words:
        return None
    if words.startswith("the "):
        return lambda reject, said: any(
            str(value).lower() in said if value != "" else "''" in said
            for value in (reject["row"] or {}).values()
            if value is not None
        )
    alternatives = [word.strip().lower() for word in re.split(r"[|/]", words)]
    return lambda _, said: any(word in said for word in alternatives)
