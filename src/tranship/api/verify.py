"""The verification of finished runs, and its result file."""

from __future__ import annotations

import datetime
from pathlib import Path

from tranship.codec import check_folder, free_path, write_json
from tranship.codec.files import result_path
from tranship.config import Config
from tranship.execution.verification.command import OnTable
from tranship.execution.verification.command import verify as compare
from tranship.model.verification import Verification, VerifiedTable, VerifyOptions


async def verify(
    config: Config, options: VerifyOptions, on_table: OnTable | None = None
) -> tuple[Verification, Path]:
    """Compares what runs brought into NEW with the sums in its journal, at any time after them. Returns the
    result and the path of its file. ``on_table`` is called as each table is done. It writes to no database.

    Raises:
        TranshipError: there is nothing to verify, or NEW cannot be read.
    """
    stamp = datetime.datetime.now(tz=datetime.UTC).strftime("%Y%m%d_%H%M%S")
    path = free_path(result_path(options.results_dir, options.prefix, f"verification_{stamp}.json"))
    check_folder(path)
    result = await compare(config, options, on_table or _unheard)
    write_json(path, result)
    return result, path


def _unheard(_: VerifiedTable) -> None:
    """Ignores a verdict: the caller gave no ``on_table``."""
