"""What a person decides: which questions are open, which answers are suggested, and whether a resolutions
file is right.

Lives here: checks of resolutions (``resolve``), suggestions with their evidence (``suggest``), and the
questions about data that suggestions need (``data_questions``). Does not live here: asking a server
(``analysis``), and what the answers make of a table (``plan``). Begin with ``resolve``. Order of the files:
resolve/ → data_questions → suggest/ → come_alive.
"""
