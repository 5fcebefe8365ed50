"""Proof that NEW holds what OLD's rows become.

Lives here: the sums over a batch that OLD computes in the run's snapshot beside the copy (``expected``), the
sums over the rows of NEW by the transactions that wrote them (``compare``), and the rows that differ, by key
and column (``naming``). Does not live here: the SQL, which is in ``sql/digest.py``, ``sql/old/digest.py`` and
``sql/new/digest.py``. Begin with ``expected``.
"""
