"""What is read from both databases before anything is copied: catalogs, statistics, evidence, and checks of
decisions.

What lives here: reading with connections, and handing the answers to ``planning/``. What may not live here:
judgements themselves (``planning/``), SQL texts (``sql/``), writing to a database. Everything here runs in
read-only transactions.

Begin with ``prepare.py``, which does the whole work before a run.

1. ``reached.py`` shows what both connections and their privileges are like.
2. ``sides.py`` connects and reads both catalogs; ``statistics.py`` reads what ANALYZE has stored;
   ``spellings.py`` has NEW print expressions of both sides in one form.
3. ``evidence.py`` asks the data the questions behind suggestions; ``lookup_evidence.py``, ``key_evidence.py``
   and ``refused_values.py`` ask those that take several steps. ``asker.py`` puts all of them to the servers
   within one time limit, and ``sampling.py`` says how much of a table is read.
4. ``standing.py`` reads what NEW's tables hold already; ``swapped.py`` refuses a pair of databases that is
   the wrong way round.
5. ``stale.py`` compares files with the databases as they are; ``value_checks.py``, ``expression_checks.py``
   and ``lookup_checks.py`` try the values, expressions and lookups of decisions on the servers that have to
   take them.
6. ``described.py`` asks which columns the SQL of decisions makes, ``uses.py`` what it uses, and
   ``added_values.py`` makes the flows that add values to lookup tables.
7. ``problems.py`` turns what is open or could not be checked into problems; ``prepare.py`` puts everything
   together.
"""
