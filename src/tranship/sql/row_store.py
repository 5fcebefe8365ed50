"""Statements on the file in which rows of NEW are looked up (SQLite)."""

from __future__ import annotations

MADE = """
PRAGMA cache_size = -32000;
PRAGMA journal_mode = OFF;
CREATE TABLE held (
  id TEXT NOT NULL, digest TEXT NOT NULL, page INTEGER, line INTEGER, taken INTEGER NOT NULL DEFAULT 0
);
"""
"""32 MB are kept in memory, and the rest of a database without a name in a file of the folder for temporary
files. It is deleted as soon as it is open (SQLite documentation, "Temporary Files Used By SQLite")."""
INDEXED = "CREATE INDEX held_by_id ON held (id, taken)"
BEGIN, COMMIT = "BEGIN", "COMMIT"

ADD = "INSERT INTO held (id, digest, page, line) VALUES (?, ?, ?, ?)"
BESIDE = "SELECT digest, count(*) FROM held WHERE id = ? AND taken = 0 GROUP BY digest"
PLACES = "SELECT page, line FROM held WHERE id = ?"
FIRST = "SELECT id, digest FROM held WHERE taken = 0 LIMIT ?"
ALL = "SELECT id, digest FROM held WHERE taken = ?"
_FREE = "SELECT rowid FROM held WHERE id = ? AND taken = 0"
TAKE = f"UPDATE held SET taken = 1 WHERE rowid IN ({_FREE} AND digest = ? LIMIT ?)"
TAKE_OF_KEY = f"UPDATE held SET taken = 1 WHERE rowid IN ({_FREE} LIMIT ?)"
TAKE_ANY = "UPDATE held SET taken = 1 WHERE rowid IN (SELECT rowid FROM held WHERE taken = 0 LIMIT ?)"
