"""Engines that are broken on purpose, each in one way: ``break_it()`` of a module here makes the process it
is called in such an engine.

The suite must catch every one of them (``test_twins.py``): a test of the tests.
"""

TWINS = (
    "checkpoint_alone",
    "no_fence",
    "lock_after_snapshot",
    "border_doubled",
    "last_range_missing",
    "end_of_stream",
)

VERIFIERS = ("proof_skips_last_batch", "proof_by_xor", "proof_takes_null_for_empty")
"""Verifiers that are broken (``databases/proof/test_broken_verifiers.py``)."""
