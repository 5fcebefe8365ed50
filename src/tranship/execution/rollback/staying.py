"""The file that names the rows that a rollback leaves in NEW."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct
from msgspec.json import encode

from tranship.codec import free_path, write_lines
from tranship.codec.files import result_path
from tranship.execution.rollback.command import Rollback
from tranship.model.visible import json_text


class StayingRow(Struct, frozen=True):
    """One line of the file."""

    table: str
    row: dict[str, str | None]
    """The columns of the key with their values; of a table without a key the row's place, ``ctid``."""
    why: str


def staying_path(results_dir: str, prefix: str | None) -> Path:
    """Returns the path of the file of a rollback that ends now.

    Raises:
        UsageError: the prefix leaves no room for the name.
    """
    stamp = datetime.datetime.now(tz=datetime.UTC).strftime("%Y%m%d_%H%M%S")
    return result_path(results_dir, prefix, f"rollback_stays_{stamp}.jsonl")


def write_staying(done: Rollback, path: Path) -> Path | None:
    """Writes the rows that a rollback leaves, or would leave, with mode 0600, under a name that is free.
    Returns the path of the file; None: nothing stays, and there is none.

    Raises:
        UsageError: the file cannot be written.
    """
    rows = tuple(_staying(done))
    if not rows:
        return None
    path = free_path(path)
    write_lines(path, (json_text(encode(row).decode()) for row in rows))
    return path


def _staying(done: Rollback) -> Iterator[StayingRow]:
    for table in {table.table: table for table in done.tables}.values():
        why = "written or changed by others since the run began"
        if done.foreign(table):
            why = "not of this run: of another run on record and changed by others, or written by others"
        for key in table.others:
            yield StayingRow(str(table.table), dict(key), why)
    for table in done.tables:
        for row in table.not_restored:
            yield StayingRow(
                str(table.table), row, "updated by the run, then changed by others: not set back"
            )
