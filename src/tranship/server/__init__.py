"""Connections to OLD and NEW, and what is read or kept through them.

What lives here: connecting as libpq does, pinned sessions, the snapshot of OLD, the catalog reader, the
journal of a run. What may not live here: SQL texts (``sql/``), decisions about a run (``execution/``), and
wording beyond connection errors.

Begin with ``connect.py``, then ``session.py``: every connection of the program is opened by the one and
pinned by the other.

1. ``tls.py`` makes TLS contexts as sslmode says; ``trouble.py`` turns a driver's error into one for people.
2. ``connect.py`` opens a connection; ``deadline.py`` notices one whose server no longer works for it, and
   ``round_trips.py`` makes it ask no oftener than it must.
3. ``session.py`` pins settings and refuses poolers; ``identity.py`` tells which database a connection has
   reached.
4. ``snapshot.py`` holds OLD's snapshot and hands out readers on it. ``old_reader.py`` is the port that such a
   reader is to the copy; ``cut.py`` is how it cuts a table into batches.
5. ``catalog/`` reads a database's catalog. ``journal/`` reads and writes the journal in NEW.
"""
