"""What NEW's tables hold already, and how much of it OLD holds, too."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence, Set

from msgspec import Struct

from tranship.analysis.asker import Asker
from tranship.model.catalog import Catalog, Table
from tranship.model.change import Matching, TablePair
from tranship.model.evidence import RowsInNew
from tranship.model.names import Side, TableName
from tranship.planning.matching.scope import HOLDS_ROWS
from tranship.planning.names.families import family
from tranship.planning.types.conversion import same_type
from tranship.sql.standing import canonical_columns, own_rows, row_counts, shared_with, standing_rows

_AT_ONCE = 50
"""Tables that one statement counts: each takes a few of the server's shared locks."""
_COUNTED = 256 * 1024 * 1024
"""Bytes of a table up to which its rows are counted and compared."""
_COMPARED = 5000
"""Rows of a table of NEW that are compared with OLD's: seeds are few."""


class _Compared(Struct, frozen=True):
    """The texts by which rows of one pair of tables are compared, as SQL over the row ``t`` of each side."""

    keys: tuple[list[str], list[str]]
    values: tuple[list[str], list[str]]
    names: tuple[list[str], list[str]]
    name: tuple[str, ...]


async def rows_in_new(
    asker: Asker, old: Catalog, new: Catalog, matching: Matching, only: Container[TableName] | None = None
) -> tuple[RowsInNew, ...]:
    """Returns the tables of NEW that hold rows, by name, with what OLD shares with them where the two can be
    compared.

    ``only`` names the tables to look at; None: all.
    """
    wanted = [table for table in new.tables if only is None or table.name in only]
    _leave_unseen(asker, wanted)
    found = {facts.table: facts for facts in await _held(asker, wanted)}
    for pair in matching.pairs:
        facts = found.get(pair.new)
        if facts is not None and not facts.estimated and facts.rows <= _COMPARED:
            shared = await _shared(asker, pair, old.table(pair.old), new.table(pair.new), facts)
            found[pair.new] = shared or facts
    return tuple(facts for _, facts in sorted(found.items()))


async def left_rows(asker: Asker, old: Catalog, matching: Matching) -> tuple[RowsInNew, ...]:
    """Returns how many rows the old tables without a counterpart hold."""
    tables = [table for name in matching.only_old if (table := old.table(name)) is not None]
    return tuple(await _held(asker, tables, Side.OLD))


async def extension_rows(asker: Asker, old: Catalog) -> tuple[RowsInNew, ...]:
    """Returns how many rows of the user OLD's tables of extensions hold, where the extension tells which."""
    found: list[RowsInNew] = []
    for table in (table for extension in old.extensions for table in extension.tables):
        if table.condition is None:
            continue
        what = f"how many rows of your own {table.name} holds"
        rows = await asker.ask(Side.OLD, what, own_rows(table))
        found += [RowsInNew(table.name, int(str(row["rows"]))) for row in rows or ()]
    return tuple(found)


async def _held(asker: Asker, tables: Sequence[Table], side: Side = Side.NEW) -> list[RowsInNew]:
    """Returns the tables that hold rows: counted, or as the statistics have it where they are large."""
    held = [t for t in tables if t.kind in HOLDS_ROWS and t.pages and _seen_whole(t)]
    large = [t for t in held if t.bytes > _COUNTED]
    found = [RowsInNew(t.name, max(int(t.row_estimate), 1), estimated=True) for t in large]
    small = [t for t in held if t.bytes <= _COUNTED]
    for start in range(0, len(small), _AT_ONCE):
        found += await _counted(asker, small[start : start + _AT_ONCE], side)
    return found


def _seen_whole(table: Table) -> bool:
    """Whether the role may read it, and no policy hides rows: they would be told as rows that are not
    there.
    """
    return "SELECT" in table.privileges and not table.row_security_active


def _leave_unseen(asker: Asker, tables: Sequence[Table]) -> None:
    """Records the tables whose rows the role does not see: they are not told as empty."""
    for table in tables:
        if table.kind in HOLDS_ROWS and table.pages and not _seen_whole(table):
            readable = "SELECT" in table.privileges
            why = "a policy hides rows from the role" if readable else "the role may not read it"
            asker.leave(f"how many rows {table.name} of NEW holds", why)


async def _counted(asker: Asker, tables: Sequence[Table], side: Side) -> list[RowsInNew]:
    what = f"how many rows the tables of {side.value.upper()} hold"
    rows = await asker.ask(side, what, row_counts(tables)) or ()
    counts = [(tables[int(str(row["place"]))].name, int(str(row["rows"]))) for row in rows]
    return [RowsInNew(name, count) for name, count in counts if count]


async def _shared(
    asker: Asker, pair: TablePair, before: Table | None, after: Table | None, facts: RowsInNew
) -> RowsInNew | None:
    if before is None or after is None or before.bytes > _COUNTED or "SELECT" not in before.privileges:
        return None
    how = _compared(pair, before, after)
    if how is None:
        return None
    what = f"which rows of {after.name} OLD holds, too"
    text = standing_rows(after, how.keys[1], how.values[1], how.names[1], _COMPARED)
    there = await asker.ask(Side.NEW, what, text)
    if there is None:
        return None
    lists = [[row[column] for row in there] for column in ("key", "content", "name")]
    text = shared_with(before, how.keys[0], how.values[0], how.names[0])
    rows = await asker.ask(Side.OLD, what, text, *lists)
    if not rows:
        return None
    counted = ("keys", "equal", "renumbered", "renamed")
    keys, equal, renumbered, renamed = (int(str(rows[0][name])) for name in counted)
    return RowsInNew(after.name, facts.rows, False, keys, equal, renumbered, renamed, how.name)


def _compared(pair: TablePair, before: Table, after: Table) -> _Compared | None:
    """Returns how rows are compared, by NEW's primary key; None where it has none, or OLD does not fill it
    column by column.
    """
    fed = {columns.new: columns.old for columns in pair.columns}
    primary = after.primary_key
    if primary is None or not set(primary.columns) <= fed.keys():
        return None
    keys = _texts(before, after, [(fed[name], name) for name in primary.columns])
    if keys is None:
        return None
    values = _texts(before, after, list(_alike(pair, before, after))) or ([], [])
    name = _unique_name(after, fed.keys(), primary.columns)
    names = _texts(before, after, [(fed[part], part) for part in name])
    return _Compared(keys, values, names or ([], []), name if names is not None else ())


def _texts(
    before: Table, after: Table, columns: Sequence[tuple[str, str]]
) -> tuple[list[str], list[str]] | None:
    """Returns SQL for the texts of old and new columns; None: one of them has none that is certain."""
    old = canonical_columns(before, [name for name, _ in columns])
    new = canonical_columns(after, [name for _, name in columns])
    return (old, new) if old is not None and new is not None else None


def _alike(pair: TablePair, before: Table, after: Table) -> Iterator[tuple[str, str]]:
    """Columns whose texts are the same on both servers where the values are: of one type, or numbers."""
    for columns in pair.columns:
        old, new = before.column(columns.old), after.column(columns.new)
        if old is None or new is None or new.generated:
            continue
        numbers = family(old.type) == family(new.type) in ("integer", "text")
        comparable = canonical_columns(before, [old.name]) and canonical_columns(after, [new.name])
        if comparable and (numbers or same_type(old.type, new.type)):
            yield old.name, new.name


def _unique_name(after: Table, fed: Set[str], primary: Sequence[str]) -> tuple[str, ...]:
    """Returns the unique key by which people call the rows: one of text before others, the shortest first;
    empty where no key beside the primary key is filled by OLD.
    """
    filled = [
        key.columns for key in after.keys if set(key.columns) <= fed and set(key.columns) != set(primary)
    ]
    return min(filled, key=lambda names: (not _has_text(after, names), len(names)), default=())


def _has_text(table: Table, names: Sequence[str]) -> bool:
    columns = (table.column(name) for name in names)
    return any(column is not None and family(column.type) == "text" for column in columns)
