"""Reads one database's catalog: one query per kind of object, however many tables there are.

What lives here: running ``sql/queries/catalog_*.sql`` and building the nouns of ``model/catalog.py`` from the
rows. What may not live here: SQL texts, comparisons, and anything that reads a table's rows.

Begin with ``read.py``.

1. ``printing.py`` pins the settings that decide how the server prints names and expressions.
2. ``rows.py`` has one type per query, checked when a row is read.
3. ``ask.py`` asks several queries with one statement.
4. ``types.py`` builds type trees; ``tables.py`` builds tables with columns, keys, indexes and triggers.
5. ``read.py`` reads everything and puts it together.
"""

from tranship.server.catalog.read import read_catalog

__all__ = ["read_catalog"]
