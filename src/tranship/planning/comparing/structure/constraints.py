"""CHECK and FOREIGN KEY constraints, and partitioning that may leave a row without a place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tranship.model.catalog import Check, ForeignKey
from tranship.model.catalog_codes import RelationKind
from tranship.model.change import Change
from tranship.model.change_kind import ChangeKind
from tranship.model.names import ColumnRef
from tranship.planning.comparing.fingerprint import portable_bound
from tranship.planning.comparing.structure.demands import check_demand, reference_demand
from tranship.planning.comparing.structure.sides import REJECTS, STAYS, TableSides, leftovers, listed

_GONE = "Nothing to do: NEW asks less of its rows"
_NOT_ENFORCED = "Nothing to do: NEW does not enforce it"
_UNPROVEN = "OLD holds it NOT VALID or NOT ENFORCED: rows may break it"
_ACTIONS = {"a": "NO ACTION", "r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}


def constraint_notes(sides: TableSides) -> list[Change]:
    """Returns notes about checks, then foreign keys, then partitioning; each by name."""
    return [*_checks(sides), *_foreign_keys(sides), *_unplaced(sides)]


def _checks(sides: TableSides) -> Iterator[Change]:
    gone, added = leftovers(
        sides.old.checks,
        sides.new.checks,
        lambda check: sides.old_expression(check.expression),
        lambda check: sides.new_expression(check.expression),
    )
    before: dict[str | None, list[Check]] = {}
    for check in sides.old.checks:
        before.setdefault(sides.old_expression(check.expression), []).append(check)
    for check in sides.new.checks:
        text = f"CHECK '{check.name}' on {listed(check.columns)}: {check.expression}"
        if check in added:
            yield _added_check(sides, check, text, gone)
        else:
            twins = before.get(sides.new_expression(check.expression), [])
            yield from _kept_check(sides, check, text, twins, gone)
    for check in gone:
        text = f"CHECK '{check.name}' on {listed(check.columns)} only exists in old DB: {check.expression}"
        yield sides.note(ChangeKind.CONSTRAINT_REMOVED, text, _GONE)


def _kept_check(
    sides: TableSides, check: Check, text: str, twins: Sequence[Check], gone: Sequence[Check]
) -> Iterator[Change]:
    """Yields at most one note on a check that both sides have; ``twins`` are those of OLD with the same
    meaning.
    """
    proven = all(twin.validated and twin.enforced for twin in twins)
    if check.enforced and not proven:
        demand = check_demand(sides, check)
        yield sides.note(
            ChangeKind.NEW_CONSTRAINT, f"New enforced {text}", REJECTS, evidence=(_UNPROVEN,), demand=demand
        )
        return
    # Of several with one meaning the last counts: names alone are no difference.
    kept = next((twin for twin in reversed(twins) if twin not in gone), None)
    if kept is not None and _standing(kept) != _standing(check):
        ways = f"old {_standing(kept)}, new {_standing(check)}"
        yield sides.note(ChangeKind.CHECK_DIFFERS, f"{text} differs: {ways}", STAYS)


def _standing(check: Check) -> str:
    validity = "valid" if check.validated else "NOT VALID"
    inheritance = " NO INHERIT" if check.no_inherit else ""
    return (validity if check.enforced else "NOT ENFORCED") + inheritance


def _added_check(sides: TableSides, check: Check, text: str, gone: list[Check]) -> Change:
    if not check.enforced:
        return sides.note(ChangeKind.CONSTRAINT_ADDED, f"New {text}", _NOT_ENFORCED)
    alike = next((other for other in gone if _is_alike(sides, other, check)), None)
    evidence: tuple[str, ...] = ()
    if alike is not None:
        spellings = sides.old_expression(alike.expression), sides.new_expression(check.expression)
        evidence = (f"OLD has '{alike.name}': {alike.expression}", *sides.spelling_evidence(*spellings))
    return sides.note(
        ChangeKind.NEW_CONSTRAINT,
        f"New {text}",
        REJECTS,
        evidence=evidence,
        demand=check_demand(sides, check),
    )


def _is_alike(sides: TableSides, before: Check, check: Check) -> bool:
    """Returns whether a check of OLD is worth showing beside one of NEW: it has the same name or the same
    columns.
    """
    return before.name == check.name or set(sides.renamed(before.columns) or ()) == set(check.columns)


def _foreign_keys(sides: TableSides) -> Iterator[Change]:
    translation = sides.translation

    def old_meaning(key: ForeignKey) -> object:
        columns = sides.renamed(key.columns)
        if columns is None:
            return None
        targets = [translation.column(ColumnRef(key.target, column)).column for column in key.target_columns]
        return translation.table(key.target), frozenset(zip(columns, targets, strict=True)), key.period

    def new_meaning(key: ForeignKey) -> object:
        return key.target, frozenset(zip(key.columns, key.target_columns, strict=True)), key.period

    gone, added = leftovers(sides.old.foreign_keys, sides.new.foreign_keys, old_meaning, new_meaning)
    kept = {old_meaning(key): key for key in sides.old.foreign_keys if key not in gone}
    for key in sides.new.foreign_keys:
        before = kept.get(new_meaning(key)) if key not in added else None
        if before is None or (key.enforced and _asks_more(before, key)):
            yield _added_foreign_key(sides, key, before)
            continue
        old_way, new_way = _manner(before, sides.renamed(before.set_columns)), _manner(key, key.set_columns)
        if old_way != new_way:
            text = f"{foreign_key_words(key)} differs: old {old_way}, new {new_way}"
            yield sides.note(ChangeKind.FOREIGN_KEY_DIFFERS, text, STAYS)
    for key in gone:
        yield sides.note(
            ChangeKind.CONSTRAINT_REMOVED, f"{foreign_key_words(key)} only exists in old DB", _GONE
        )


def foreign_key_words(key: ForeignKey) -> str:
    """Returns a foreign key as notes name it."""
    columns, target_columns = listed(key.columns), listed(key.target_columns)
    return f"FOREIGN KEY '{key.name}' {columns} to {key.target} {target_columns}"


def _added_foreign_key(sides: TableSides, key: ForeignKey, before: ForeignKey | None) -> Change:
    text = foreign_key_words(key)
    if not key.enforced:
        return sides.note(ChangeKind.CONSTRAINT_ADDED, f"New {text}", _NOT_ENFORCED)
    proven = before is None or (before.enforced and before.validated)
    full = " MATCH FULL" if key.match_full and len(key.columns) > 1 else ""
    evidence = () if proven else (_UNPROVEN,)
    return sides.note(
        ChangeKind.NEW_CONSTRAINT,
        f"New {text}{full}",
        REJECTS,
        evidence=evidence,
        demand=reference_demand(sides, key),
    )


def _asks_more(before: ForeignKey, key: ForeignKey) -> bool:
    """Returns whether a row that OLD holds may break a foreign key that both have."""
    fuller = key.match_full and not before.match_full and len(key.columns) > 1
    return fuller or not (before.enforced and before.validated)


def _manner(key: ForeignKey, set_columns: Sequence[str] | None) -> str:
    parts = [f"ON UPDATE {_ACTIONS[key.on_update]} ON DELETE {_ACTIONS[key.on_delete]}"]
    if set_columns:
        parts.append(listed(set_columns))
    if key.match_full and len(key.columns) > 1:
        parts.insert(0, "MATCH FULL")
    if key.deferrable:
        parts.append("DEFERRABLE")
    if key.initially_deferred:
        parts.append("INITIALLY DEFERRED")
    if not key.enforced:
        parts.append("NOT ENFORCED")
    elif not key.validated:
        parts.append("NOT VALID")
    return " ".join(parts)


def _unplaced(sides: TableSides) -> Iterator[Change]:
    """Yields a note when NEW is partitioned and not every row is sure of a partition."""
    if sides.new.kind != RelationKind.PARTITIONED_TABLE or sides.new.has_default_partition:
        return
    if sides.old.kind == RelationKind.PARTITIONED_TABLE and _places(sides, old=True) == _places(
        sides, old=False
    ):
        return
    yield sides.note(
        ChangeKind.NEW_CONSTRAINT,
        f"New partitioning by {sides.new.partition_key} without a default partition",
        REJECTS,
    )


def _places(sides: TableSides, *, old: bool) -> frozenset[str | None]:
    if old:
        return frozenset(
            sides.old_expression(portable_bound(leaf.constraint)) for leaf in sides.old.partitions
        )
    return frozenset(sides.new_expression(portable_bound(leaf.constraint)) for leaf in sides.new.partitions)
