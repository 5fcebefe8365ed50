"""Copying the rows of a run: a coordinator hands out batches, workers copy them.

``tables`` is the coordinator: group after group, switches off, batches over the workers, foreign keys
proven, switches on. ``flow_copy`` keeps one flow's batches that wait and enters what workers report
(``assignment``: what passes between the two). ``batch`` is the worker: it gets an assignment, copies one
batch in one transaction of NEW and reports; what it needs to know besides it reads from the journal. It may
not keep anything from one batch to the next, so that a process elsewhere can do its work. Below it:
``stream`` (OLD's COPY into NEW's), ``batch_lines`` and ``isolate`` (row by row, where NEW refuses one),
``split`` (a batch that is too large). ``durability`` asks NEW what it still holds; ``orphans`` takes out
rows whose parent did not arrive, after ``writers`` has waited for those who may delete parents, and ``trace``
finds the old row behind a row of NEW.
"""
