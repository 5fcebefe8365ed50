"""Identity by physical descent.

In pg_attribute RENAME keeps a column's number, DROP leaves a hole, and ADD takes the next number.
"""

from __future__ import annotations

from tranship.model.catalog import Table


def same_relation(old: Table, new: Table, shared_ancestor: bool) -> bool:
    """Returns whether both are copies of one physical table.

    They have the same OID on servers with one ancestor, and most columns have still their own number.
    """
    if not shared_ancestor or old.oid == 0 or old.oid != new.oid:
        return False
    # An OID may be given again after 2³² others: a table that shares names but no number with its namesake is
    # another one.
    numbers = {c.name: c.attnum for c in new.columns}
    shared = [c for c in old.columns if c.name in numbers]
    return not shared or any(numbers[c.name] == c.attnum for c in shared)


def moved_names(old: Table, new: Table) -> list[tuple[str, str]]:
    """Returns (old, new) names of columns whose number stayed and whose name changed, in OLD's order."""
    names = {c.attnum: c.name for c in new.columns}
    return [(c.name, names[c.attnum]) for c in old.columns if names.get(c.attnum, c.name) != c.name]
