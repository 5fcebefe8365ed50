"""The only package in which SQL is written.

What lives here: functions that return SQL texts, and constants that are SQL texts. Everything is pure: no
connection, no clock, no file but the package's own queries. What may not live here: decisions about what to
run and when (``planning/`` and ``execution/``), and anything that imports a driver.

Every name and every literal in composed SQL goes through ``quote.py``; other f-string parts are numbers or
texts that another function of this package, or the server (``pg_get_expr``, ``format_type``), has returned.

Built-in functions, types and operators are written ``pg_catalog.…``: sessions on NEW keep the database's own
search_path, because triggers and defaults may depend on it, and an object of a user's may have a built-in's
name.

Begin with ``expression.py``, which compiles what fills one column of NEW, then ``old/batch.py``, the SELECT
of a batch.

1. ``quote.py`` quotes names and literals; ``queries/`` holds fixed statements as ``.sql`` files with a
   comment head.
2. ``catalog.py`` gives the catalog queries for one server version; ``session.py`` has the statements around a
   batch.
3. ``types/`` has the SQL of each family of types; ``expression.py`` compiles values of plans;
   ``canonical.py``, ``lookup.py`` and ``casts.py`` stand on both.
4. ``evidence.py``, ``key_evidence.py``, ``standing.py``: bounded reads of OLD and NEW that answer the
   questions of ``analyze``.
5. ``old/``: statements that read OLD. ``new/``: statements that ask NEW, write to it, and keep its journal.
   Neither imports the other; what both need stands here (``row_id.py`` and ``ctid.py``: what a
   locator is in SQL; ``left_out.py``: which old rows a flow takes; ``foreign_keys.py``: when a row is the
   parent of another).
6. ``row_store.py`` is for SQLite, in which rows are looked up that are too many for memory.
"""
