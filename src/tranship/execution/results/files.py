"""The files that a run leaves: its result and its rejects."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from msgspec import Struct
from msgspec.json import encode
from msgspec.structs import replace

from tranship import __version__
from tranship.codec import free_path, write_json, write_lines, write_text
from tranship.codec.files import result_path
from tranship.errors import Refused, Stopped
from tranship.execution.results.outcome import MigrationOutcome
from tranship.model.options import MigrateOptions
from tranship.model.verdict import MigrationResult, Mode, RejectRecord, Stats


def refused(error: Refused | Stopped, options: MigrateOptions, started: datetime.datetime) -> MigrationResult:
    """Returns the result of a run that did not start, or of which NEW cannot be asked any more."""
    return MigrationResult(
        tool_version=__version__,
        run_id="",
        mode=_mode(options),
        status="refused" if isinstance(error, Refused) else "stopped",
        exit_status=error.exit_status,
        snapshot=None,
        started=started.isoformat(timespec="milliseconds"),
        finished=datetime.datetime.now(tz=datetime.UTC).isoformat(timespec="milliseconds"),
        stats=Stats(),
        tables=(),
        problems=error.problems,
        resolutions_file=options.resolutions,
        arguments=options.arguments,
    )


def longest_path(options: MigrateOptions) -> Path:
    """Returns a path as long as the longest that a run writes."""
    return result_path(
        options.results_dir, options.prefix, "migration_rejects_rehearse_20000101_000000_99.jsonl"
    )


def _mode(options: MigrateOptions) -> Mode:
    if options.rehearse:
        return "rehearse"
    return "live" if options.live else "dryrun"


class Words(Struct, frozen=True):
    """What makes texts for people: a line of the rejects file, and the page of a dry run or a rehearsal."""

    line: Callable[[RejectRecord], str]
    page: Callable[[MigrationResult], str]


def write_outcome(
    outcome: MigrationOutcome, options: MigrateOptions, words: Words
) -> tuple[MigrationResult, Path]:
    """Names and writes the files of a run. Returns the result, with the names of the others, and its path."""
    stamp = datetime.datetime.now(tz=datetime.UTC).strftime("%Y%m%d_%H%M%S")
    result = outcome.result
    path = free_path(
        result_path(options.results_dir, options.prefix, f"migration_result_{result.mode}_{stamp}.json")
    )
    if len(outcome.rejects):
        rejects = free_path(
            result_path(options.results_dir, options.prefix, f"migration_rejects_{result.mode}_{stamp}.jsonl")
        )
        size = write_lines(rejects, _lines(outcome.rejects, words))
        result = replace(
            result, rejects_file=str(rejects), rejects_in_file=len(outcome.rejects), rejects_file_bytes=size
        )
    if outcome.merged:
        merged = free_path(
            result_path(options.results_dir, options.prefix, f"migration_merged_{result.mode}_{stamp}.jsonl")
        )
        write_lines(merged, (encode(record).decode() for record in outcome.merged))
        result = replace(result, merged_file=str(merged))
    if options.resolutions is not None:
        result = replace(result, resolutions_sha256=_sha256(Path(options.resolutions)))
    if result.mode != "live" and result.status in ("done", "rejects"):
        page = free_path(result_path(options.results_dir, options.prefix, f"{result.mode}_{stamp}.html"))
        result = replace(result, page_file=str(page))
        write_text(page, words.page(result))
    write_json(path, result)
    return result, path


def _lines(records: Iterable[RejectRecord], words: Words) -> Iterator[str]:
    """Yields the lines of the rejects file, and holds no large row while the next one is read."""
    for record in records:
        line = words.line(record)
        del record
        yield line
        del line


def _sha256(file: Path) -> str | None:
    """Returns the hash of a file; None where somebody took it away while the run was at work."""
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError:
        return None
