"""Asks NEW how the things stand that an entry of the journal says are off."""

from __future__ import annotations

from typing import assert_never

import asyncpg

from tranship.model.catalog_codes import TriggerState
from tranship.model.names import TableName
from tranship.model.undo import (
    CheckDropped,
    CommentDropped,
    IndexDropped,
    KeyDropped,
    KeyUnvalidated,
    Relation,
    RuleDisabled,
    Standing,
    TriggerDisabled,
    Unreadable,
)
from tranship.planning.printed.definitions import index_shape
from tranship.planning.printed.off_now import (
    ActingNow,
    ConstraintNow,
    IndexNow,
    Present,
    RelationNow,
    standing,
)
from tranship.server.catalog.printing import plain_output
from tranship.server.identity import read_identity
from tranship.server.journal.nouns import Undo
from tranship.server.journal.store import Journal
from tranship.sql.queries import query


async def standing_now(new: asyncpg.Connection, journal: Journal, undo: Undo) -> Standing:
    """Returns how an entry stands in NEW now, in the caller's transaction."""
    async with plain_output(new):
        present = await _present(new, journal, undo)
    return standing(undo.off, present)


async def _present(new: asyncpg.Connection, journal: Journal, undo: Undo) -> Present:
    off = undo.off
    same = undo.server == (await read_identity(new)).key
    match off:
        case TriggerDisabled() | RuleDisabled():
            oid, table = await _relation(new, off.relation, off.home if same else None)
            return Present(same, table, acting=await _acting(new, off, oid))
        case KeyDropped():
            return await _of_key(new, off.table, off, same=same)
        case KeyUnvalidated() | CommentDropped():
            key_off = await _key_off(new, journal, undo.run, (off.table, off.key))
            return await _of_key(new, off.table, off.dropped, same=same, key_off=key_off)
        case CheckDropped():
            oid, table = await _relation(new, off.table, off.home if same else None)
            return Present(same, table, constraints=await _constraints(new, oid))
        case IndexDropped():
            return await _of_index(new, off, same=same)
        case Unreadable():
            return Present(same, None)
        case _:
            assert_never(off)


async def _key_off(new: asyncpg.Connection, journal: Journal, run: str, key: tuple[TableName, str]) -> bool:
    """Returns whether a run has a foreign key off."""
    off = [other.off for other in await journal.open_undo(new) if other.run == run]
    return any(isinstance(one, KeyDropped) and (one.table, one.key.name) == key for one in off)


async def _relation(
    new: asyncpg.Connection, name: TableName, home: Relation | None
) -> tuple[int, RelationNow | None]:
    """Returns a table with its OID; 0 and None where there is none.

    ``home``: it is known by its OID, whatever its name is now; None: by its name.
    """
    rows = await new.fetch(query("off_relation"), name.schema, name.name, home.oid if home else 0)
    for row in rows:
        if row["oid"] == home.oid if home else row["named"]:
            columns = dict(zip(row["numbers"], row["columns"], strict=True))
            return row["oid"], RelationNow(TableName(row["schema"], row["name"]), columns)
    return 0, None


async def _acting(
    new: asyncpg.Connection, off: TriggerDisabled | RuleDisabled, oid: int
) -> tuple[ActingNow, ...]:
    rows = await new.fetch(query("off_triggers" if isinstance(off, TriggerDisabled) else "off_rules"), oid)
    return tuple(ActingNow(row["name"], row["oid"], TriggerState(row["state"])) for row in rows)


async def _of_key(
    new: asyncpg.Connection, name: TableName, off: KeyDropped | None, *, same: bool, key_off: bool = False
) -> Present:
    """Returns the constraints of a table and both ends of a foreign key. ``off``: the key, where known."""
    oid, table = await _relation(new, name, off.home if off is not None and same else None)
    parent = None
    if off is not None:
        _, parent = await _relation(new, off.key.target, off.parent if same else None)
    return Present(same, table, parent, constraints=await _constraints(new, oid), key_off=key_off)


async def _constraints(new: asyncpg.Connection, oid: int) -> tuple[ConstraintNow, ...]:
    rows = await new.fetch(query("off_constraints"), oid)
    return tuple(
        ConstraintNow(r["name"], r["foreign"], r["definition"], r["validated"], r["comment"]) for r in rows
    )


async def _of_index(new: asyncpg.Connection, off: IndexDropped, *, same: bool) -> Present:
    oid, table = await _relation(new, off.table, off.home if same else None)
    rows = await new.fetch(query("off_indexes"), oid)
    indexes = tuple(
        IndexNow(r["name"], index_shape(r["definition"]), r["definition"], r["valid"]) for r in rows
    )
    schema = table.name.schema if table is not None else off.schema
    holder = await new.fetchval(query("off_holder"), schema, off.index.name)
    return Present(same, table, indexes=indexes, holder=holder or "")
