"""What rows of OLD become, computed once more in Python from what the plan means.

The copy and the hashes of a proof share one compiler of expressions, so a fault of it would make both agree.
This package is the second opinion: it shares no code with them (an import contract of ``lint``), knows texts
of values only, and says nothing where it is not sure.

Lives here: the texts of values (``texts``), how a text of one type becomes a text of another (``values``),
and which columns of a plan can be computed (``rows``). Does not live here: which rows are read, which is in
``execution/proof/second_opinion.py`` and ``sql/second_opinion.py``. Begin with ``rows``; the order is
texts → values → rows.
"""
