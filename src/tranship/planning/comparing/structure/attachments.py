"""What hangs on a table and asks nothing of its rows: indexes, triggers, rules, policies, partitioning, inheritance."""

from __future__ import annotations

from collections.abc import Iterator

from tranship.model.catalog import Index, Table, Trigger
from tranship.model.change import Change
from tranship.model.names import TableName
from tranship.planning.comparing.fingerprint import portable_bound
from tranship.planning.comparing.structure.sides import MAY_DIFFER, STAYS, TableSides, body, leftovers

_ALONE = "Not created: tranship moves rows, not definitions"
_STATES = {"O": "enabled", "D": "disabled", "R": "enabled for replica", "A": "enabled always"}


def view_notes(sides: TableSides) -> list[Change]:
    """What hangs on a view, a materialized view or a foreign table."""
    notes = [*_indexes(sides), *_unique_indexes(sides), *_triggers(sides), *_rules(sides)]
    if sides.old.comment != sides.new.comment:
        notes.append(sides.note("comment_differs", "Comment on it differs", STAYS))
    if sides.old.options != sides.new.options:
        ways = [", ".join(table.options) or "none" for table in (sides.old, sides.new)]
        notes.append(sides.note("options_differ", f"Options differ: old {ways[0]}, new {ways[1]}", STAYS))
    return notes


def attachment_notes(sides: TableSides) -> list[Change]:
    """Indexes, triggers, rules, policies, then properties of the table itself."""
    return [*_indexes(sides), *_triggers(sides), *_rules(sides), *_policies(sides), *_properties(sides)]


def _indexes(sides: TableSides) -> Iterator[Change]:
    """Indexes that hold no uniqueness; a name alone is no difference."""
    before = [index for index in sides.old.indexes if not index.unique and not index.constraint_kind]
    after = [index for index in sides.new.indexes if not index.unique and not index.constraint_kind]
    yield from _of_indexes(sides, before, after, "Index")


def _unique_indexes(sides: TableSides) -> Iterator[Change]:
    """Those of a materialized view hold for no row that is moved."""
    yield from _of_indexes(
        sides,
        [i for i in sides.old.indexes if i.unique],
        [i for i in sides.new.indexes if i.unique],
        "Unique index",
    )


def _of_indexes(sides: TableSides, before: list[Index], after: list[Index], words: str) -> Iterator[Change]:
    gone, added = leftovers(
        before, after, lambda index: sides.expression(body(index)), lambda index: sides.told(body(index))
    )
    for index in added:
        yield sides.note("index_added", f"{words} '{index.name}' only exists in new DB: {body(index)}", STAYS)
    for index in gone:
        yield sides.note(
            "index_removed", f"{words} '{index.name}' only exists in old DB: {body(index)}", _ALONE
        )
    for index in after:
        if not index.valid and index not in added:
            yield sides.note("index_invalid", f"{words} '{index.name}' in new DB is invalid", "REINDEX it")


def _triggers(sides: TableSides) -> Iterator[Change]:
    before, after = {t.name: t for t in sides.old.triggers}, {t.name: t for t in sides.new.triggers}
    for name in sorted(after.keys() - before.keys()):
        text = f"Trigger '{name}' only exists in new DB ({_STATES[after[name].enabled]}), calls {after[name].function}"
        yield sides.note("trigger_added", text, "Does not fire during the move and is afterwards as before")
    for name in sorted(before.keys() - after.keys()):
        yield sides.note(
            "trigger_removed",
            f"Trigger '{name}' only exists in old DB, calls {before[name].function}",
            _ALONE,
        )
    for name in sorted(before.keys() & after.keys()):
        yield from _trigger(sides, before[name], after[name])


def _trigger(sides: TableSides, before: Trigger, after: Trigger) -> Iterator[Change]:
    if sides.expression(before.definition) != sides.told(after.definition):
        yield sides.note(
            "trigger_differs",
            f"Trigger '{after.name}' differs: old {before.definition}, new {after.definition}",
            STAYS,
            evidence=(MAY_DIFFER,),
        )
    if before.enabled != after.enabled:
        text = f"Trigger '{after.name}' is {_STATES[before.enabled]} in old DB and {_STATES[after.enabled]} in new DB"
        yield sides.note("trigger_differs", text, "Is afterwards as before")


def _rules(sides: TableSides) -> Iterator[Change]:
    before, after = {r.name: r for r in sides.old.rules}, {r.name: r for r in sides.new.rules}
    for name in sorted(after.keys() - before.keys()):
        told = "COPY does not fire it" if after[name].event == "INSERT" else STAYS
        yield sides.note("rule_added", f"Rule '{name}' on {after[name].event} only exists in new DB", told)
    for name in sorted(before.keys() - after.keys()):
        yield sides.note(
            "rule_removed", f"Rule '{name}' on {before[name].event} only exists in old DB", _ALONE
        )
    for name in sorted(before.keys() & after.keys()):
        old_rule, new_rule = before[name], after[name]
        if (sides.expression(old_rule.definition), old_rule.enabled) != (
            sides.told(new_rule.definition),
            new_rule.enabled,
        ):
            states = (
                f": old {_STATES[old_rule.enabled]}, new {_STATES[new_rule.enabled]}"
                if old_rule.enabled != new_rule.enabled
                else ""
            )
            doubt = () if states else (MAY_DIFFER,)
            yield sides.note(
                "rule_differs", f"Rule '{name}' on {new_rule.event} differs{states}", STAYS, evidence=doubt
            )


def _policies(sides: TableSides) -> Iterator[Change]:
    before = {policy.name: policy.definition for policy in sides.old.policies}
    after = {policy.name: policy.definition for policy in sides.new.policies}
    for name in sorted(after.keys() - before.keys()):
        yield sides.note(
            "policy_added", f"Row-level security policy '{name}' only exists in new DB: {after[name]}", STAYS
        )
    for name in sorted(before.keys() - after.keys()):
        yield sides.note(
            "policy_removed",
            f"Row-level security policy '{name}' only exists in old DB: {before[name]}",
            _ALONE,
        )
    for name in sorted(before.keys() & after.keys()):
        if sides.expression(before[name]) != sides.told(after[name]):
            text = f"Row-level security policy '{name}' differs: old {before[name]}, new {after[name]}"
            yield sides.note("policy_differs", text, STAYS, evidence=(MAY_DIFFER,))
    if _security(sides.old) != _security(sides.new):
        yield sides.note(
            "row_security_differs",
            f"Row-level security differs: old {_security(sides.old)}, new {_security(sides.new)}",
            STAYS,
        )


def _security(table: Table) -> str:
    words = "on" if table.row_security else "off"
    return f"{words}, forced for the owner too" if table.force_row_security else words


def _properties(sides: TableSides) -> Iterator[Change]:
    old, new = sides.old, sides.new
    if (sides.expression(old.partition_key), _leaves(sides, old)) != (
        sides.told(new.partition_key),
        _leaves(sides, new),
    ):
        text = f"Partitioning differs: old {_partitioning(old)}, new {_partitioning(new)}"
        yield sides.note(
            "partitioning_differs", text, "The server routes each row" if new.kind == "p" else STAYS
        )
    if [sides.translation.table(name) for name in old.parents] != list(new.parents):
        text = f"Inheritance differs: old inherits {_names(old.parents)}, new inherits {_names(new.parents)}"
        yield sides.note(
            "inheritance_differs", text, "Each table's own rows are moved into its own counterpart"
        )
    if old.persistence != new.persistence:
        words = {"p": "logged", "u": "UNLOGGED"}
        text = f"Persistence differs: old {words[old.persistence]}, new {words[new.persistence]}"
        yield sides.note(
            "persistence_differs",
            text,
            "Its rows do not survive a crash of NEW's server" if new.persistence == "u" else STAYS,
        )
    if old.of_type != new.of_type:
        yield sides.note(
            "table_type_differs",
            f"Typed table differs: old of {old.of_type or 'none'}, new of {new.of_type or 'none'}",
            STAYS,
        )
    if old.comment != new.comment:
        yield sides.note("comment_differs", "Comment on the table differs", STAYS)


def _leaves(sides: TableSides, table: Table) -> frozenset[tuple[str | None, bool]]:
    told = sides.expression if table is sides.old else sides.told
    return frozenset((told(portable_bound(leaf.constraint)), leaf.kind == "f") for leaf in table.partitions)


def _partitioning(table: Table) -> str:
    if table.partition_key is None:
        return "not partitioned"
    foreign = sum(leaf.kind == "f" for leaf in table.partitions)
    words = f"{table.partition_key}, {len(table.partitions)} partition" + (
        "s" if len(table.partitions) != 1 else ""
    )
    return f"{words}, {foreign} of them foreign" if foreign else words


def _names(names: tuple[TableName, ...]) -> str:
    return ", ".join(map(str, names)) or "nothing"
