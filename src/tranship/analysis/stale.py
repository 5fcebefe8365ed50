"""Files that no longer fit the databases: refused by name, saying what changed."""

from __future__ import annotations

from pathlib import Path

from tranship.codec import read_changes
from tranship.codec.files import result_path
from tranship.errors.codes.decisions import NoChangesYet, NoFingerprints, StaleChanges, StaleResolutions
from tranship.model.catalog import Catalog
from tranship.model.names import Side
from tranship.model.options import MigrateOptions, command_line
from tranship.model.resolution import Problem, ResolutionFile
from tranship.planning.comparing.drift import drift


def stale_changes(options: MigrateOptions, old: Catalog, new: Catalog) -> tuple[Problem, ...]:
    """A changes file that was named, or stands at the default place, must describe the schemas as they are."""
    default = result_path(options.results_dir, options.prefix, "migration_changes.json")
    path = Path(options.changes_file) if options.changes_file is not None else default
    if options.changes_file is None and not path.exists():
        return (NoChangesYet(str(path)).problem(),)
    told = read_changes(path)
    again = command_line(options.invocation, "analyze", options.config_path or "CONFIG", *options.naming)
    return tuple(
        StaleChanges(str(path), what, again).problem()
        for before, now, side in ((told.old.catalog, old, Side.OLD), (told.new.catalog, new, Side.NEW))
        for what in drift(before, now, side)
    )


def stale_resolutions(
    file: ResolutionFile, old: Catalog, new: Catalog, path: Path | None
) -> tuple[Problem, ...]:
    """Decisions made on other schemas are refused; a file without fingerprints was written by hand and is accepted, which is said."""
    if not file.old_fingerprint and not file.new_fingerprint:
        return (NoFingerprints(str(path)).problem(),)
    return tuple(
        StaleResolutions(str(path), side).problem()
        for then, now, side in (
            (file.old_fingerprint, old.fingerprint, Side.OLD),
            (file.new_fingerprint, new.fingerprint, Side.NEW),
        )
        if then != now
    )
