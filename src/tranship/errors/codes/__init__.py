"""The table of error codes, one file per part of a run.

A file holds message classes: code, texts with typed fields, exit status. What may not live here: code that
decides when a message is raised.

In the order of a run: ``usage`` and ``configuration`` (TS1xx), ``connection`` (TS2xx); refusals (TS3xx) in
``scope``, ``decisions``, ``entries``, ``entry_values``, ``shapes``, ``followers``, ``stale_references``,
``privileges``, ``start``, ``runs`` and ``rejects_only``; ``stops`` (TS4xx); ``differs`` (TS5xx);
``unforeseen`` (TS900). ``cluster``: a Dask cluster.
"""
