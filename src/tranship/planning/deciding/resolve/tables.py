"""First stage: which old table a key of the file means, and which new table its rows go to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from tranship.errors.codes.entries import (
    MappedElsewhere,
    NoTarget,
    SchemaLeftOut,
    SeveralTables,
    TableDecidedTwice,
    TableDroppedAndMoved,
    TableOfNew,
    TablesLeaveItOut,
    TargetOutOfScope,
    UnknownNewTable,
    UnknownNewTableInSchema,
    UnknownTable,
)
from tranship.errors.codes.entry_values import HoldsNoRows, OfExtension
from tranship.model.catalog import Catalog, Table
from tranship.model.names import TableName
from tranship.model.resolution import Action, Problem, Resolution, ResolutionFile
from tranship.planning.deciding.resolve.words import (
    action_of,
    did_you_mean,
    is_open,
    problem,
)
from tranship.planning.matching.match import Decided
from tranship.planning.matching.scope import HOLDS_ROWS, KIND_WORDS, Scope, bare, default_schema, find_tables


class Tied(Struct, frozen=True):
    """The entries of one old table, whatever spelling of its name they stand under."""

    old: Table
    entries: tuple[Resolution, ...]


def the_table(catalog: Catalog, written: str, schema: str | None = None) -> Table | None:
    """The relation a written name means, None where it means none or several; with ``schema`` only that one is looked at first."""
    exact = catalog.table(TableName(schema, written)) if schema is not None else None
    if exact is not None:
        return exact
    found = find_tables(catalog, written)
    return found[0] if len(found) == 1 else None


def spelled(name: TableName, catalog: Catalog) -> str:
    """How a table is written as a key; a name that would read as a comment is written with its schema."""
    return str(name) if name.name.startswith("_") else bare(name, catalog)


def tie_tables(
    file: ResolutionFile, old: Catalog, new: Catalog, scope: Scope
) -> tuple[tuple[Tied, ...], tuple[Problem, ...]]:
    """Entries by old table in file order, and the keys that name none."""
    problems: list[Problem] = []
    found: dict[TableName, list[Resolution]] = {}
    by_key: dict[str, list[Resolution]] = {}
    for entry in file.entries:
        by_key.setdefault(entry.table, []).append(entry)
    for key, entries in by_key.items():
        table = the_table(old, key)
        if table is None:
            problems.append(_unknown(entries[0], old, new))
        elif table.kind not in HOLDS_ROWS:
            kind = KIND_WORDS.get(table.kind, "no table")
            problems.append(problem(entries[0], HoldsNoRows(table.name, kind)))
        elif table.extension is not None:
            problems.append(problem(entries[0], OfExtension(table.name, table.extension)))
        elif table.name.schema not in old.schemas:
            problems.append(problem(entries[0], SchemaLeftOut(table.name.schema)))
        elif not scope.includes(table.name):
            problems.append(problem(entries[0], TablesLeaveItOut()))
        else:
            found.setdefault(table.name, []).extend(entries)
    tied = tuple(Tied(table, tuple(found[table.name])) for table in old.tables if table.name in found)
    return tied, tuple(problems)


def table_decisions(
    tied: Sequence[Tied], new: Catalog, scope: Scope
) -> tuple[Decided, dict[str, TableName], tuple[Problem, ...]]:
    """What ``rename_table`` and ``drop_table`` say; the target of each valid rename by its entry's path."""
    pairs: list[tuple[TableName, TableName]] = []
    dropped: list[TableName] = []
    targets: dict[str, TableName] = {}
    problems: list[Problem] = []
    for one in tied:
        deciding = [
            entry
            for entry in one.entries
            if action_of(entry) in (Action.RENAME_TABLE, Action.DROP_TABLE) and not is_open(entry)
        ]
        problems += _contradictions(one, deciding)
        for entry in deciding[:1]:
            if entry.action == Action.DROP_TABLE:
                dropped.append(one.old.name)
                continue
            target, trouble = _target(entry, one.old.name, new, scope)
            problems += trouble
            if target is not None:
                pairs.append((one.old.name, target))
                targets[entry.path] = target
    return Decided(tables=tuple(pairs), dropped=tuple(dropped)), targets, tuple(problems)


def _unknown(entry: Resolution, old: Catalog, new: Catalog) -> Problem:
    several = find_tables(old, entry.table)
    if several:
        return problem(entry, SeveralTables(entry.table, tuple(table.name for table in several)))
    if find_tables(new, entry.table):
        return problem(entry, TableOfNew(entry.table, default_schema(old)))
    hint = did_you_mean(entry.table, _spellings(old))
    return problem(entry, UnknownTable(entry.table, default_schema(old), hint))


def _spellings(catalog: Catalog) -> Iterable[str]:
    return (spelled(table.name, catalog) for table in catalog.tables if table.kind in HOLDS_ROWS)


def _contradictions(one: Tied, deciding: Sequence[Resolution]) -> Iterator[Problem]:
    for entry in deciding[1:]:
        yield problem(entry, TableDecidedTwice(one.old.name, deciding[0].path, deciding[0].action))
    if deciding and deciding[0].action == Action.DROP_TABLE:
        for entry in one.entries:
            if entry not in deciding:
                yield problem(entry, TableDroppedAndMoved(deciding[0].path))


def _target(
    entry: Resolution, old: TableName, new: Catalog, scope: Scope
) -> tuple[TableName | None, list[Problem]]:
    if entry.new_table is None:
        return None, []
    if entry.new_schema is not None:
        table = new.table(TableName(entry.new_schema, entry.new_table))
    else:
        table = the_table(new, entry.new_table, dict(scope.schema_pairs).get(old.schema))
    if table is None:
        hint = did_you_mean(entry.new_table, (t.name.name for t in new.tables if t.kind in HOLDS_ROWS))
        if entry.new_schema is None:
            return None, [problem(entry, UnknownNewTable(entry.new_table, hint))]
        return None, [problem(entry, UnknownNewTableInSchema(entry.new_table, hint, entry.new_schema))]
    if table.kind not in HOLDS_ROWS or table.extension is not None:
        what = (
            KIND_WORDS.get(table.kind, "no table")
            if table.extension is None
            else f"part of the extension {table.extension}"
        )
        return None, [problem(entry, NoTarget(table.name, what))]
    if table.name.schema not in new.schemas:
        return None, [problem(entry, TargetOutOfScope(table.name))]
    mapped = dict(scope.mapping).get(old)
    if mapped is not None and mapped != table.name:
        return None, [problem(entry, MappedElsewhere(old, mapped, table.name))]
    return table.name, []
