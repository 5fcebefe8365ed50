"""What a command does to both databases: the dry run, the rehearsal and the live run, and what comes after
them.

Here are sessions and the order of steps; SQL is in ``sql/``, words for people are in ``report/``, decisions
that need no server are in ``planning/``. Begin with ``live``: it is a live run from its lock to its result.
Then, in the order in which a run passes them: ``context`` (what every step is given), ``start`` (may it
begin, and with what), ``probe`` (which rows would NEW refuse), ``active_run`` (the run while it lasts),
``copying`` (its batches), ``switches`` (what is off in NEW meanwhile), ``results``. ``resilience`` keeps
sessions, locks and tries; ``rollback``, ``upkeep`` and ``verification`` are commands of their own.
"""
