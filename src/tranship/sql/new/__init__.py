"""Statements for NEW: data checks before the copy, switches around it, the journal beside it, and rollback.

What may not live here: statements for OLD (``sql/old/``), and the decision which of these to run.

Begin with ``probe.py`` for the dry run, with ``journal/`` for the live run.

1. ``probe.py`` says how given rows are put to NEW; ``given_rows.py`` and ``unique_indexes.py`` are the checks
   on them; ``spelling.py`` has the server print expressions in its own form.
2. ``switches.py`` and ``indexes.py`` switch triggers, keys and indexes off, ``undo.py`` has the statements
   that restore them; ``sequences.py`` moves sequences.
3. ``journal/`` holds the journal's tables and every statement on them.
4. ``orphans.py`` finds rows without a parent after the copy; ``rollback.py`` deletes exactly the rows of a
   run.
"""
