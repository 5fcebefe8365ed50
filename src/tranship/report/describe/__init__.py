"""From nouns to documents. Begin with ``analysis.py``, the report of ``analyze``.

``run.py`` describes a live run by its journal, ``dry_run.py`` a dry run or a rehearsal by its result file.
``causes.py`` describes for both why rows are rejected. ``facts.py`` words what the data says about a column,
``sides.py`` draws two tables beside each other. Layout and escaping are the renderers' business and may not
live here.
"""
