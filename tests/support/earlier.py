"""A pair of databases whose NEW holds the journal and the rows of an earlier version's run
(``support/journals``).
"""

from __future__ import annotations

from pathlib import Path

from support import MakePair, Pair
from tranship.server.identity import read_identity

FOLDER = Path(__file__).parent / "journals"
OLD = (FOLDER / "old.sql").read_text(encoding="utf-8")
RESOLUTIONS = str(FOLDER / "resolutions.json")

_RESTORED = """
RESET search_path;
UPDATE _tranship.run SET old_identity = '{old}', new_identity = '{new}';
UPDATE _tranship.batch SET xids = ARRAY[pg_catalog.txid_current()] WHERE state = 'done';
"""


async def earlier_pair(make_pair: MakePair, name: str) -> Pair:
    """Restores a dump in one transaction, so that one transaction wrote all its rows,
    and makes the journal speak of these two databases.
    """
    pair = await make_pair(OLD, "")
    keys = []
    for database in (pair.old, pair.new):
        async with database.connect() as conn:
            keys.append((await read_identity(conn)).key)
    dump = (FOLDER / f"{name}.sql").read_text(encoding="utf-8")
    await pair.new.run(dump + _RESTORED.format(old=keys[0], new=keys[1]))
    return pair
