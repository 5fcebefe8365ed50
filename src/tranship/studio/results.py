"""What a run left in its files, for the page: what became of the rows, rejects by cause, the certificate."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from tranship import api
from tranship.errors import TranshipError
from tranship.model.certificate import Certificate, CertifiedTable
from tranship.model.verdict import MigrationResult, RejectCause
from tranship.report.by_table import certificate_columns, result_columns
from tranship.report.causes import cause_words
from tranship.report.certificate import caveats, last_runs, rejected_beside, rejected_by_cause
from tranship.report.rejects import part_of_rejects
from tranship.report.said_once import problem_lines
from tranship.report.verification import coverage, grouped

_REJECTS = 20
"""Rejected rows that the page shows; the file has all."""
_LOOKED_AT = 2000
"""Rejected rows among which those are looked for that others do not take along."""
_LONGEST = 100_000
"""Characters of a rejected row's line that are read: a row can have a gigabyte."""


class RejectShown(Struct, frozen=True):
    """A rejected row."""

    table: str
    key: str
    reason: str
    sqlstate: str
    row: str


class ResultShown(Struct, frozen=True):
    """What a run left."""

    verdict: str
    facts: tuple[tuple[str, str], ...] = ()
    headings: tuple[str, ...] = ()
    tables: tuple[tuple[str, ...], ...] = ()
    """Under the headings: name, what became of the rows and, where NEW was compared, what is verified."""
    causes: tuple[str, ...] = ()
    """Why rows are rejected that others do not take along."""
    consequences: tuple[str, ...] = ()
    """Why rows are rejected because of those."""
    rejects: tuple[RejectShown, ...] = ()
    rejects_file: str = ""
    rejects_held: str = ""
    """Where the rejected rows are, and how many of them, where the file does not hold all."""


def result_of(log: Path) -> ResultShown | None:
    """Returns what the run left whose output a file holds; None: it names no file, or they cannot be read."""
    try:
        text = log.read_text(encoding="utf-8", errors="backslashreplace")
        certificate = _named(text, "Certificate: ")
        if certificate is not None:
            return _certified(api.check_certificate(Path(certificate)), certificate)
        named = _named(text, "Result: ")
        # A verification that found something leaves a file of another form; its lines say it all.
        if named is None or Path(named).name.rpartition("verification_")[1]:
            return None
        return _moved(msgspec.json.decode(Path(named).read_bytes(), type=MigrationResult))
    except (OSError, msgspec.MsgspecError, TranshipError):
        return None


def _named(text: str, word: str) -> str | None:
    """Returns the path of the last line that begins with a word."""
    return next((line[len(word) :] for line in reversed(text.splitlines()) if line.startswith(word)), None)


def _moved(result: MigrationResult) -> ResultShown:
    stats = result.stats
    written = "written" if result.mode == "live" else "would be written"
    verdict = f"{grouped(stats.rows_migrated)} rows {written}, {grouped(stats.rows_failed)} rejected."
    if result.mode != "live" and result.status == "refused":
        verdict = f"A live run would be refused for now. {verdict}"
    facts = [("Ended as", f"{result.status}, status {result.exit_status}"), *_refusals(result)]
    columns = {heading: [*map(grouped, counts)] for heading, counts in result_columns(result).items()}
    if result.mode == "live":
        facts += [("Run", result.run_id), ("Verification", coverage(result.tables))]
        columns["Verified"] = [_verified(table.verified) for table in result.tables]
    found = [(table.label, cause) for table in result.tables for cause in table.causes]
    found.sort(key=lambda one: -one[1].rows)
    return ResultShown(
        verdict=verdict,
        facts=tuple(facts),
        headings=("Table", *columns),
        tables=_lines([table.label for table in result.tables], columns),
        causes=_words(found, consequences=False),
        consequences=_words(found, consequences=True),
        rejects=tuple(_rejects(result.rejects_file, found)),
        rejects_file=result.rejects_file or "",
        rejects_held=_held(result),
    )


def _words(found: Sequence[tuple[str, RejectCause]], *, consequences: bool) -> tuple[str, ...]:
    return tuple(
        f"{label}: {cause_words(cause, values=True)}"
        for label, cause in found
        if cause.consequence is consequences
    )


def _refusals(result: MigrationResult) -> Iterator[tuple[str, str]]:
    wrong = [problem for problem in result.problems if not problem.warning]
    if wrong:
        yield "Refused", "; ".join(line.strip() for line in problem_lines(wrong))


def _lines(names: Sequence[str], columns: Mapping[str, Sequence[str]]) -> tuple[tuple[str, ...], ...]:
    return tuple(zip(names, *columns.values(), strict=True))


def _held(result: MigrationResult) -> str:
    if result.rejects_file is None:
        return ""
    part = part_of_rejects(result)
    return f"{'More of them' if part else 'All of them'}: {result.rejects_file}{part}"


def _verified(verified: bool | str | None) -> str:
    match verified:
        case True:
            return "verified"
        case False:
            return "DIFFERS"
        case None:
            return "not compared"
        case words:
            return f"verified {words}"


def _rejects(path: str | None, found: Sequence[tuple[str, RejectCause]]) -> list[RejectShown]:
    """Returns the first rejected rows of a file, before all those that others do not take along."""
    if path is None:
        return []
    own = {(label, *_marks(cause)) for label, cause in found if not cause.consequence}
    causes: list[RejectShown] = []
    others: list[RejectShown] = []
    for record in _records(Path(path)):
        label = record.get("flow") or record["table"]
        mark = (label, record["sqlstate"], record["constraint"], record["column"])
        (causes if mark in own else others).append(
            RejectShown(
                label,
                json.dumps(record["key"], ensure_ascii=False),
                record["reason"],
                record["sqlstate"],
                json.dumps(record["row"], ensure_ascii=False),
            )
        )
        if len(causes) == _REJECTS:
            break
    return [*causes, *others][:_REJECTS]


def _marks(cause: RejectCause) -> tuple[str, str | None, str | None]:
    return cause.sqlstate, cause.constraint, cause.column


def _records(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        for _ in range(_LOOKED_AT):
            line = file.readline(_LONGEST)
            if not line.endswith("\n"):
                return
            yield json.loads(line)


def _certified(certificate: Certificate, path: str) -> ResultShown:
    cells = grouped(certificate.cells)
    facts = [
        ("OLD", certificate.old),
        ("NEW", f"{certificate.new.database} on {certificate.new.host}:{certificate.new.port}"),
        ("Compared", certificate.made),
        ("SHA-256", certificate.sha256),
        ("File", path),
        *(
            ("Run", f"{run.id}, {run.started} to {run.finished}, by {run.os_user}")
            for run in certificate.runs
        ),
    ]
    tables = certificate.tables
    columns = {heading: [*map(grouped, counts)] for heading, counts in certificate_columns(tables).items()}
    columns["Verified"] = [f"except {table.apart}" if table.apart else "verified" for table in tables]
    return ResultShown(
        verdict=" ".join(
            [f"Certificate: {cells} values in NEW are what OLD's rows became.", *caveats(certificate)]
        ),
        facts=tuple(facts),
        headings=("Table", *columns),
        tables=_lines([table.flow or table.table for table in tables], columns),
        causes=tuple(_each(tables, rejected_by_cause)),
        consequences=tuple(_each(tables, rejected_beside)),
    )


def _each(
    tables: Sequence[CertifiedTable], words: Callable[[CertifiedTable], tuple[str, ...]]
) -> Iterator[str]:
    for table in last_runs(tables):
        yield from (f"{table.flow or table.table}: {one}" for one in words(table))
