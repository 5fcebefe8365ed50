"""Words for people: reports and the console output of a run.

What lives here: from nouns to texts, for files and terminals. What may not live here: connections, decisions,
options of the command line. The phrases of the classic workflow are public interface.

Begin with ``document.py``: what a report says, without saying how it looks.

1. ``describe/`` makes documents from nouns, one module per report. 2. ``text.py`` and ``html.py`` render
   documents.
3. ``console.py`` turns the events of a run into lines; ``verdict.py`` words the first line of its end,
   ``why.py`` why a row is rejected, ``causes.py`` how many rows were and why, ``meter.py`` how far it is,
   ``aligned.py`` aligns tables of text, and ``by_table.py`` says which counts such a table has;
   ``said_once.py`` joins problems that say the same, ``notes.py``, ``reasons.py`` and ``rejects.py`` word
   its notes and rejected rows.
4. ``error_codes.py`` words the table of error codes; ``ci.py`` writes problems for build servers, and
   ``notebook.py`` tables for notebooks.
"""
