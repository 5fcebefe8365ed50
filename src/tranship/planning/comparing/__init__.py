"""What differs between two catalogs, how grave each difference is, and what a person has to decide.

Lives here: changes of tables and columns, notes on structure, questions of meaning, fingerprints and drift.
Does not live here: who corresponds to whom (``matching``), and which decisions resolve a change
(``deciding``). Begin with ``compare``. Order of the files: fingerprint → drift, restored; structure/ and
meaning/ → column_changes · other_ids → compare.
"""
