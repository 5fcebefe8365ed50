"""Children of rows that NEW holds under another key (``existing`` with ``repoint_children``): which columns
of foreign keys are led to NEW's row, and which cannot be.

The parent of a row is the one that OLD's foreign key names; where NEW alone declares the key, the one whose
flow is the only one to fill the table that it refers to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set

from msgspec import Struct
from msgspec.structs import replace

from tranship.errors.codes.shapes import (
    LedChildDecided,
    LedKeyNotFilled,
    LedKeyOfItself,
    LedNotComparable,
    LedTwice,
    LedUnclear,
    LedWithoutKey,
)
from tranship.model.builtin_types import Family
from tranship.model.catalog import Catalog, Column, ForeignKey, Table
from tranship.model.catalog_codes import RelationKind
from tranship.model.expression import Followed, NewDefault, Rekeyed, Take
from tranship.model.flow import FlowId
from tranship.model.plan import Group, Origin, TablePlan
from tranship.model.references import references
from tranship.model.resolution import Problem
from tranship.planning.plan.found import key_columns
from tranship.planning.plan.unchanged import mapping_of
from tranship.planning.plan.wider_keys import leading_key, origin, read_by

_ONE_TEXT = frozenset({Family.INTEGER, Family.UUID, Family.BOOLEAN, Family.DATE})
"""Families whose equal values are written alike."""
_STRINGS = frozenset({"text", "varchar"})
_EQUALS = "OPERATOR(pg_catalog.=)"


class _Reference(Struct, frozen=True):
    """A foreign key of NEW by which rows of a flow refer to rows that NEW may hold under another key."""

    child: TablePlan
    key: ForeignKey
    parent: TablePlan


def with_led_children(plans: Sequence[TablePlan], old: Catalog, new: Catalog) -> list[TablePlan]:
    """Returns the plans with what leads children to NEW's rows; what cannot be led stays as it is."""
    led: dict[tuple[int, str], Followed] = {}
    for n, reference in _references(plans, new):
        found = _followed(reference, plans, old)
        if not isinstance(found, Problem):
            led |= {(n, column): one for column, one in found.items() if (n, column) not in led}
    return [
        _with(plan, {column: one for (at, column), one in led.items() if at == n})
        for n, plan in enumerate(plans)
    ]


def _with(plan: TablePlan, led: Mapping[str, Followed]) -> TablePlan:
    """Returns a plan whose columns are led."""
    if not led:
        return plan
    columns = tuple(replace(m, expression=led[m.column]) if m.column in led else m for m in plan.columns)
    first = next(m.column for m in columns if m.column in led)
    return replace(plan, columns=columns, binary=False, why_text=f"{first}: computed as text")


def led_problems(
    plans: Sequence[TablePlan], groups: Sequence[Group], old: Catalog, new: Catalog
) -> Iterator[Problem]:
    """Yields why children cannot be led; ``plans`` are those before and ``groups`` those after they were."""
    taken: dict[tuple[int, str], TablePlan] = {}
    for n, reference in _references(plans, new):
        found = _followed(reference, plans, old)
        if isinstance(found, Problem):
            yield found
            continue
        for column in found:
            first = taken.setdefault((n, column), reference.parent)
            if first.flow != reference.parent.flow:
                child = reference.child.flow
                yield LedTwice(child, column, first.flow, reference.parent.flow).problem()
    yield from _of_old_alone(plans, old, new)
    for group in groups:
        yield from _circular(group, new)


def _of_old_alone(plans: Sequence[TablePlan], old: Catalog, new: Catalog) -> Iterator[Problem]:
    """Yields the columns that would keep what they refer to by a key of OLD, because NEW declares none by
    which they could be led.
    """
    for parent in _leading(plans):
        for child in plans:
            before, after = old.table(child.old), new.table(child.new)
            declared = references(before) if before is not None else ()
            led = {name for key in references(after) for name in key.columns} if after is not None else set()
            for held in (key for key in declared if _leads_apart(key, parent, new)):
                staying = _staying(child, held, led)
                if staying is not None:
                    yield LedWithoutKey(child.flow, staying, parent.flow).problem()


def _leads_apart(held: ForeignKey, parent: TablePlan, new: Catalog) -> bool:
    """Returns whether a key of OLD leads to rows of a flow that NEW may hold under another key: those that
    are found by the key to which it leads keep it.
    """
    above, existing = new.table(parent.new), parent.shape.existing
    if above is None or existing is None or not held.enforced or held.target not in read_by(parent):
        return False
    keys = {m.column for m in parent.columns if origin(m.expression) in held.target_columns}
    return not keys <= set(key_columns(existing, above))


def _staying(child: TablePlan, held: ForeignKey, led: Set[str]) -> str | None:
    """Returns a column of NEW that takes one of a key of OLD, of which nobody decided and no key of NEW
    (``led``) says what it refers to; None without one.
    """
    mappings = [m for m in child.columns if origin(m.expression) in held.columns]
    if any(m.column in led or m.origin is Origin.DECIDED for m in mappings):
        return None
    return mappings[0].column if mappings else None


def referred_in_old(
    parent: TablePlan, plans: Sequence[TablePlan], old: Catalog
) -> tuple[tuple[str, ...], ...]:
    """Returns the columns of a flow's old table by which rows of OLD, or led columns, may refer to it."""
    own = read_by(parent)
    keys = (key for table in old.tables for key in table.every_foreign_key)
    declared = [key.target_columns for key in keys if key.target in own]
    led = (m.expression for plan in plans for m in plan.columns)
    followed = [one.keys for one in led if isinstance(one, Followed) and one.parent == parent.flow]
    own_key = [parent.key] if parent.key else []
    return tuple(dict.fromkeys([*own_key, *declared, *followed]))


def _references(plans: Sequence[TablePlan], new: Catalog) -> Iterator[tuple[int, _Reference]]:
    """Yields the references to flows whose children are led, each with the position of the child's flow."""
    for parent in _leading(plans):
        for n, child in enumerate(plans):
            table = new.table(child.new)
            for key in references(table) if table is not None else ():
                if key.target == parent.new and key.name not in child.adopting:
                    yield n, _Reference(child, key, parent)


def _leading(plans: Sequence[TablePlan]) -> list[TablePlan]:
    """Returns the flows whose children are led to the rows that NEW holds."""
    return [p for p in plans if p.shape.existing is not None and p.shape.existing.repoint_children]


def _followed(
    reference: _Reference, plans: Sequence[TablePlan], old: Catalog
) -> dict[str, Followed] | Problem:
    """Returns by column of the child what leads it; nothing where its parents are rows of another flow."""
    child, key, parent = reference.child, reference.key, reference.parent
    if all(_is_filled_by_new(child, name) for name in key.columns):
        return {}
    taken = {name: own for name in key.columns if (own := _taken(child, name)) is not None}
    wrong = _undecidable(reference, taken)
    if wrong is not None:
        # A decision may mean the rows of another table.
        return wrong if _alone(parent, plans) else {}
    pairing = _pairing(reference, [own.column for own in taken.values()], plans, old)
    if isinstance(pairing, Problem) or pairing is None:
        return pairing or {}
    targets = dict(zip(key.columns, key.target_columns, strict=True))
    return {name: pairing.followed(own, parent.flow, targets[name]) for name, own in taken.items()}


def _undecidable(reference: _Reference, taken: Mapping[str, Take | Rekeyed]) -> Problem | None:
    """Returns why a column of a key is not led whatever OLD says; ``taken`` are those that OLD fills."""
    child, key, parent = reference.child, reference.key, reference.parent
    decided = [name for name in key.columns if name not in taken]
    if decided:
        return LedChildDecided(child.flow, decided[0], parent.flow).problem()
    lacking = [name for name in key.target_columns if _is_filled_by_new(parent, name)]
    return LedKeyNotFilled(parent.flow, lacking[0], child.flow).problem() if lacking else None


class _Pairing(Struct, frozen=True):
    """By which columns of OLD a row refers to its parent."""

    columns: tuple[str, ...]
    keys: tuple[str, ...]
    operators: tuple[str, ...]
    above: Table
    """The parent's old table."""

    def followed(self, own: Take | Rekeyed, parent: FlowId, value: str) -> Followed:
        """Returns what leads a column."""
        partitioned = self.above.kind == RelationKind.PARTITIONED_TABLE
        return Followed(own, self.columns, parent, self.keys, value, self.operators, partitioned)


def _pairing(
    reference: _Reference, taken: Sequence[str], plans: Sequence[TablePlan], old: Catalog
) -> _Pairing | Problem | None:
    """Returns how OLD pairs rows with their parents. None: these are rows of another table."""
    before, above = old.table(reference.child.old), old.table(reference.parent.old)
    if before is None or above is None:
        return None
    keys, parents = references(before), [reference.parent]
    leading = leading_key(reference.key, reference.child, keys, parents, taken)
    if leading is None:
        elsewhere = any(key.enforced and set(key.columns) == set(taken) for key in keys)
        return None if elsewhere else _by_value(reference, taken, plans, (before, above))
    names = leading.columns, leading.target_columns
    operators = leading.operators or (_EQUALS,) * len(leading.columns)
    return _Pairing(*names, () if _all_alike(before, above, *names) else operators, above)


def _by_value(
    reference: _Reference, taken: Sequence[str], plans: Sequence[TablePlan], tables: tuple[Table, Table]
) -> _Pairing | Problem:
    """Returns the pairing where NEW alone declares the foreign key: by the values that fill it."""
    child, key, parent = reference.child, reference.key, reference.parent
    if not _alone(parent, plans):
        return LedUnclear(child.flow, key.name, key.target).problem()
    keys = tuple(own.column for name in key.target_columns if (own := _taken(parent, name)) is not None)
    operators = _operators(*tables, tuple(taken), keys) if len(keys) == len(taken) else None
    if operators is None:
        return LedNotComparable(child.flow, key.name, parent.flow).problem()
    return _Pairing(tuple(taken), keys, operators, tables[1])


def _alone(parent: TablePlan, plans: Sequence[TablePlan]) -> bool:
    """Returns whether one old table alone fills the parent's new table."""
    return len({plan.old for plan in plans if plan.new == parent.new}) == 1


def _taken(plan: TablePlan, column: str) -> Take | Rekeyed | None:
    """Returns what takes a column of NEW from OLD; None where something else fills it."""
    mapping = mapping_of(plan, column)
    expression = mapping.expression if mapping is not None else None
    return expression if isinstance(expression, Take | Rekeyed) else None


def _is_filled_by_new(plan: TablePlan, column: str) -> bool:
    mapping = mapping_of(plan, column)
    return mapping is None or isinstance(mapping.expression, NewDefault)


def _operators(
    before: Table, above: Table, columns: tuple[str, ...], keys: tuple[str, ...]
) -> tuple[str, ...] | None:
    """Returns what compares each key with its reference, where OLD declares no foreign key; empty where both
    are written alike. None: nothing does.
    """
    if _all_alike(before, above, columns, keys):
        return ()
    found = []
    for column, key in zip(columns, keys, strict=True):
        one, other = before.column(column), above.column(key)
        if one is None or other is None or one.type.leaf.name != other.type.leaf.name:
            return None
        found.append(one.type.leaf.equality or _EQUALS)
    return tuple(found)


def _all_alike(before: Table, above: Table, columns: Sequence[str], keys: Sequence[str]) -> bool:
    pairs = zip(columns, keys, strict=True)
    return all(_alike(before.column(column), above.column(key)) for column, key in pairs)


def _alike(one: Column | None, other: Column | None) -> bool:
    """Returns whether equal values of two columns are the same text in JSON."""
    if one is None or other is None:
        return False
    first, second = one.type.leaf, other.type.leaf
    if first.family is second.family and first.family in _ONE_TEXT:
        return True
    strings = first.typname in _STRINGS and second.typname in _STRINGS
    return strings and one.collation is None and other.collation is None


def _circular(group: Group, new: Catalog) -> Iterator[Problem]:
    """Yields the flows of a group whose rows are found by columns that lead to rows not yet found."""
    found: set[object] = set()
    for plan in group.tables:
        existing, after = plan.shape.existing, new.table(plan.new)
        for name in key_columns(existing, after) if existing is not None and after is not None else ():
            mapping = mapping_of(plan, name)
            led = mapping.expression if mapping is not None else None
            inside = {other.flow for other in group.tables}
            if isinstance(led, Followed) and led.parent in inside - found:
                yield LedKeyOfItself(plan.flow, name, led.parent).problem()
        found.add(plan.flow)
