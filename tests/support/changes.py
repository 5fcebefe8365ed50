"""A changes file of two schemas in the notation of ``support.build``, made without a server."""

from __future__ import annotations

from pathlib import Path

from support.build import parse_catalog
from tranship import __version__
from tranship.codec import CHANGES_FORMAT, ChangesFile, SideInfo, write_changes
from tranship.model.catalog import Catalog


def changes_of(folder: Path, old: str, new: str) -> Path:
    """Writes the file and returns its path."""
    path = folder / "migration_changes.json"
    before, after = parse_catalog(old, database="old"), parse_catalog(new, database="new")
    sides = _side(before), _side(after)
    write_changes(path, ChangesFile(CHANGES_FORMAT, __version__, *sides, summary={"total": 0}, changes=()))
    return path


def _side(catalog: Catalog) -> SideInfo:
    return SideInfo(catalog.database, catalog.server_version, catalog.fingerprint, catalog)
