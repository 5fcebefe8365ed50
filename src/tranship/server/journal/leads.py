"""Where children of rows are led that NEW holds under another key, as the journal keeps it.

The keys of OLD stand as bytes: NEW's encoding need not have their characters.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

import asyncpg
import msgspec
from msgspec import Struct

from tranship.server.journal.store import Journal

_NEW_KEY = msgspec.json.Decoder(dict[str, str | None])


class Lead(Struct, frozen=True):
    """Where children of one row are led."""

    columns: tuple[str, ...]
    """Columns of OLD."""
    old_key: str
    """The row's values in them: a JSON array."""
    new_key: Mapping[str, str | None]
    """The columns in which NEW's row has other values, with their texts."""


async def write_leads(
    journal: Journal, conn: asyncpg.Connection, run: str, position: int, leads: Iterable[Lead]
) -> None:
    """Journals the leads of one flow."""
    records = [
        (run, position, _text(lead.columns), lead.old_key.encode(), msgspec.json.encode(lead.new_key))
        for lead in leads
    ]
    await conn.copy_records_to_table("lead", schema_name=journal.schema, records=records)


async def some_leads(
    journal: Journal,
    conn: asyncpg.Connection,
    place: tuple[str, int],
    columns: Sequence[str],
    most: int | None,
) -> list[Lead]:
    """Returns some leads of a flow, or all; ``place``: its run and position."""
    rows = await conn.fetch(journal.sql("leads"), *place, _text(columns), most)
    return [_lead(columns, row) for row in rows]


async def leads_of_keys(
    journal: Journal,
    conn: asyncpg.Connection,
    place: tuple[str, int],
    columns: Sequence[str],
    keys: Iterable[str],
) -> list[Lead]:
    """Returns the leads of a flow for some keys of OLD."""
    wanted = [key.encode() for key in keys]
    rows = await conn.fetch(journal.sql("leads_of_keys"), *place, _text(columns), wanted)
    return [_lead(columns, row) for row in rows]


def _text(columns: Sequence[str]) -> str:
    return json.dumps(list(columns))


def _lead(columns: Sequence[str], row: asyncpg.Record) -> Lead:
    new_key = _NEW_KEY.decode(bytes(row["new_key"]))
    return Lead(tuple(columns), bytes(row["old_key"]).decode(), new_key)
