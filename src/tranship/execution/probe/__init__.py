"""The data checks: which rows would NEW refuse? They are the same for a dry run and right before the copy.

Both servers are asked read-only; nothing here writes. Begin with ``everything``, which counts, cuts and
probes all tables (``counting``, ``side_by_side``), then ``group``, which has the order of the checks of a
group of tables:

1. Faults of the row itself: ``scan`` says what has to be asked, ``reading`` reads the rows from OLD
   (``portions``: how many of them together; ``joined``: of which batches), ``questions`` and
   ``typed_rows`` put them to NEW, ``faults`` takes the answers. ``encoding``, ``widths``, ``losses`` and
   ``lookups`` are checks of single values (``whole_tables``: lookup tables that are read once),
   ``lookup_doubles`` of keys that stand for two of them, ``raising_defaults`` of defaults,
   ``known_later`` what only NEW will know, ``lookup_strangers`` of what lookups find in place of rejected
   rows. ``within`` tells what lookups find in tables that are filled together with the rows that look up.
2. Collisions: ``unique_indexes``, ``existing`` (with rows of NEW), ``equal_rows``, ``collisions`` and
   ``keys`` (among the rows of the run).
3. Foreign keys: ``references``, ``parent_flows``, ``parents``, ``own_parents``, ``changed_keys`` (keys that
   children do not follow), ``left_out_parents``, ``filtered_parents``, ``periods``, ``derived``,
   ``found_parents`` (those that lookups find), and ``cascades`` for what follows from a reject.

``probe_context`` is what they are given, ``arrived`` says what NEW holds when they begin. ``reject_book``
keeps the findings, and the rejects in little memory (``reject_store``, ``row_numbers``), ``reasons`` makes
rejects of them, and ``records`` fetches the rejected rows.
"""
