"""Reading expressions in the form in which a server prints them (``pg_get_expr``, ``pg_get_constraintdef``).

Lives here: regular expressions over printed text, and what they find: tokens, names, listed constants. Does
not live here: SQL that a person wrote (it is never parsed), and writing SQL (``sql/``). Begin with
``tokens``. Order of the files: one_spelling → tokens → names · listed_values → allowed_values · may_raise.
"""
