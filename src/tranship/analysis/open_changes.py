"""Breaking changes that a person has yet to decide, as problems with the way to decide them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from msgspec.structs import replace

from tranship.codec.entry_fields import plain_json
from tranship.codec.files import result_path
from tranship.codec.jsonc import JsonValue
from tranship.errors.codes.decisions import (
    DecisionsNotPassed,
    LeftOpen,
    OutputOfOtherType,
    OutputsLeft,
    OutputUnused,
    OutputWanted,
    PerhapsMeant,
    Undecided,
    UndecidedChanges,
    UndecidedMeaning,
    UndecidedWithoutTables,
)
from tranship.model.catalog import Catalog
from tranship.model.catalog_codes import RelationKind
from tranship.model.change import Change
from tranship.model.change_kind import ChangeKind
from tranship.model.options import MigrateOptions, command_line
from tranship.model.resolution import Action, Problem
from tranship.planning.comparing.meaning import AS_THEY_ARE


def undecided(changes: Iterable[Change], old: Catalog | None = None) -> tuple[Problem, ...]:
    """Returns problems about breaking changes that no decision resolves. ``old`` has a table for the SELECT
    of each ``query``; None: there is none.
    """
    outputs = _outputs(old)
    return tuple(
        (_of_output(change) if change.table in outputs else _undecided(change)).problem(
            ".".join(filter(None, (change.table, change.old_column or change.new_column)))
        )
        for change in changes
    )


def _outputs(old: Catalog | None) -> frozenset[str]:
    """Returns the flows that a SELECT fills."""
    outside = old.outside if old is not None else ()
    return frozenset(table.name.name for table in outside if table.kind is RelationKind.QUERY)


def _of_output(change: Change) -> Undecided:
    """Returns the problem of an output column of a query, which ``resolve generate`` knows nothing of: OLD
    alone tells what a SELECT gives.
    """
    if change.old_column is None:
        return OutputWanted(change.description, column=change.new_column or "")
    if change.new_column is None:
        return OutputUnused(change.description, column=change.old_column)
    fields: dict[str, JsonValue] = {
        "action": Action.TRANSFORM.value,
        "old_column": change.old_column,
        "new_column": change.new_column,
    }
    entry = plain_json(fields)
    return OutputOfOtherType(change.description, column=change.old_column, entry=entry, flow=change.table)


def _undecided(change: Change) -> Undecided:
    if change.kind is not ChangeKind.MEANING_CHANGED:
        return Undecided(change.description)
    return (PerhapsMeant if AS_THEY_ARE in change.evidence else UndecidedMeaning)(change.description)


def summed(
    changes: Sequence[Change], options: MigrateOptions, sides: tuple[Catalog, Catalog]
) -> tuple[Problem, ...]:
    """Returns the open changes after one problem that counts them and names the next command."""
    old, new = sides
    if not changes:
        return ()
    outputs, open_now = _outputs(old), undecided(changes, old)
    if options.resolutions is not None and all(change.table in outputs for change in changes):
        return (OutputsLeft(len(changes), "", options.resolutions).problem(), *open_now)
    return (_headline(len(changes), options, new), *open_now)


def _headline(count: int, options: MigrateOptions, new: Catalog) -> Problem:
    """Returns the problem that counts open changes, with the command that leads to their decision."""
    recorded = options.changes_file or str(
        result_path(options.results_dir, options.prefix, "migration_changes.json")
    )
    analyze = command_line(options.invocation, "analyze", *options.databases, *options.naming)
    usual = result_path(options.results_dir, options.prefix, "manual_resolutions.json")
    if not new.tables:
        return UndecidedWithoutTables(count, analyze).problem()
    if options.resolutions is not None and Path(recorded).exists():
        edit = command_line(options.invocation, "resolve edit", options.resolutions, recorded)
        more = command_line(options.invocation, "resolve generate", recorded, *options.naming)
        left = LeftOpen(count, more, options.resolutions, edit, str(usual), analyze)
        return left.problem()
    if options.resolutions is None and usual.exists():
        passing = replace(options, resolutions=str(usual))
        again = passing.live_again if options.live else passing.again_with()
        return DecisionsNotPassed(count, again, str(usual)).problem()
    following = command_line(options.invocation, "resolve generate", recorded, *options.naming)
    if not Path(recorded).exists():
        following = f"{analyze}, then {following}"
    return UndecidedChanges(count, following).problem()
