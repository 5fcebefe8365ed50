"""What takes part in a migration: the configured tables, the table mapping, and the pairs of schemas."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from fnmatch import fnmatchcase

from msgspec import Struct

from tranship.codec import nearest
from tranship.errors.codes.scope import (
    AmbiguousTable,
    ColumnsUnreadable,
    NoTables,
    NoTablesSelected,
    NotATable,
    NothingFills,
    SchemaNotFound,
    SchemaOfAllTablesNotFound,
    SchemaOfNamedTableNotFound,
    SchemaOfTableNotFound,
    TableIsPartition,
    TableNotFound,
    TableOfExtension,
    TableUnreadable,
)
from tranship.model.catalog import Catalog, Table
from tranship.model.catalog_codes import RelationKind
from tranship.model.flow import VALUES_LOOKED_UP
from tranship.model.names import Side, TableName
from tranship.model.resolution import Problem
from tranship.model.visible import pasteable
from tranship.planning.names.tokens import squashed

# pg_class.relkind of relations with rows of their own: plain and partitioned tables.
HOLDS_ROWS = (RelationKind.TABLE, RelationKind.PARTITIONED_TABLE)
KIND_WORDS = {
    RelationKind.VIEW: "a view",
    RelationKind.MATERIALIZED_VIEW: "a materialized view",
    RelationKind.FOREIGN_TABLE: "a foreign table",
    RelationKind.PARTITIONED_TABLE: "a partitioned table",
    RelationKind.TABLE: "a table",
}
# Table names in a hint: as many as fit into two lines of a terminal.
MOST_SHOWN = 10
_PLAIN_NAME = re.compile(r"[a-z_][a-z0-9_]*\Z")


class Scope(Struct, frozen=True):
    """What the configuration selects."""

    tables: tuple[TableName, ...] | None = None
    """Tables in configured order, old ones and new ones; None means all."""
    mapping: tuple[tuple[TableName, TableName], ...] = ()
    """``table_mapping``: old table → new table."""
    schema_pairs: tuple[tuple[str, str], ...] = ()
    """Old schema → new schema."""
    of_new: tuple[TableName, ...] = ()
    """Those of ``tables`` that only NEW has: what fills them takes part."""
    only: tuple[TableName, ...] | None = None
    """The tables that the patterns of the command line leave; None: there are no patterns."""
    never: tuple[str, ...] = ()
    """The patterns among them that leave tables out."""

    def includes(self, name: TableName) -> bool:
        """Returns whether the old table takes part, whatever it fills."""
        configured = self.tables is None or (name in self.tables and name not in self.of_new)
        return configured and (self.only is None or name in self.only)

    def includes_pair(self, old: TableName, new: TableName) -> bool:
        """Returns whether a pair of tables that was found takes part."""
        return self.includes(old) or new in self.of_new

    def includes_flow(self, old: TableName, new: TableName) -> bool:
        """Returns whether a flow that a person named takes part: the configuration chooses either table.

        Values for a lookup table belong to the flow that looks them up, unless their table is left out.
        """
        if old.name == VALUES_LOOKED_UP and self.tables is None:
            return not any(matches(new, pattern) for pattern in self.never)
        if not old.schema and self.only is not None and self.tables is None:
            return self._includes_output(old, new)
        return self.includes(old) or new in (self.tables or ())

    def _includes_output(self, output: TableName, new: TableName) -> bool:
        """Returns whether the output of a query takes part where patterns choose tables: with the old table
        after which it is called, and unless a pattern leaves either table of its flow out.
        """
        names = (output.name, str(new), new.name)
        if any(fnmatchcase(name, pattern) for name in names for pattern in self.never):
            return False
        return any(output.name in (name.name, str(name)) for name in self.only or ())


def matches(name: TableName, pattern: str) -> bool:
    """Returns whether a pattern names a table, by its bare name or with its schema.

    ``*`` stands for any letters, ``?`` for one, ``[a-c]`` for one of these. Capitals count.
    """
    return fnmatchcase(name.name, pattern) or fnmatchcase(str(name), pattern)


def make_scope(
    old: Catalog,
    new: Catalog,
    tables: Sequence[str] | None,
    table_mapping: Sequence[tuple[str, str]] = (),
    *,
    old_configured: Sequence[str] | None = None,
    new_configured: Sequence[str] | None = None,
) -> tuple[Scope, tuple[Problem, ...]]:
    """Returns the scope that the configuration selects from the catalogs, and every problem with it at once.

    ``tables`` and ``table_mapping`` are as configured (``name`` or ``schema.name``). ``old_configured`` and
    ``new_configured`` are the configured schemas of each side, None where left out. The caller exits with
    status 2 for codes TS1xx and with 3 for TS3xx.
    """
    problems = [
        *_missing_schemas(old, old_configured, Side.OLD, tables),
        *_missing_schemas(new, new_configured, Side.NEW),
    ]
    pairs = pair_schemas(old, new, old_configured, new_configured)
    # Without a schema every one of its tables would be missing, too: one problem says it.
    if problems:
        return Scope(None if tables is None else (), (), pairs), tuple(problems)
    chosen, of_new = (None, ()) if tables is None else _chosen_tables(old, new, tables, problems)
    scope = Scope(chosen, _resolved_mapping(old, new, table_mapping, problems), pairs, of_new)
    moved = moved_tables(old, scope)
    if not moved and not of_new and not problems:
        problems.append(_nothing(old, tables))
    return scope, (*problems, *(unreadable(t, old) for t in moved if "SELECT" not in t.privileges))


def moved_tables(old: Catalog, scope: Scope) -> list[Table]:
    """Returns the old tables that take part by their own names."""
    return [t for t in old.tables if t.kind in HOLDS_ROWS and t.extension is None and scope.includes(t.name)]


def not_chosen(old: Catalog, scope: Scope, moved: Collection[TableName]) -> int:
    """Returns the number of old tables that the configuration or the patterns leave out, without those whose
    rows are moved all the same. A partition counts with its table.
    """
    out = (t for t in old.tables if t.kind in HOLDS_ROWS and t.extension is None and t.partition_of is None)
    return sum(not scope.includes(table.name) and table.name not in moved for table in out)


def _chosen_tables(
    old: Catalog, new: Catalog, tables: Sequence[str], problems: list[Problem]
) -> tuple[tuple[TableName, ...], tuple[TableName, ...]]:
    """Returns the configured tables once each, in configured order, and those of them that only NEW has; adds
    a problem for each that is not found.
    """
    chosen: list[TableName] = []
    of_new: list[TableName] = []
    for text in tables:
        found = _resolve(old, text, Side.OLD)
        if isinstance(found, Problem) and not find_tables(old, text):
            there = _resolve(new, text, Side.NEW)
            if isinstance(there, Table):
                found = there
                of_new.append(there.name)
        if isinstance(found, Problem):
            problems.append(found)
        elif found.name not in chosen:
            chosen.append(found.name)
    return tuple(chosen), tuple(of_new)


def _resolved_mapping(
    old: Catalog, new: Catalog, table_mapping: Sequence[tuple[str, str]], problems: list[Problem]
) -> tuple[tuple[TableName, TableName], ...]:
    """Returns the configured pairs of tables; adds a problem for each name that is not found."""
    mapping = []
    for before, after in table_mapping:
        from_old, to_new = _resolve(old, before, Side.OLD), _resolve(new, after, Side.NEW)
        # A table may stand in ``tables`` as well, where its problem was said already.
        not_found = [found for found in (from_old, to_new) if isinstance(found, Problem)]
        problems += [problem for problem in not_found if problem not in problems]
        if isinstance(from_old, Table) and isinstance(to_new, Table):
            mapping.append((from_old.name, to_new.name))
    return tuple(mapping)


def pair_schemas(
    old: Catalog, new: Catalog, old_configured: Sequence[str] | None, new_configured: Sequence[str] | None
) -> tuple[tuple[str, str], ...]:
    """Returns the pairs of schemas: two configured lists pair by position, everything else by name, then
    by names that differ in case and separators alone (``webshop`` and ``web_shop``), one to one.
    """
    pairs: list[tuple[str, str]] = []
    if old_configured is not None and new_configured is not None:
        pairs = list(zip(old_configured, new_configured, strict=False))
    taken_old, taken_new = {a for a, _ in pairs}, {b for _, b in pairs}
    pairs += [(s, s) for s in old.schemas if s in new.schemas and s not in taken_old and s not in taken_new]
    return (*pairs, *_alike(old.schemas, new.schemas, pairs))


def _alike(
    old: Sequence[str], new: Sequence[str], pairs: Sequence[tuple[str, str]]
) -> tuple[tuple[str, str], ...]:
    """Returns further pairs of schemas whose names are equal but for case and separators, where each has one
    such partner.
    """
    found: dict[str, tuple[list[str], list[str]]] = {}
    for place, names in enumerate((old, new)):
        taken = {pair[place] for pair in pairs}
        for name in names:
            if name not in taken and squashed(name):
                found.setdefault(squashed(name), ([], []))[place].append(name)
    return tuple((left[0], right[0]) for left, right in found.values() if len(left) == len(right) == 1)


def default_schema(catalog: Catalog) -> str:
    """Returns the schema of a bare name: the only one in scope, else ``public``, else the first."""
    several = len(catalog.schemas) != 1 and "public" in catalog.schemas
    return "public" if several else next(iter(catalog.schemas), "public")


def find_tables(catalog: Catalog, text: str) -> tuple[Table, ...]:
    """Returns the relations that a name in a file can mean.

    That is the relation of exactly this name in the default schema, else those of this name anywhere, else
    the one that the name means when it is split at a dot. A dot may be part of a name, so every dot is tried.
    """
    exact = catalog.table(TableName(default_schema(catalog), text))
    if exact is not None:
        return (exact,)
    elsewhere = tuple(t for t in catalog.tables if t.name.name == text)
    if elsewhere:
        return elsewhere
    dots = [place for place, letter in enumerate(text) if letter == "."]
    split = (catalog.table(TableName(text[:dot], text[dot + 1 :])) for dot in dots)
    return tuple(t for t in split if t is not None)[:1]


def bare(name: TableName, catalog: Catalog) -> str:
    """Returns a table's name as it is shown and written to files: without its schema where that is the
    default.
    """
    return name.name if name.schema == default_schema(catalog) else str(name)


def _resolve(catalog: Catalog, text: str, side: Side) -> Table | Problem:
    found = find_tables(catalog, text)
    if not found:
        return _not_found(catalog, text, side)
    if len(found) > 1:
        return AmbiguousTable(text, tuple(t.name for t in found)).problem()
    if found[0].kind not in HOLDS_ROWS:
        kind = KIND_WORDS.get(found[0].kind, "no table")
        where = (text, default_schema(catalog), side, catalog.database)
        return NotATable(*where, relation=found[0].name, what=kind).problem(text)
    return found[0]


def _not_found(catalog: Catalog, text: str, side: Side) -> Problem:
    schema, name = default_schema(catalog), text
    if "." in text:
        prefix, rest = text.split(".", 1)
        if prefix not in catalog.schemas:
            hint = nearest_hint(prefix, catalog.schemas) or f"schemas in scope: {', '.join(catalog.schemas)}"
            return SchemaOfTableNotFound(rest, prefix, side, catalog.database, hint).problem(text)
        schema, name = prefix, rest
    wanted = TableName(schema, name)
    root = next((t.name for t in catalog.tables if any(leaf.name == wanted for leaf in t.partitions)), None)
    if root is not None:
        return TableIsPartition(name, schema, side, catalog.database, root=root).problem(text)
    extension = next((e.name for e in catalog.extensions for t in e.tables if t.name == wanted), None)
    if extension is not None:
        return TableOfExtension(name, schema, side, catalog.database, extension=extension).problem(text)
    hint = _hint_for_name(catalog, text, wanted)
    return TableNotFound(name, schema, side, catalog.database, hint).problem(text)


def _hint_for_name(catalog: Catalog, text: str, wanted: TableName) -> str:
    """Returns the table that was probably meant, else what tables there are in the schema."""
    tables = [t.name for t in catalog.tables if t.kind in HOLDS_ROWS]
    here = [name.name for name in tables if name.schema == wanted.schema]
    hint = nearest_hint(wanted.name, here) or nearest_hint(text, map(str, tables))
    if hint:
        return hint
    if not here:
        return f"schema {wanted.schema!r} holds no tables"
    return f"tables there: {', '.join(here[:MOST_SHOWN])}" + (" …" if len(here) > MOST_SHOWN else "")


def nearest_hint(word: str, known: Iterable[str]) -> str:
    """Returns a question that names the nearest known word; it says so where only the case differs."""
    names = sorted(set(known))
    same = next((n for n in names if n.casefold() == word.casefold()), None)
    if same is not None:
        return f"did you mean {same!r}? (names are case-sensitive)"
    near = nearest(word, names)
    return f"did you mean {near!r}?" if near is not None else ""


def _missing_schemas(
    catalog: Catalog, configured: Sequence[str] | None, side: Side, tables: Sequence[str] | None = None
) -> list[Problem]:
    """Returns a problem for each configured schema that the database does not have.

    On OLD the message begins with what the person will miss there: the first configured table, or all tables.
    """
    missing = [
        (schema, side, catalog.database) for schema in configured or () if schema not in catalog.schemas
    ]
    if side is Side.NEW:
        return [SchemaNotFound(*one).problem() for one in missing]
    if tables:
        return [SchemaOfNamedTableNotFound(*one, table=tables[0]).problem() for one in missing]
    return [SchemaOfAllTablesNotFound(*one).problem() for one in missing]


def _nothing(old: Catalog, tables: Sequence[str] | None) -> Problem:
    where = ", ".join(repr(s) for s in old.schemas) or "none"
    kind = NoTables if tables is None else NoTablesSelected
    return kind(where, old.database).problem()


def chosen_by_new_name(
    scope: Scope, pairs: Sequence[tuple[TableName, TableName]], old: Catalog
) -> tuple[Problem, ...]:
    """Returns a problem for each configured table of NEW that nothing fills, and for each table that takes
    part by a flow alone and may not be read.

    ``pairs`` are the old and new tables of all flows.
    """
    filled = {new for _, new in pairs}
    problems = [NothingFills(name).problem() for name in scope.of_new if name not in filled]
    beside = dict.fromkeys(name for name, _ in pairs if not scope.includes(name))
    tables = (table for name in beside if (table := old.table(name)) is not None)
    return (*problems, *(unreadable(t, old) for t in tables if "SELECT" not in t.privileges))


def unreadable(table: Table, old: Catalog) -> Problem:
    """Returns the problem of a table that may not be read; its hint is what has to be granted."""
    schema, role = quoted(table.name.schema), quoted(old.user)
    relation = f"{schema}.{quoted(table.name.name)}"
    grants = pasteable(f"GRANT USAGE ON SCHEMA {schema} TO {role}; GRANT SELECT ON {relation} TO {role};")
    if 0 < len(table.unreadable_columns) < len(table.columns):
        columns = table.unreadable_columns
        return ColumnsUnreadable(table.name, old.user, old.database, grants, columns).problem()
    return TableUnreadable(table.name, old.user, old.database, grants).problem()


def quoted(name: str) -> str:
    """Returns a name as a person pastes it into a statement: for messages only, tranship never runs it."""
    return name if _PLAIN_NAME.match(name) else '"' + name.replace('"', '""') + '"'
