"""What came of a run, as the nouns of the result file.

Begin with ``outcome``: it makes a result of the counts of each table. ``from_journal`` reads these counts
and the rejects from the journal (live run) or from the data checks (dry run). ``causes`` groups rejected
rows, ``spool`` keeps their records on disk, and ``files`` names and writes the files. ``on_record`` says why
a run is not on record. Words for people are in ``report``.
"""
