"""CHECK and FOREIGN KEY constraints, and partitioning that may leave a row without a place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tranship.model.catalog import Check, ForeignKey
from tranship.model.change import Change
from tranship.model.names import ColumnRef
from tranship.planning.comparing.fingerprint import portable_bound
from tranship.planning.comparing.structure.demands import check_demand, reference_demand
from tranship.planning.comparing.structure.sides import REJECTS, STAYS, TableSides, leftovers, listed

_GONE = "Nothing to do: NEW asks less of its rows"
_NOT_ENFORCED = "Nothing to do: NEW does not enforce it"
_UNPROVEN = "OLD holds it NOT VALID or NOT ENFORCED: rows may break it"
_ACTIONS = {"a": "NO ACTION", "r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}


def constraint_notes(sides: TableSides) -> list[Change]:
    """Checks, then foreign keys, then partitioning; each by name."""
    return [*_checks(sides), *_foreign_keys(sides), *_unplaced(sides)]


def _checks(sides: TableSides) -> Iterator[Change]:
    gone, added = leftovers(
        sides.old.checks,
        sides.new.checks,
        lambda check: sides.expression(check.expression),
        lambda check: sides.told(check.expression),
    )
    kept = {sides.expression(check.expression): check for check in sides.old.checks if check not in gone}
    unproven = {
        sides.expression(check.expression)
        for check in sides.old.checks
        if not (check.validated and check.enforced)
    }
    for check in sides.new.checks:
        text = f"CHECK '{check.name}' on {listed(check.columns)}: {check.expression}"
        if check in added:
            yield _added_check(sides, check, text, gone)
        elif check.enforced and sides.told(check.expression) in unproven:
            yield sides.note(
                "new_constraint",
                f"New enforced {text}",
                REJECTS,
                evidence=(_UNPROVEN,),
                demand=check_demand(sides, check),
            )
        elif (before := kept.get(sides.told(check.expression))) is not None and _standing(
            before
        ) != _standing(check):
            yield sides.note(
                "check_differs", f"{text} differs: old {_standing(before)}, new {_standing(check)}", STAYS
            )
    for check in gone:
        text = f"CHECK '{check.name}' on {listed(check.columns)} only exists in old DB: {check.expression}"
        yield sides.note("constraint_removed", text, _GONE)


def _standing(check: Check) -> str:
    proven = "NOT ENFORCED" if not check.enforced else "valid" if check.validated else "NOT VALID"
    return proven + (" NO INHERIT" if check.no_inherit else "")


def _added_check(sides: TableSides, check: Check, text: str, gone: list[Check]) -> Change:
    if not check.enforced:
        return sides.note("constraint_added", f"New {text}", _NOT_ENFORCED)
    columns = set(check.columns)
    alike = next(
        (
            other
            for other in gone
            if other.name == check.name or set(sides.renamed(other.columns) or ()) == columns
        ),
        None,
    )
    evidence = (
        ()
        if alike is None
        else (
            f"OLD has '{alike.name}': {alike.expression}",
            *sides.doubt(sides.expression(alike.expression), sides.told(check.expression)),
        )
    )
    return sides.note(
        "new_constraint", f"New {text}", REJECTS, evidence=evidence, demand=check_demand(sides, check)
    )


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
        text = f"FOREIGN KEY '{key.name}' {listed(key.columns)} to {key.target} {listed(key.target_columns)}"
        if before is None or (key.enforced and _asks_more(before, key)):
            yield _added_foreign_key(sides, key, text, before)
        elif (ways := (_manner(before, sides.renamed(before.set_columns)), _manner(key, key.set_columns)))[
            0
        ] != ways[1]:
            yield sides.note("foreign_key_differs", f"{text} differs: old {ways[0]}, new {ways[1]}", STAYS)
    for key in gone:
        text = f"FOREIGN KEY '{key.name}' {listed(key.columns)} to {key.target} {listed(key.target_columns)} only exists in old DB"
        yield sides.note("constraint_removed", text, _GONE)


def _added_foreign_key(sides: TableSides, key: ForeignKey, text: str, before: ForeignKey | None) -> Change:
    if not key.enforced:
        return sides.note("constraint_added", f"New {text}", _NOT_ENFORCED)
    proven = before is None or (before.enforced and before.validated)
    full = " MATCH FULL" if key.match_full and len(key.columns) > 1 else ""
    evidence = () if proven else (_UNPROVEN,)
    return sides.note(
        "new_constraint", f"New {text}{full}", REJECTS, evidence=evidence, demand=reference_demand(sides, key)
    )


def _asks_more(before: ForeignKey, key: ForeignKey) -> bool:
    """A row that OLD holds may break it."""
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
    """NEW is partitioned and not every row is sure of a partition."""
    if sides.new.kind != "p" or sides.new.has_default_partition:
        return
    if sides.old.kind == "p" and _places(sides, old=True) == _places(sides, old=False):
        return
    yield sides.note(
        "new_constraint",
        f"New partitioning by {sides.new.partition_key} without a default partition",
        REJECTS,
    )


def _places(sides: TableSides, *, old: bool) -> frozenset[str | None]:
    if old:
        return frozenset(sides.expression(portable_bound(leaf.constraint)) for leaf in sides.old.partitions)
    return frozenset(sides.told(portable_bound(leaf.constraint)) for leaf in sides.new.partitions)
