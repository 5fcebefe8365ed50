"""How values of one type become values of another, judged without a server.

Lives here: the judgement of a pair of types, the texts that an input function takes, words for types.
Does not live here: facts about built-in types (``model/builtin_types.py``), and the SQL of a conversion
(``sql/types``).
Begin with ``conversion``. Order of the files: judgement → numbers · moments · strings → inputs → table →
scalars · versions → conversion; values and wording stand alone.
"""
