"""Statements for OLD. All of them read; all of them run inside the run's exported snapshot.

What may not live here: anything that writes, or that a role with nothing but SELECT may not run.

Everywhere the old row has the alias ``old``, because a person's ``transform_sql`` uses that name. Begin with
``row_source.py``: every read of a flow's rows takes its FROM clause, its conditions and its ids from there.

1. ``snapshot.py`` locks tables, exports the snapshot and joins it.
2. ``cut.py`` counts a table, finds where batches begin, and tells whether the table has changed.
3. ``batch.py`` reads the rows of a batch; ``ids.py`` lists their ids; ``rows.py`` reads what the data
   checks need, ``whole_rows.py`` what people are shown, ``lookup_keys.py`` what lookups need;
   ``distinct.py`` reads the values that a lookup table may
   lack, ``survivors.py`` which rows are merged into which.
4. ``safe_values.py`` and ``losses.py`` are predicates: which values surely convert, which ones change by it.
5. ``expression_checks.py`` asks the planner about a person's expression without running it.
"""
