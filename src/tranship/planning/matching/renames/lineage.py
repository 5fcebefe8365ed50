"""Identity by physical descent: RENAME keeps a column's number, DROP leaves a hole, ADD takes the next one."""

from __future__ import annotations

from tranship.model.catalog import Table


def same_relation(old: Table, new: Table, shared_ancestor: bool) -> bool:
    """Whether both are copies of one physical table: same OID below one ancestor and most columns still under their own number."""
    if not shared_ancestor or old.oid == 0 or old.oid != new.oid:
        return False
    numbers = {c.name: c.attnum for c in new.columns}
    shared = [c for c in old.columns if c.name in numbers]
    return not shared or any(numbers[c.name] == c.attnum for c in shared)


def moved_names(old: Table, new: Table) -> list[tuple[str, str]]:
    """Columns of one physical table whose number stayed and whose name changed, in OLD's order."""
    names = {c.attnum: c.name for c in new.columns}
    return [(c.name, names[c.attnum]) for c in old.columns if names.get(c.attnum, c.name) != c.name]
