"""The nouns: frozen values without a driver, a clock or a file. Everything else in the package speaks in
these.

What lives here: types that describe databases, differences, decisions, plans, progress and results, and
properties that follow from one value alone. What may not live here: I/O, SQL texts, wording for the terminal,
and judgements that need two values of different kinds (``planning/``).

Begin with ``catalog.py`` (what a database looks like), then ``plan.py`` (what will be done).

1. ``names.py``, ``types.py`` with ``builtin_types.py``, ``database_objects.py``, ``catalog.py`` with
   ``catalog_codes.py``, ``statistics.py``: a database without its rows.
2. ``change.py`` with ``change_kind.py``: how OLD and NEW differ. ``evidence.py``: what the data says about
   open changes.
3. ``resolution.py``: what a person decides. ``options.py``: what the command line asks for.
4. ``expression.py``, ``plan.py``: what fills each column, and in which order tables are copied.
5. ``flow.py``, ``locator.py``: the identity of a plan and of a row. ``progress.py``: batches and events of a
   run, with ``notes.py``.
6. ``reasons.py``: why a row is rejected. ``verdict.py``: rejects, findings, the result file. ``undo.py``:
   what is switched off in NEW.
7. ``text.py``, ``date_order.py``: functions on plain text.
"""
