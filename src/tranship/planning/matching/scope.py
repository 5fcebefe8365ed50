"""What takes part: the configured tables, the table mapping, and which schema corresponds to which. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from msgspec import Struct

from tranship.codec import nearest
from tranship.errors.codes.scope import (
    AmbiguousTable,
    ColumnsUnreadable,
    NoTables,
    NoTablesSelected,
    NotATable,
    SchemaNotFound,
    SchemaOfAllTablesNotFound,
    SchemaOfNamedTableNotFound,
    SchemaOfTableNotFound,
    TableIsPartition,
    TableNotFound,
    TableUnreadable,
)
from tranship.model.catalog import Catalog, Table
from tranship.model.names import Side, TableName
from tranship.model.resolution import Problem

HOLDS_ROWS = ("r", "p")
KIND_WORDS = {
    "v": "a view",
    "m": "a materialized view",
    "f": "a foreign table",
    "p": "a partitioned table",
    "r": "a table",
}
_PLAIN_NAME = re.compile(r"[a-z_][a-z0-9_]*\Z")


class Scope(Struct, frozen=True):
    """What the configuration selects."""

    tables: tuple[TableName, ...] | None = None
    """Old tables in configured order; None: all."""
    mapping: tuple[tuple[TableName, TableName], ...] = ()
    """``table_mapping``: old table → new table."""
    schema_pairs: tuple[tuple[str, str], ...] = ()
    """Old schema → new schema."""

    def includes(self, name: TableName) -> bool:
        """The old table takes part."""
        return self.tables is None or name in self.tables


def make_scope(
    old: Catalog,
    new: Catalog,
    tables: Sequence[str] | None,
    table_mapping: Sequence[tuple[str, str]] = (),
    *,
    old_configured: Sequence[str] | None = None,
    new_configured: Sequence[str] | None = None,
) -> tuple[Scope, tuple[Problem, ...]]:
    """Tie the configuration to the catalogs; every problem at once.

    ``tables`` and ``table_mapping`` are as configured (``name`` or ``schema.name``); ``old_configured`` and ``new_configured`` are the
    configured schemas of each side, None where left out. Codes TS1xx end with exit status 2, TS3xx with 3.
    """
    problems = [
        *_missing_schemas(old, old_configured, Side.OLD, tables),
        *_missing_schemas(new, new_configured, Side.NEW),
    ]
    pairs = pair_schemas(old, new, old_configured, new_configured)
    if problems:
        return Scope(None if tables is None else (), (), pairs), tuple(problems)
    chosen: list[TableName] | None = None
    if tables is not None:
        chosen = []
        for text in tables:
            found = _resolve(old, text, Side.OLD)
            if isinstance(found, Problem):
                problems.append(found)
            elif found.name not in chosen:
                chosen.append(found.name)
    mapping = []
    for before, after in table_mapping:
        from_old, to_new = _resolve(old, before, Side.OLD), _resolve(new, after, Side.NEW)
        problems += [
            found for found in (from_old, to_new) if isinstance(found, Problem) and found not in problems
        ]
        if isinstance(from_old, Table) and isinstance(to_new, Table):
            mapping.append((from_old.name, to_new.name))
    scope = Scope(None if chosen is None else tuple(chosen), tuple(mapping), pairs)
    moved = [t for t in old.tables if t.kind in HOLDS_ROWS and t.extension is None and scope.includes(t.name)]
    if not moved and not problems:
        problems.append(_nothing(old, tables))
    return scope, (*problems, *(p for t in moved if (p := _unreadable(t, old)) is not None))


def pair_schemas(
    old: Catalog, new: Catalog, old_configured: Sequence[str] | None, new_configured: Sequence[str] | None
) -> tuple[tuple[str, str], ...]:
    """Two configured lists pair by position, everything else by name."""
    pairs: list[tuple[str, str]] = []
    if old_configured is not None and new_configured is not None:
        pairs = list(zip(old_configured, new_configured, strict=False))
    taken_old, taken_new = {a for a, _ in pairs}, {b for _, b in pairs}
    pairs += [(s, s) for s in old.schemas if s in new.schemas and s not in taken_old and s not in taken_new]
    return tuple(pairs)


def default_schema(catalog: Catalog) -> str:
    """The schema of a bare name: the only one in scope, else ``public``, else the first."""
    several = len(catalog.schemas) != 1 and "public" in catalog.schemas
    return "public" if several else next(iter(catalog.schemas), "public")


def find_tables(catalog: Catalog, text: str) -> tuple[Table, ...]:
    """The relations a written name can mean: exactly this name (in the default schema, else anywhere), then split at a dot."""
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
    """How a table is shown and written: without its schema where that is the default one."""
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
            hint = _nearest_hint(prefix, catalog.schemas) or f"schemas in scope: {', '.join(catalog.schemas)}"
            return SchemaOfTableNotFound(rest, prefix, side, catalog.database, hint).problem(text)
        schema, name = prefix, rest
    roots = [
        t.name for t in catalog.tables if any(leaf.name == TableName(schema, name) for leaf in t.partitions)
    ]
    if roots:
        return TableIsPartition(name, schema, side, catalog.database, root=roots[0]).problem(text)
    here = [t.name.name for t in catalog.tables if t.kind in HOLDS_ROWS and t.name.schema == schema]
    elsewhere = [str(t.name) for t in catalog.tables if t.kind in HOLDS_ROWS]
    hint = _nearest_hint(name, here) or _nearest_hint(text, elsewhere)
    if not hint:
        hint = (
            f"tables there: {', '.join(here[:10])}" + (" …" if len(here) > 10 else "")
            if here
            else f"schema {schema!r} holds no tables"
        )
    return TableNotFound(name, schema, side, catalog.database, hint).problem(text)


def _nearest_hint(word: str, known: Iterable[str]) -> str:
    """Names the other spelling, saying so where only the case differs."""
    names = sorted(set(known))
    same = next((n for n in names if n.casefold() == word.casefold()), None)
    if same is not None:
        return f"did you mean {same!r}? (names are case-sensitive)"
    near = nearest(word, names)
    return f"did you mean {near!r}?" if near is not None else ""


def _missing_schemas(
    catalog: Catalog, configured: Sequence[str] | None, side: Side, tables: Sequence[str] | None = None
) -> list[Problem]:
    """A configured schema that the database does not have; on OLD in the words of what a person misses there: a named table, or all tables."""
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


def _unreadable(table: Table, old: Catalog) -> Problem | None:
    """A table that is there and may not be read is named with what must be granted."""
    if "SELECT" in table.privileges:
        return None
    relation = f"{quoted(table.name.schema)}.{quoted(table.name.name)}"
    grants = f"GRANT USAGE ON SCHEMA {quoted(table.name.schema)} TO {quoted(old.user)}; GRANT SELECT ON {relation} TO {quoted(old.user)};"
    if 0 < len(table.unreadable_columns) < len(table.columns):
        columns = table.unreadable_columns
        return ColumnsUnreadable(table.name, old.user, old.database, grants, columns).problem()
    return TableUnreadable(table.name, old.user, old.database, grants).problem()


def quoted(name: str) -> str:
    """A name as a person pastes it into a statement; for messages, never run by us."""
    return name if _PLAIN_NAME.match(name) else '"' + name.replace('"', '""') + '"'
