"""Names as people write them: their words, their likeness, and the families of types that a rename stays in.

Lives here: what can be said about two names, or about one, without a table around it.
Does not live here: which columns correspond (``matching``), and identifiers in SQL (``sql/quote``).
Begin with ``tokens``. Order of the files: tokens → likeness · things; families and truths stand
alone.
"""
