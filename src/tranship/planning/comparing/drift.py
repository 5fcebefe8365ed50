"""What changed in a schema since it was last read, in words: why a file is stale or a plan is void."""

from __future__ import annotations

from tranship.model.catalog import Catalog, Table
from tranship.model.names import Side
from tranship.planning.comparing.fingerprint import definition


def drift(before: Catalog, now: Catalog, side: Side, *, most: int = 10) -> tuple[str, ...]:
    """Returns the differences between two readings of one database; empty when the fingerprints are equal.

    At most ``most`` relations are named; what is beyond relations (types, sequences, functions) is reported
    in one line.
    """
    if before.fingerprint == now.fingerprint:
        return ()
    where = f"the {side.value.upper()} database"
    if before.database != now.database:
        return (f"{where} was {before.database!r} and is {now.database!r}",)
    then, today = {t.name: t for t in before.tables}, {t.name: t for t in now.tables}
    found = [f"{where} no longer has {name}" for name in sorted(then.keys() - today.keys())]
    found += [f"{where} now has {name}" for name in sorted(today.keys() - then.keys())]
    changed = [name for name in sorted(then.keys() & today.keys()) if _differs(then[name], today[name])]
    found += [f"{where} changed {name}{_columns(then[name], today[name])}" for name in changed]
    if not found:
        return (f"{where} changed a type, sequence, function, extension or setting",)
    if len(found) <= most:
        return tuple(found)
    return (*found[:most], f"{where} changed {len(found) - most} more relations")


def _differs(then: Table, today: Table) -> bool:
    return definition(then) != definition(today)


def _columns(then: Table, today: Table) -> str:
    before = {column.name: column for column in definition(then).columns}
    after = {column.name: column for column in definition(today).columns}
    names = [n for n in sorted(before.keys() | after.keys()) if before.get(n) != after.get(n)]
    return f": column {', '.join(names)}" if names else ""
