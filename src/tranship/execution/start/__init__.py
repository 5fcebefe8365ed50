"""The start of a run: whether it may begin, on which connections, and with what.

``sides`` connects and takes the snapshot of OLD; ``batch_rows`` fits batches to the way to NEW; ``preflight``
finds everything that would stop the run later; ``sequence_headroom`` counts what is left in NEW's sequences,
and ``drawn_numbers`` moves those from which NEW numbers rows behind the numbers that it holds. A run that NEW
does not know yet begins in ``fresh``; one that was interrupted (``interrupted``: as the journal has it)
resumes in ``resume``, once ``old_unchanged`` has proven that OLD is as it was. What values depend on beside
rows is found and compared by ``dependencies`` for OLD and by ``computed`` for NEW. ``tasks`` holds what both
hand on. For a dry run ``beginning`` finds out how a live run would begin, and ``foresee`` what ``resume``
would do. Nothing here moves rows.
"""
