"""Comparing, suggesting, validating: everything before a row is copied."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from tranship import __version__
from tranship.analysis.decided_pairs import TablePairs, read_decided_pairs, with_pairs
from tranship.analysis.evidence import gather
from tranship.analysis.problems import not_asked
from tranship.analysis.sides import (
    Connections,
    Sides,
    connections,
    read_background,
    read_sides,
    recorded_background,
    recorded_scope,
    refuse,
    refuse_same_database,
)
from tranship.analysis.spellings import read_spellings
from tranship.analysis.stale import stale_resolutions
from tranship.analysis.swapped import perhaps_swapped
from tranship.api.judging import Judge
from tranship.api.suggested import suggestions_in
from tranship.codec import (
    CHANGES_FORMAT,
    ChangeRecord,
    ChangesFile,
    SideInfo,
    read_changes,
    write_changes,
    write_json,
    write_text,
)
from tranship.codec.decision_file import DecisionFile
from tranship.codec.files import check_folder, free_path, result_path
from tranship.codec.resolutions import read_resolutions
from tranship.codec.schema import SCHEMA_FILE, resolutions_schema
from tranship.config import Config, Endpoint
from tranship.errors import UsageError
from tranship.model.catalog import Catalog
from tranship.model.change import ChangeClass, Comparison, Matching
from tranship.model.evidence import Evidence
from tranship.model.names import TableName
from tranship.model.options import pattern_words
from tranship.model.progress import Began, Event
from tranship.model.resolution import Problem, ResolutionFile
from tranship.model.statistics import Background, Statistics
from tranship.planning.comparing.compare import compare
from tranship.planning.comparing.meaning import observed_in
from tranship.planning.comparing.structure import open_spellings
from tranship.planning.deciding.suggest import Question
from tranship.planning.deciding.suggest import suggest as suggest_answers
from tranship.planning.deciding.suggest.document import SUGGESTIONS
from tranship.planning.deciding.suggest.shapes.whole import Shape
from tranship.planning.matching.match import match
from tranship.report.describe.analysis import Decided, describe_analysis
from tranship.report.document import Document
from tranship.report.html import render_html
from tranship.report.notebook import comparison_html
from tranship.report.text import render_text

_FILES = ("migration_report.txt", "migration_report.html", "migration_changes.json")
"""Names of the report, of the same as a page, and of the changes."""
_RESOLUTIONS = "manual_resolutions.json"
"""Name of the file with the decisions."""


class Analysis(Struct, frozen=True):
    """What ``analyze`` has found and written."""

    comparison: Comparison
    report: str
    """The report as it stands in its file."""
    document: Document
    """What it says, for `render_text` with another look."""
    report_path: Path
    page_path: Path
    """The same report as one HTML page."""
    changes_path: Path
    problems: tuple[Problem, ...] = ()
    """Warnings: what could not be read or checked."""
    questions: int = 0
    """Number of questions that ``suggest`` will ask."""
    suggestions: int = 0
    """Number of suggestions beside them, which say what else may become of rows."""
    paired: TablePairs = ()
    """Old and new tables that an existing resolutions file pairs: their data was asked, too."""
    decided: Decided | None = None
    """What the resolutions file of the prefix leaves of the questions; None: there is none."""
    new_is_empty: bool = False
    """NEW has no tables in its schemas, so that nothing can be moved into it."""

    def _repr_html_(self) -> str:
        """Returns the changes as a table, which notebooks show."""
        return comparison_html(self.comparison)


class Suggestion(Struct, frozen=True):
    """What ``resolve generate`` has written."""

    path: Path | None
    """The resolutions file; None: nothing is open, and none was written."""
    questions: tuple[Question, ...]
    dropped: tuple[str, ...]
    """Entries of the earlier file that no longer apply, with the reason."""
    kept: int
    """Number of decisions taken over from the earlier file."""
    inserts: Path | None = None
    """A file of statements that would add the values which a suggested lookup lacks; None: it lacks none."""
    databases: tuple[str, ...] = ()
    """The words that named both databases when ``analyze`` was called, for the next command."""
    shapes: Mapping[int, Shape] = {}
    """What may become of rows beside the questions, by its number in the file, without what the file
    decides already.
    """
    earlier: Path | None = None
    """The earlier file as it was, where something of it was dropped."""


async def analyze(
    config: Config,
    *,
    prefix: str | None = None,
    results_dir: str = "results",
    probe_seconds: float = 30.0,
    on_event: Callable[[Event], None] = lambda _: None,
) -> Analysis:
    """Compares the two schemas, writing to neither database, and writes the report and the changes file.

    ``probe_seconds`` bounds the reads of data that support suggestions, also of tables that an existing
    resolutions file pairs. Paths are relative to the working directory. ``on_event`` is called with every
    phase as it begins.

    Raises:
        UsageError, ConnectError, Refused: the two cannot be compared, and no file was written.
    """
    report_path, page_path, changes_path = (result_path(results_dir, prefix, one) for one in _FILES)
    async with connections(config) as open_:
        await refuse_same_database(open_, config)
        on_event(Began("read both catalogs"))
        sides = await read_sides(config, open_)
        old, new = sides.old, sides.new
        # Before the questions to the data, which may take long, and after what refuses the pair.
        check_folder(changes_path)
        background, unread = await read_background(open_, sides)
        # Statistics first: they are evidence for the matching, on which every question to the data depends.
        matching = match(sides.old, sides.new, sides.scope, background=background)
        spellings = await _spellings(open_, sides, matching)
        on_event(Began("ask the data"))
        paired, unreadable = read_decided_pairs(result_path(results_dir, prefix, _RESOLUTIONS), sides)
        asked = with_pairs(sides.scope, paired)
        evidence = await gather(open_, old, new, asked, probe_seconds=probe_seconds, background=background)
        swapped = await perhaps_swapped(open_, (old, new), config)
    on_event(Began("write the report"))
    comparison = compare(old, new, matching, observed=observed_in(evidence), spellings=spellings)
    suggestions = suggest_answers(old, new, sides.scope, evidence, background=background)
    decided = _decided(result_path(results_dir, prefix, _RESOLUTIONS), sides, evidence, background)
    document = describe_analysis(comparison, (old, new), suggestions, evidence, decided=decided)
    write_changes(changes_path, _changes_file(config, sides, background, comparison, evidence))
    report = _write_report(document, report_path, page_path)
    return Analysis(
        *(comparison, report, document, report_path, page_path, changes_path),
        problems=(*swapped, *unreadable, *not_asked((*unread, *evidence.not_asked))),
        questions=len(suggestions.questions),
        suggestions=len(suggestions.shapes),
        paired=paired,
        new_is_empty=not sides.new.tables,
        decided=decided,
    )


def _decided(path: Path, sides: Sides, evidence: Evidence, background: Background) -> Decided | None:
    """Returns what an existing resolutions file leaves of the questions; None: none can be read."""
    try:
        file = read_resolutions(path) if path.exists() else None
    except UsageError:
        # The analysis depends on no file; a warning says what is wrong with this one.
        return None
    if file is None:
        return None
    asked = suggest_answers(sides.old, sides.new, sides.scope, evidence, file, background=background)
    return Decided(str(path), asked.questions)


async def _spellings(
    open_: Connections, sides: Sides, matching: Matching
) -> dict[tuple[TableName, str], str]:
    """Returns the form in which NEW prints the expressions of both sides that differ as texts."""
    unequal = open_spellings(sides.old, sides.new, matching)
    if not unequal:
        return {}
    async with open_.new.transaction(isolation="repeatable_read", readonly=True):
        return await read_spellings(open_.new, sides.new, unequal)


async def suggest(
    changes: Path,
    *,
    prefix: str | None = None,
    results_dir: str = "results",
    fresh: bool = False,
    empty: bool = True,
    schema: bool = True,
) -> Suggestion:
    """Writes the resolutions file with every open question, and where ``schema`` says so its JSON Schema
    beside it. It connects to no database.

    Decisions of an existing file are kept unless ``fresh``. When nothing is open, the file holds no entries,
    so that the same commands follow; without ``empty`` none is made. An existing file is then written again
    only if it names other schemas than ``changes`` does: its new fingerprints are the way out of TS303.

    Raises:
        UsageError: a file cannot be read.
        Refused: the existing file has entries that cannot be kept as they are.
    """
    recorded = read_changes(changes)
    path = result_path(results_dir, prefix, _RESOLUTIONS)
    existing = read_resolutions(path) if path.exists() and not fresh else None
    if existing is not None:
        refuse(existing.problems)
    scope = recorded_scope(recorded)
    found = suggest_answers(
        recorded.old.catalog,
        recorded.new.catalog,
        scope,
        recorded.evidence,
        existing,
        background=recorded_background(recorded),
    )
    kept = found.nothing_open and (not empty if existing is None else not _is_stale(existing, recorded, path))
    earlier = None
    if found.dropped:
        # A mistyped name is a reason to drop a decision, too: what a person wrote is not thrown away.
        earlier = free_path(path.with_name(f"{path.stem}_earlier{path.suffix}"))
        write_text(earlier, path.read_text(encoding="utf-8"))
    if not kept:
        _write(path, found.document, schema=schema)
    inserts = result_path(results_dir, prefix, "missing_lookups.sql") if found.inserts else None
    if inserts is not None:
        write_text(inserts, _for_psql(found.inserts))
    dropped = tuple(f"{d.path}: {d.reason}" for d in found.dropped)
    words = (*recorded.databases, *pattern_words(recorded.only, recorded.never))
    there = path if path.exists() else None
    shapes = _undecided_shapes(found.shapes, path)
    return Suggestion(there, found.questions, dropped, found.kept, inserts, words, shapes, earlier)


def _undecided_shapes(shapes: Sequence[Shape], path: Path) -> Mapping[int, Shape]:
    """Returns by number those that the file, in which all of them stand, does not decide already."""
    if not shapes:
        return {}
    taken = {one.place for one in suggestions_in(DecisionFile.read(path)) if one.taken}
    every = enumerate(shapes)
    return {n + 1: shape for n, shape in every if f"$.{SUGGESTIONS}[{n}]" not in taken}


def _for_psql(statements: Sequence[str]) -> str:
    """Returns statements as a file.

    Read under another client encoding, the last byte of a letter could swallow the quote that follows it
    (PostgreSQL documentation, "Character Set Support"), so the file says its own. Comments need none.
    """
    run = [text for text in statements if not text.startswith("--")]
    head = () if all(map(str.isascii, run)) else ("SET client_encoding = 'UTF8';",)
    return "\n".join((*head, *statements)) + "\n"


def _write(path: Path, document: Mapping[str, object], *, schema: bool) -> None:
    """Writes a resolutions file, with its JSON Schema beside it or without a word of one."""
    write_json(path, {key: part for key, part in document.items() if schema or key != "$schema"})
    if schema:
        write_json(path.with_name(SCHEMA_FILE), resolutions_schema())


def _is_stale(file: ResolutionFile | None, recorded: ChangesFile, path: Path) -> bool:
    """Returns whether the decisions were made on other schemas. A file written by hand names none: never
    stale.
    """
    if file is None:
        return False
    problems = stale_resolutions(file, recorded.old.catalog, recorded.new.catalog, path)
    return any(not one.warning for one in problems)


def validate(resolutions: Path, changes: Path) -> tuple[Problem, ...]:
    """Returns all problems of a resolutions file against a changes file, open questions included.

    It connects to no database and writes nothing.

    Raises:
        UsageError: one of the files cannot be read.
    """
    judge = Judge(read_changes(changes))
    return judge.problems(judge.judged(read_resolutions(resolutions)), resolutions)


def _write_report(document: Document, report_path: Path, page_path: Path) -> str:
    """Writes the report as a text and as a page; returns the text."""
    report = render_text(document)
    write_text(report_path, report)
    write_text(page_path, render_html(document))
    return report


def _changes_file(
    config: Config, sides: Sides, background: Background, comparison: Comparison, evidence: Evidence
) -> ChangesFile:
    def side(catalog: Catalog, endpoint: Endpoint, statistics: Statistics) -> SideInfo:
        configured = endpoint.schemas is not None
        return SideInfo(
            catalog.database, catalog.server_version, catalog.fingerprint, catalog, configured, statistics
        )

    counts = {cls.value: len(comparison.of(cls)) for cls in ChangeClass}
    return ChangesFile(
        format_version=CHANGES_FORMAT,
        tool_version=__version__,
        old=side(sides.old, config.old, background.old_statistics),
        new=side(sides.new, config.new, background.new_statistics),
        summary={"total": len(comparison.changes), **counts},
        changes=tuple(ChangeRecord.of(c) for c in comparison.changes),
        notes=tuple(ChangeRecord.of(c) for c in comparison.notes),
        tables=config.tables,
        table_mapping=config.table_mapping,
        databases=config.words,
        only=config.only,
        never=config.never,
        journal_schema=config.journal_schema,
        shared_ancestor=sides.shared_ancestor,
        evidence=evidence,
    )
