"""Finds files that no longer fit the databases, and says what has changed."""

from __future__ import annotations

from pathlib import Path

from tranship.analysis.sides import refuse
from tranship.codec import read_changes
from tranship.codec.files import result_path
from tranship.errors.codes.decisions import (
    ChangesOfTheOppositeDirection,
    NoChangesYet,
    NoFingerprints,
    ResolutionsOfTheOppositeDirection,
    StaleChanges,
    StaleResolutions,
)
from tranship.model.catalog import Catalog
from tranship.model.names import Side
from tranship.model.options import MigrateOptions, command_line
from tranship.model.resolution import Problem, ResolutionFile
from tranship.planning.comparing.drift import drift


def stale_changes(options: MigrateOptions, old: Catalog, new: Catalog) -> tuple[Problem, ...]:
    """Returns a problem for each way in which a changes file no longer describes the schemas as they are.

    It is the file that was named, else the one at the default place; without either there is a warning.

    Raises:
        UsageError: the file cannot be read.
        Refused: it is about the opposite direction, from which everything else follows.
    """
    default = result_path(options.results_dir, options.prefix, "migration_changes.json")
    path = Path(options.changes_file) if options.changes_file is not None else default
    if options.changes_file is None and not path.exists():
        return (NoChangesYet(str(path)).problem(),)
    recorded = read_changes(path)
    again = command_line(options.invocation, "analyze", *(options.databases or ("CONFIG",)), *options.naming)
    if turned_round((recorded.old.fingerprint, recorded.new.fingerprint), old, new):
        what = "old_database and new_database may have changed places"
        refuse([ChangesOfTheOppositeDirection(str(path), what, again).problem()])
    return tuple(
        StaleChanges(str(path), what, again).problem()
        for before, now, side in (
            (recorded.old.catalog, old, Side.OLD),
            (recorded.new.catalog, new, Side.NEW),
        )
        for what in drift(before, now, side)
    )


def turned_round(recorded: tuple[str, str], old: Catalog, new: Catalog) -> bool:
    """Returns whether a file with these fingerprints of OLD and NEW is about the same two schemas with the
    sides exchanged. Whatever else is wrong with it follows from that.
    """
    here = (old.fingerprint, new.fingerprint)
    return recorded != here and recorded == here[::-1]


def stale_resolutions(
    file: ResolutionFile, old: Catalog, new: Catalog, path: Path | None
) -> tuple[Problem, ...]:
    """Returns problems about decisions that were made on other schemas.

    A file without fingerprints was written by hand: it is accepted, with a warning.
    """
    if not file.old_fingerprint and not file.new_fingerprint:
        return (NoFingerprints(str(path)).problem(),)
    if turned_round((file.old_fingerprint, file.new_fingerprint), old, new):
        return (ResolutionsOfTheOppositeDirection(str(path), Side.OLD).problem(),)
    return tuple(
        StaleResolutions(str(path), side).problem()
        for then, now, side in (
            (file.old_fingerprint, old.fingerprint, Side.OLD),
            (file.new_fingerprint, new.fingerprint, Side.NEW),
        )
        if then != now
    )
