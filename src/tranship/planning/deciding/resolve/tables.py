"""First stage: which old table a key of the file means, and which new table its rows go to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from tranship.errors.codes.entries import (
    KnownInOtherSchema,
    MappedElsewhere,
    NoTarget,
    SchemaLeftOut,
    SeveralTables,
    TableDecidedTwice,
    TableDroppedAndMoved,
    TableDroppedBesideFlows,
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
    TABLE_ACTIONS,
    action_of,
    did_you_mean,
    is_open,
    problem,
)
from tranship.planning.matching.match import Decided
from tranship.planning.matching.scope import HOLDS_ROWS, KIND_WORDS, Scope, bare, default_schema, find_tables


class TableEntries(Struct, frozen=True):
    """The entries about one flow, under whatever forms of its name they stand."""

    old: Table
    entries: tuple[Resolution, ...]
    flow: str = ""
    """The name of the flow that the key names; empty where the key is the old table's name."""
    new: TableName | None = None
    """The new table that such a flow fills."""

    @property
    def place(self) -> tuple[TableName, str]:
        """What tells these entries from those of all other flows."""
        return self.old.name, self.flow

    def with_more(self, entries: Sequence[Resolution]) -> TableEntries:
        """Returns these entries and further ones about the same flow."""
        return replace(self, entries=(*self.entries, *entries))


def the_table(catalog: Catalog, written: str, schema: str | None = None) -> Table | None:
    """Returns the relation that a name in a file means; None where it means none or several.

    With ``schema`` the relation of that schema comes first.
    """
    exact = catalog.table(TableName(schema, written)) if schema is not None else None
    if exact is not None:
        return exact
    found = find_tables(catalog, written)
    return found[0] if len(found) == 1 else None


def table_key(name: TableName, catalog: Catalog) -> str:
    """Returns a table's name as a key of the file; one that would read as a comment is written with its
    schema.
    """
    return str(name) if name.name.startswith("_") else bare(name, catalog)


def entries_by_key(file: ResolutionFile) -> dict[str, list[Resolution]]:
    """Returns the entries under each key, in the file's order."""
    by_key: dict[str, list[Resolution]] = {}
    for entry in file.entries:
        by_key.setdefault(entry.table, []).append(entry)
    return by_key


def unmovable(entry: Resolution, table: Table, old: Catalog, scope: Scope) -> Problem | None:
    """Returns why no decision about a table can matter; None for a table that takes part."""
    if table.kind not in HOLDS_ROWS:
        return problem(entry, HoldsNoRows(table.name, KIND_WORDS.get(table.kind, "no table")))
    if table.extension is not None:
        return problem(entry, OfExtension(table.name, table.extension))
    if table.name.schema not in old.schemas:
        return problem(entry, SchemaLeftOut(table.name.schema))
    # Where new tables are chosen, only the matching knows whether this table fills one of them.
    inside = scope.includes(table.name) or scope.of_new
    return None if inside else problem(entry, TablesLeaveItOut())


def table_decisions(
    tables: Sequence[TableEntries], new: Catalog, scope: Scope
) -> tuple[Decided, dict[str, TableName], tuple[Problem, ...]]:
    """Returns what ``rename_table`` and ``drop_table`` say, and the problems of such entries.

    The mapping is the target of each valid rename by its entry's path.
    """
    pairs: list[tuple[TableName, TableName]] = []
    dropped: list[TableName] = []
    targets: dict[str, TableName] = {}
    problems: list[Problem] = []
    for one in tables:
        if one.flow:
            continue
        deciding = [
            entry for entry in one.entries if action_of(entry) in TABLE_ACTIONS and not is_open(entry)
        ]
        problems += _contradictions(one, deciding)
        problems += _dropped_beside_flows(one, deciding, tables)
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


def unknown_table(entry: Resolution, old: Catalog, new: Catalog) -> Problem:
    """Returns the problem of a key that names no table of OLD."""
    several = find_tables(old, entry.table)
    if several:
        return problem(entry, SeveralTables(entry.table, tuple(table.name for table in several)))
    for extension in old.extensions:
        for table in extension.tables:
            if entry.table in (bare(table.name, old), str(table.name)):
                return problem(entry, OfExtension(table.name, extension.name))
    if find_tables(new, entry.table):
        return problem(entry, TableOfNew(entry.table, default_schema(old)))
    hint = did_you_mean(entry.table, _table_keys(old))
    named = entry.table.partition(".")[0]
    schema = named if "." in entry.table and named in old.schemas else default_schema(old)
    return problem(entry, UnknownTable(entry.table, schema, hint))


def _table_keys(catalog: Catalog) -> Iterable[str]:
    return (table_key(table.name, catalog) for table in catalog.tables if table.kind in HOLDS_ROWS)


def _contradictions(one: TableEntries, deciding: Sequence[Resolution]) -> Iterator[Problem]:
    for entry in deciding[1:]:
        yield problem(entry, TableDecidedTwice(one.old.name, deciding[0].path, deciding[0].action))
    if deciding and deciding[0].action == Action.DROP_TABLE:
        about_the_table = {entry.path for entry in deciding}
        for entry in one.entries:
            if entry.path not in about_the_table:
                yield problem(entry, TableDroppedAndMoved(deciding[0].path))


def _dropped_beside_flows(
    one: TableEntries, deciding: Sequence[Resolution], tables: Sequence[TableEntries]
) -> Iterator[Problem]:
    """Yields a problem where a table is left out, and keys of the file name flows of its rows: none of these
    would be moved.
    """
    flows = tuple(other.flow for other in tables if other.flow and other.old.name == one.old.name)
    for entry in deciding[:1] if flows else ():
        if entry.action == Action.DROP_TABLE:
            yield problem(entry, TableDroppedBesideFlows(one.old.name, flows))


def _target(
    entry: Resolution, old: TableName, new: Catalog, scope: Scope
) -> tuple[TableName | None, list[Problem]]:
    """Returns the new table that an entry moves the rows to, or None and what is wrong with it."""
    if entry.new_table is None:
        return None, []
    table = _named_target(entry, entry.new_table, old, new, scope)
    if table is None:
        return None, [unknown_target(entry, entry.new_table, new)]
    wrong = _wrong_target(entry, table, old, new, scope)
    return (table.name, []) if wrong is None else (None, [wrong])


def _named_target(entry: Resolution, name: str, old: TableName, new: Catalog, scope: Scope) -> Table | None:
    """Returns the table of NEW that an entry names; without a schema the corresponding one comes first."""
    if entry.new_schema is not None:
        return new.table(TableName(entry.new_schema, name))
    return the_table(new, name, dict(scope.schema_pairs).get(old.schema))


def unknown_target(entry: Resolution, name: str, new: Catalog) -> Problem:
    """Returns the problem of an entry that names no table of NEW."""
    there = [t.name for t in new.tables if t.kind in HOLDS_ROWS]
    hint = did_you_mean(name, (one.name for one in there))
    if entry.new_schema is None:
        return problem(entry, UnknownNewTable(name, hint))
    elsewhere = ", ".join(f"schema {one.schema!r}" for one in there if one.name == name)
    if elsewhere:
        return problem(entry, KnownInOtherSchema(name, elsewhere, entry.new_schema))
    return problem(entry, UnknownNewTableInSchema(name, hint, entry.new_schema))


def _wrong_target(
    entry: Resolution, table: Table, old: TableName, new: Catalog, scope: Scope
) -> Problem | None:
    """Returns why rows cannot go to a table of NEW, or may not by the configuration; None where they can."""
    if table.extension is not None:
        return problem(entry, NoTarget(table.name, f"part of the extension {table.extension}"))
    if table.kind not in HOLDS_ROWS:
        return problem(entry, NoTarget(table.name, KIND_WORDS.get(table.kind, "no table")))
    if table.name.schema not in new.schemas:
        return problem(entry, TargetOutOfScope(table.name))
    mapped = dict(scope.mapping).get(old)
    if mapped is not None and mapped != table.name:
        return problem(entry, MappedElsewhere(old, mapped, table.name))
    return None
