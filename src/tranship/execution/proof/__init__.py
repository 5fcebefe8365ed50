"""Proof that NEW holds what OLD's rows become.

Lives here: the sums over a batch that OLD computes in the run's snapshot beside the copy (``expected``), the
sums over the rows of NEW by the transactions that wrote them (``compare``), and the rows that differ, by key
and column (``naming``). Does not live here: the SQL, which is in ``sql/digest.py``, ``sql/old/digest.py`` and
``sql/new/digest.py``. Begin with ``expected``.

How a row is named that differs: ``narrowed`` compares the parts of a batch; the rows of those that differ
come from OLD (``old_batch``) and from NEW (``new_rows``), a bounded number at once (``rows``), and what NEW
holds is looked up in a ``row_store``. Rows that others wrote anew are ``strangers``.
"""
