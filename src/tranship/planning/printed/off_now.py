"""How things that a run switched off stand in NEW now, from what the server prints of them.

A person may have put something back by hand, under its name or another one, a deployment may have dropped or
renamed what it belonged to. What is there already is not made a second time, and what can no longer be is
not made at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from tranship.model.catalog import ForeignKey
from tranship.model.catalog_codes import TriggerState
from tranship.model.names import TableName
from tranship.model.undo import (
    Back,
    Blocked,
    CheckDropped,
    CommentDropped,
    Gone,
    IndexDropped,
    IndexShape,
    KeyDropped,
    KeyUnvalidated,
    Relation,
    RuleDisabled,
    Standing,
    SwitchedOff,
    TriggerDisabled,
    Unreadable,
    Waiting,
)
from tranship.planning.printed.definitions import NotPlain, Reader, read_foreign_key

NOT_WHOLE = "it is there NOT VALID, and VALIDATE would not check all rows of this key: drop it"
INVALID = (
    "an index of its name is there and not valid: CREATE INDEX CONCURRENTLY is at work on it (wait) or has "
    "failed (drop the index)"
)


class RelationNow(Struct, frozen=True):
    """A table as it is now."""

    name: TableName
    columns: Mapping[int, str]
    """By ``attnum``."""


class ActingNow(Struct, frozen=True):
    """A trigger or rule of the table."""

    name: str
    oid: int
    state: TriggerState


class ConstraintNow(Struct, frozen=True):
    """A constraint of the table."""

    name: str
    foreign: bool
    definition: str
    validated: bool
    comment: str | None


class IndexNow(Struct, frozen=True):
    """An index of the table."""

    name: str
    shape: IndexShape | None
    """None: it is unique, partial or over expressions."""
    definition: str
    valid: bool


class Present(Struct, frozen=True):
    """What NEW says now about the things of one entry."""

    same_server: bool
    """The run switched it off here, so OIDs and column numbers are those of the entry."""
    table: RelationNow | None
    """None: it was dropped, perhaps made again."""
    parent: RelationNow | None = None
    """The table that a foreign key refers to."""
    acting: tuple[ActingNow, ...] = ()
    constraints: tuple[ConstraintNow, ...] = ()
    indexes: tuple[IndexNow, ...] = ()
    holder: str = ""
    """What has the name of an index in its schema without being an index of the table."""
    key_off: bool = False
    """The foreign key that the entry is about has an entry of its own, which is open."""


def standing(off: SwitchedOff, now: Present) -> Standing:
    """Returns how an entry stands; if it is still off, with the names that things have now."""
    if isinstance(off, Unreadable):
        return off
    if now.table is None:
        return Gone("the table")
    match off:
        case TriggerDisabled() | RuleDisabled():
            return _acting(off, now.table, now)
        case KeyDropped():
            return _key(off, now.table, now)
        case KeyUnvalidated() | CommentDropped():
            return _of_key(off, now.table, now)
        case CheckDropped():
            return _check(off, now.table, now)
        case IndexDropped():
            return _index(off, now.table, now)
        case _:
            assert_never(off)


def _acting(off: TriggerDisabled | RuleDisabled, table: RelationNow, now: Present) -> Standing:
    word, name = ("trigger", off.trigger) if isinstance(off, TriggerDisabled) else ("rule", off.rule)
    known = off.oid if now.same_server else 0
    named = next((one for one in now.acting if one.name == name), None)
    found = next((one for one in now.acting if known and one.oid == known), named)
    if found is None:
        return Gone(f"the {word}")
    other = found.name if found.name != name else None
    if found.state == off.state:
        return Back(name=other)
    if found.state is not TriggerState.DISABLED:
        return Back(name=other, form=f"ENABLE {found.state.name}")
    return replace(off, **{word: found.name, "relation": table.name})


def _key(off: KeyDropped, table: RelationNow, now: Present) -> Standing:
    key = _key_now(off, table, now)
    if isinstance(key, Gone):
        return key
    named = next((one for one in now.constraints if one.name == key.name), None)
    if named is not None:
        return _named_key(off, key, named)
    like = _alike(key, now.constraints, off.twins)
    return Back(name=like.name) if like is not None else replace(off, table=table.name, key=key)


def _named_key(off: KeyDropped, key: ForeignKey, named: ConstraintNow) -> Standing:
    """Returns how a foreign key stands whose name a constraint has."""
    back = _read(named)
    if back is None:
        return Blocked(f"another constraint has its name: {named.definition}")
    if meaning(back) != meaning(key):
        return Back(form=named.definition)
    # VALIDATE does not check all rows of such a key (`sql/new/undo.py`), so it has to be added whole.
    whole = (off.partitioned or key.period) and key.validated
    return Blocked(NOT_WHOLE) if whole and not named.validated else Back()


def _of_key(off: KeyUnvalidated | CommentDropped, table: RelationNow, now: Present) -> Standing:
    """Returns how what belongs to a foreign key stands: the key may be back under another name."""
    named = next((one for one in now.constraints if one.name == off.key and one.foreign), None)
    found = named or _renamed(off.dropped, table, now)
    if found is None:
        return Waiting() if now.key_off else Gone("the foreign key")
    if isinstance(off, KeyUnvalidated):
        return Back() if found.validated else replace(off, table=table.name, key=found.name)
    if found.comment is None:
        return replace(off, table=table.name, key=found.name)
    return Back() if found.comment == off.comment else Back(form=found.comment)


def _renamed(dropped: KeyDropped | None, table: RelationNow, now: Present) -> ConstraintNow | None:
    """Returns the foreign key that was dropped where it is back under another name."""
    key = _key_now(dropped, table, now) if dropped is not None else None
    if dropped is None or not isinstance(key, ForeignKey):
        return None
    return _alike(key, now.constraints, dropped.twins)


def _check(off: CheckDropped, table: RelationNow, now: Present) -> Standing:
    named = next((one for one in now.constraints if one.name == off.check.name), None)
    if named is not None:
        if not named.definition.startswith("CHECK"):
            return Blocked(f"another constraint has its name: {named.definition}")
        return Back() if named.definition == off.definition else Back(form=named.definition)
    columns = _columns_now(off.check.columns, off.home, table, numbered=now.same_server)
    if columns is None:
        return Gone("a column")
    # The expression is that of the table that holds it, with the names that columns had.
    if columns != off.check.columns:
        return Blocked("a column that it reads has another name now")
    return replace(off, table=table.name)


def _index(off: IndexDropped, table: RelationNow, now: Present) -> Standing:
    shape = _shape_now(off, table, numbered=now.same_server)
    if shape is None:
        return Gone("a column")
    named = next((one for one in now.indexes if one.name == off.index.name), None)
    if named is not None:
        return _named_index(named, shape)
    others = (one for one in now.indexes if one.valid and one.name not in off.twins)
    like = next((one for one in others if _same_shape(one.shape, shape)), None)
    if like is not None:
        return Back(name=like.name)
    if now.holder:
        return Blocked(f"{now.holder} has its name")
    return replace(off, table=table.name, schema=table.name.schema, shape=shape)


def _named_index(named: IndexNow, shape: IndexShape) -> Standing:
    """Returns how an index stands whose name an index of the table has."""
    if not named.valid:
        return Blocked(INVALID)
    return Back() if _same_shape(named.shape, shape) else Back(form=named.definition)


def meaning(key: ForeignKey) -> tuple[object, ...]:
    """Returns what a foreign key demands and does, whatever its name and the order of its columns."""
    pairs = list(zip(key.columns, key.target_columns, strict=True))
    # The last pair of a key with PERIOD is its period, so the order counts there.
    ordered = tuple(pairs if key.period else sorted(pairs))
    acts = (key.match_full, key.on_update, key.on_delete, frozenset(key.set_columns))
    return key.target, ordered, key.period, acts, key.deferrable, key.initially_deferred, key.enforced


def _read(one: ConstraintNow) -> ForeignKey | None:
    """Returns a foreign key by its definition; None: it is another kind of constraint."""
    if not one.foreign:
        return None
    try:
        reader = Reader(one.definition)
        key = read_foreign_key(reader, one.name)
        reader.end()
    except NotPlain:
        return None
    return key


def _alike(
    key: ForeignKey, constraints: Sequence[ConstraintNow], twins: Sequence[str]
) -> ConstraintNow | None:
    """Returns a foreign key that says the same under another name, and did not do so before."""
    for one in constraints:
        back = _read(one) if one.name not in twins else None
        if back is not None and meaning(back) == meaning(key):
            return one
    return None


def _key_now(off: KeyDropped, table: RelationNow, now: Present) -> ForeignKey | Gone:
    """Returns the key with the names that its tables and columns have now."""
    key, parent, numbered = off.key, now.parent, now.same_server
    if parent is None:
        return Gone("the table that it refers to")
    own = _columns_now(key.columns, off.home, table, numbered=numbered)
    theirs = _columns_now(key.target_columns, off.parent, parent, numbered=numbered)
    if own is None or theirs is None:
        return Gone("a column")
    names = dict(zip(key.columns, own, strict=True))
    set_columns = tuple(names[column] for column in key.set_columns)
    return replace(key, columns=own, target=parent.name, target_columns=theirs, set_columns=set_columns)


def _shape_now(off: IndexDropped, table: RelationNow, *, numbered: bool) -> IndexShape | None:
    """Returns the shape with the names that the columns have now; None: one was dropped."""
    names = (*(key.column for key in off.shape.keys), *off.shape.include)
    now = _columns_now(names, off.home, table, numbered=numbered)
    if now is None:
        return None
    keys = tuple(replace(key, column=name) for key, name in zip(off.shape.keys, now, strict=False))
    return replace(off.shape, keys=keys, include=now[len(keys) :])


def _columns_now(
    names: Sequence[str], home: Relation | None, table: RelationNow, *, numbered: bool
) -> tuple[str, ...] | None:
    """Returns the present names of columns; None: one was dropped."""
    if numbered and home is not None and len(home.numbers) == len(names):
        found = [table.columns.get(number) for number in home.numbers]
    else:
        there = set(table.columns.values())
        found = [name if name in there else None for name in names]
    now = tuple(name for name in found if name is not None)
    return now if len(now) == len(names) else None


def _same_shape(one: IndexShape | None, other: IndexShape) -> bool:
    """Returns whether two indexes serve the same queries; their storage parameters may differ."""
    return one is not None and replace(one, options=()) == replace(other, options=())
