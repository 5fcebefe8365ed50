"""A preview: the first rows of each flow as they are in OLD, and as NEW would hold them.

What lives here: computing some values as a run computes them. OLD computes each mapping, and NEW reads the
texts with its own input functions, fills defaults and generates columns. What may not live here: anything
that writes, and judging whether NEW takes a row, which the data checks of a dry run do (``probe/``).

Begin with ``flow.py``. ``old_rows.py`` asks OLD, ``new_rows.py`` asks NEW, ``texts.py`` has what both hand
on, and ``words.py`` says what fills a column.
"""
