"""``tranship verify``: whether NEW still holds what finished runs brought, at any time after them.

Lives here: what the journal says of each flow (``recorded``), the comparison of one table of NEW with it
(``tables``), which rows differ where OLD is no longer what the run saw (``naming``), and the order of steps
(``command``). Does not live here: sums and rows of one batch, which ``execution/proof`` computes for a live
run as well. Nothing here writes to a database. Begin with ``command``.
"""
