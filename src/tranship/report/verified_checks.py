"""What a verification found, as the checks that a build server lists."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from tranship.model.verification import AskedConstraint, Verification, VerifiedTable
from tranship.report.ci import Checked, Ended
from tranship.report.verification import constraint_lines, last_line, problem_lines, table_lines

_NAME = "verification"


def verified_checks(result: Verification, verdict: str) -> list[Checked]:
    """Returns a check for each table of a run, for each constraint and for each warning; the last is the
    ``verdict``, which fails where the command does.
    """
    ended = Ended.FAILED if result.exit_status else Ended.PASSED
    return [
        *_tables(result.tables),
        *map(_constraint, result.constraints),
        *(
            Checked(f"{_NAME} {one.code}", Ended.SKIPPED, _text(problem_lines([one])))
            for one in result.problems
        ),
        Checked(_NAME, ended, f"{verdict}\n{last_line(result)}"),
    ]


def _tables(tables: Sequence[VerifiedTable]) -> Iterator[Checked]:
    """Yields the check of each table. Only a table of several runs names them: a build server compares the
    names of checks with those of its last build.
    """
    runs = Counter((table.label, table.new_table) for table in tables)
    for table in tables:
        place = (table.label, table.new_table)
        yield _table(table, f" (run {table.run})" if runs[place] > 1 else "")


def _table(table: VerifiedTable, of_run: str) -> Checked:
    if table.verified is None:
        ended = Ended.SKIPPED
    else:
        ended = Ended.PASSED if table.verified else Ended.FAILED
    return Checked(f"{table.label} -> {table.new_table}{of_run}", ended, _text(table_lines(table)))


def _constraint(asked: AskedConstraint) -> Checked:
    name = f"{asked.table}: {asked.kind} {asked.name}"
    # The first line counts those that hold: of one constraint that says nothing.
    text = _text(list(constraint_lines([asked]))[1:])
    if asked.broken:
        return Checked(name, Ended.FAILED, text)
    return Checked(name, Ended.SKIPPED if asked.rows is None else Ended.PASSED, text)


def _text(lines: Iterable[str]) -> str:
    return "\n".join(line.strip() for line in lines)
