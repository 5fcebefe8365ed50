"""Statements on the file in which rows of NEW are looked up (SQLite)."""

from __future__ import annotations

MADE = """
PRAGMA cache_size = -32000;
PRAGMA journal_mode = OFF;
CREATE TABLE added (id TEXT NOT NULL, digest TEXT NOT NULL, place INTEGER NOT NULL);
CREATE TEMP TABLE asked (id TEXT NOT NULL);
"""
"""32 MB are kept in memory, and the rest of a database without a name in a file of the folder for temporary
files. It is deleted as soon as it is open (SQLite documentation, "Temporary Files Used By SQLite")."""
BEGIN, COMMIT = "BEGIN", "COMMIT"
ADD = "INSERT INTO added VALUES (?, ?, ?)"
SORTED = """
CREATE TABLE held (
  id TEXT, digest TEXT, place INTEGER NOT NULL, free INTEGER NOT NULL, taken INTEGER NOT NULL,
  PRIMARY KEY (id, digest)
) WITHOUT ROWID;
INSERT INTO held
  SELECT id, digest, min(place), count(*), 0 FROM added GROUP BY id, digest ORDER BY id, digest;
DROP TABLE added;
"""
"""Equal rows are one with their number. They are sorted first, since a tree that grows with every row of
millions would be read from the file again and again."""

ASK, FORGET = "INSERT INTO temp.asked VALUES (?)", "DELETE FROM temp.asked"
_FOUND = "FROM temp.asked CROSS JOIN held USING (id)"
BESIDE = f"SELECT held.id, held.digest, held.free {_FOUND} WHERE held.free > 0"
PLACES = f"SELECT held.place {_FOUND}"
KEYS_TAKEN = f"SELECT held.id {_FOUND} WHERE held.taken > 0"
FREE = "SELECT id, digest, free FROM held WHERE free > 0"
TAKEN = "SELECT id, digest, taken FROM held WHERE taken > 0"
TAKE = "UPDATE held SET free = free - ?, taken = taken + ? WHERE id = ? AND digest = ?"
