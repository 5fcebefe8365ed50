"""What a change of labels says of a column, in words."""

from __future__ import annotations

from collections.abc import Iterator

from tranship.model.builtin_types import Family
from tranship.model.types import PgType


def label_evidence(old: PgType, new: PgType) -> Iterator[str]:
    """Yields how the labels of an enum differ; their order decides how values compare.

    ``old`` and ``new`` are the innermost types: arrays of labels compare by their labels, too.
    """
    before, after = old.labels, new.labels
    added = [label for label in after if label not in before]
    if before and added:
        yield f"labels added: {', '.join(added)}"
    kept = [label for label in before if label in after]
    if kept != [label for label in after if label in kept]:
        yield "the labels stand in another order: comparisons and ORDER BY change"
    if old.family is Family.STRING and list(after) != sorted(after):
        yield "labels compare by their order in the type, texts by their letters: ORDER BY changes"
