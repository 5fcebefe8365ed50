"""What belongs to a table and asks nothing of its rows.

These are indexes without uniqueness, triggers, rules, policies, partitioning, inheritance and properties of
the table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tranship.model.catalog import Index, Rule, Table, Trigger
from tranship.model.catalog_codes import RelationKind, TriggerState
from tranship.model.change import Change
from tranship.model.change_kind import ChangeKind
from tranship.model.names import TableName
from tranship.planning.comparing.fingerprint import portable_bound
from tranship.planning.comparing.structure.sides import (
    MAY_DIFFER,
    NOT_CREATED,
    STAYS,
    TableSides,
    body,
    leftovers,
)

_STATES = {
    TriggerState.ORIGIN: "enabled",
    TriggerState.DISABLED: "disabled",
    TriggerState.REPLICA: "enabled for replica",
    TriggerState.ALWAYS: "enabled always",
}


def view_notes(sides: TableSides) -> list[Change]:
    """Returns notes about what belongs to a view, a materialized view or a foreign table."""
    notes = [*_indexes(sides), *_unique_indexes(sides), *_triggers(sides), *_rules(sides)]
    if sides.old.comment != sides.new.comment:
        notes.append(sides.note(ChangeKind.COMMENT_DIFFERS, "Comment on it differs", STAYS))
    if sides.old.options != sides.new.options:
        ways = [", ".join(table.options) or "none" for table in (sides.old, sides.new)]
        notes.append(
            sides.note(ChangeKind.OPTIONS_DIFFER, f"Options differ: old {ways[0]}, new {ways[1]}", STAYS)
        )
    return notes


def attachment_notes(sides: TableSides) -> list[Change]:
    """Returns notes about indexes, triggers, rules, policies, then about properties of the table itself."""
    return [*_indexes(sides), *_triggers(sides), *_rules(sides), *_policies(sides), *_properties(sides)]


def _indexes(sides: TableSides) -> Iterator[Change]:
    """Yields notes about indexes that hold no uniqueness; a name alone is no difference."""
    before = [index for index in sides.old.indexes if not index.unique and not index.constraint_kind]
    after = [index for index in sides.new.indexes if not index.unique and not index.constraint_kind]
    yield from _of_indexes(sides, before, after, "Index")


def _unique_indexes(sides: TableSides) -> Iterator[Change]:
    """Yields notes about unique indexes of a materialized view: they constrain no row that is copied."""
    before = [index for index in sides.old.indexes if index.unique]
    after = [index for index in sides.new.indexes if index.unique]
    yield from _of_indexes(sides, before, after, "Unique index")


def _of_indexes(sides: TableSides, before: list[Index], after: list[Index], words: str) -> Iterator[Change]:
    gone, added = leftovers(
        before,
        after,
        lambda index: sides.old_expression(body(index)),
        lambda index: sides.new_expression(body(index)),
    )
    for index in added:
        yield sides.note(
            ChangeKind.INDEX_ADDED, f"{words} '{index.name}' only exists in new DB: {body(index)}", STAYS
        )
    for index in gone:
        yield sides.note(
            ChangeKind.INDEX_REMOVED,
            f"{words} '{index.name}' only exists in old DB: {body(index)}",
            NOT_CREATED,
        )
    for index in after:
        if not index.valid and index not in added:
            yield sides.note(
                ChangeKind.INDEX_INVALID, f"{words} '{index.name}' in new DB is invalid", "REINDEX it"
            )


def _triggers(sides: TableSides) -> Iterator[Change]:
    before, after = {t.name: t for t in sides.old.triggers}, {t.name: t for t in sides.new.triggers}
    for name in sorted(after.keys() - before.keys()):
        state, function = _STATES[after[name].enabled], after[name].function
        text = f"Trigger '{name}' only exists in new DB ({state}), calls {function}"
        yield sides.note(
            ChangeKind.TRIGGER_ADDED, text, "Does not fire during the move and is afterwards as before"
        )
    for name in sorted(before.keys() - after.keys()):
        yield sides.note(
            ChangeKind.TRIGGER_REMOVED,
            f"Trigger '{name}' only exists in old DB, calls {before[name].function}",
            NOT_CREATED,
        )
    for name in sorted(before.keys() & after.keys()):
        yield from _trigger(sides, before[name], after[name])


def _trigger(sides: TableSides, before: Trigger, after: Trigger) -> Iterator[Change]:
    if sides.old_expression(before.definition) != sides.new_expression(after.definition):
        yield sides.note(
            ChangeKind.TRIGGER_DIFFERS,
            f"Trigger '{after.name}' differs: old {before.definition}, new {after.definition}",
            STAYS,
            evidence=(MAY_DIFFER,),
        )
    if before.enabled != after.enabled:
        states = f"{_STATES[before.enabled]} in old DB and {_STATES[after.enabled]} in new DB"
        text = f"Trigger '{after.name}' is {states}"
        yield sides.note(ChangeKind.TRIGGER_DIFFERS, text, "Is afterwards as before")


def _rules(sides: TableSides) -> Iterator[Change]:
    before, after = {r.name: r for r in sides.old.rules}, {r.name: r for r in sides.new.rules}
    for name in sorted(after.keys() - before.keys()):
        # COPY ignores rules (PostgreSQL documentation, COPY, notes).
        action = "COPY does not fire it" if after[name].event == "INSERT" else STAYS
        yield sides.note(
            ChangeKind.RULE_ADDED, f"Rule '{name}' on {after[name].event} only exists in new DB", action
        )
    for name in sorted(before.keys() - after.keys()):
        text = f"Rule '{name}' on {before[name].event} only exists in old DB"
        yield sides.note(ChangeKind.RULE_REMOVED, text, NOT_CREATED)
    for name in sorted(before.keys() & after.keys()):
        yield from _rule(sides, before[name], after[name])


def _rule(sides: TableSides, before: Rule, after: Rule) -> Iterator[Change]:
    if before.enabled != after.enabled:
        states = f": old {_STATES[before.enabled]}, new {_STATES[after.enabled]}"
        text = f"Rule '{after.name}' on {after.event} differs{states}"
        yield sides.note(ChangeKind.RULE_DIFFERS, text, STAYS)
    elif sides.old_expression(before.definition) != sides.new_expression(after.definition):
        text = f"Rule '{after.name}' on {after.event} differs"
        yield sides.note(ChangeKind.RULE_DIFFERS, text, STAYS, evidence=(MAY_DIFFER,))


def _policies(sides: TableSides) -> Iterator[Change]:
    before = {policy.name: policy.definition for policy in sides.old.policies}
    after = {policy.name: policy.definition for policy in sides.new.policies}
    for name in sorted(after.keys() - before.keys()):
        yield sides.note(
            ChangeKind.POLICY_ADDED,
            f"Row-level security policy '{name}' only exists in new DB: {after[name]}",
            STAYS,
        )
    for name in sorted(before.keys() - after.keys()):
        yield sides.note(
            ChangeKind.POLICY_REMOVED,
            f"Row-level security policy '{name}' only exists in old DB: {before[name]}",
            NOT_CREATED,
        )
    for name in sorted(before.keys() & after.keys()):
        if sides.old_expression(before[name]) != sides.new_expression(after[name]):
            text = f"Row-level security policy '{name}' differs: old {before[name]}, new {after[name]}"
            yield sides.note(ChangeKind.POLICY_DIFFERS, text, STAYS, evidence=(MAY_DIFFER,))
    if _security(sides.old) != _security(sides.new):
        yield sides.note(
            ChangeKind.ROW_SECURITY_DIFFERS,
            f"Row-level security differs: old {_security(sides.old)}, new {_security(sides.new)}",
            STAYS,
        )


def _security(table: Table) -> str:
    words = "on" if table.row_security else "off"
    return f"{words}, forced for the owner too" if table.force_row_security else words


def _properties(sides: TableSides) -> Iterator[Change]:
    old, new = sides.old, sides.new
    yield from _partitioning_differs(sides)
    if [sides.translation.table(name) for name in old.parents] != list(new.parents):
        text = f"Inheritance differs: old inherits {_names(old.parents)}, new inherits {_names(new.parents)}"
        yield sides.note(
            ChangeKind.INHERITANCE_DIFFERS, text, "Each table's own rows are moved into its own counterpart"
        )
    if old.persistence != new.persistence:
        words = {"p": "logged", "u": "UNLOGGED"}
        text = f"Persistence differs: old {words[old.persistence]}, new {words[new.persistence]}"
        lost = "Its rows do not survive a crash of NEW's server"
        yield sides.note(ChangeKind.PERSISTENCE_DIFFERS, text, lost if new.persistence == "u" else STAYS)
    if old.of_type != new.of_type:
        text = f"Typed table differs: old of {old.of_type or 'none'}, new of {new.of_type or 'none'}"
        yield sides.note(ChangeKind.TABLE_TYPE_DIFFERS, text, STAYS)
    if old.comment != new.comment:
        yield sides.note(ChangeKind.COMMENT_DIFFERS, "Comment on the table differs", STAYS)


def _partitioning_differs(sides: TableSides) -> Iterator[Change]:
    old, new = sides.old, sides.new
    before = sides.old_expression(old.partition_key), _leaves(sides.old_expression, old)
    after = sides.new_expression(new.partition_key), _leaves(sides.new_expression, new)
    if before != after:
        text = f"Partitioning differs: old {_partitioning(old)}, new {_partitioning(new)}"
        action = "The server routes each row" if new.kind == RelationKind.PARTITIONED_TABLE else STAYS
        yield sides.note(ChangeKind.PARTITIONING_DIFFERS, text, action)


def _leaves(
    expression: Callable[[str | None], str | None], table: Table
) -> frozenset[tuple[str | None, bool]]:
    """Returns the bounds of a table's partitions, and whether each is a foreign table; their names do not
    matter.
    """
    return frozenset(
        (expression(portable_bound(leaf.constraint)), leaf.kind == RelationKind.FOREIGN_TABLE)
        for leaf in table.partitions
    )


def _partitioning(table: Table) -> str:
    if table.partition_key is None:
        return "not partitioned"
    foreign = sum(leaf.kind == RelationKind.FOREIGN_TABLE for leaf in table.partitions)
    plural = "s" if len(table.partitions) != 1 else ""
    words = f"{table.partition_key}, {len(table.partitions)} partition{plural}"
    return f"{words}, {foreign} of them foreign" if foreign else words


def _names(names: tuple[TableName, ...]) -> str:
    return ", ".join(map(str, names)) or "nothing"
