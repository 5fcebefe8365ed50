"""Sequences, types and routines of the schemas in scope."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tranship.model.catalog import Catalog
from tranship.model.change import Change, Matching
from tranship.model.change_kind import ChangeKind
from tranship.model.database_objects import Routine, Sequence, UserType
from tranship.model.names import ColumnRef, TableName
from tranship.model.types import PgType, TypeKind
from tranship.planning.comparing.structure.sides import MAY_DIFFER, NOT_CREATED, STAYS, plain_note
from tranship.planning.comparing.structure.translation import Translation
from tranship.planning.printed.tokens import canonical

_ROUTINES = {"f": "Function", "p": "Procedure", "a": "Aggregate", "w": "Window function"}
_BOUNDS = {
    "smallint": (-(2**15), 2**15 - 1),
    "integer": (-(2**31), 2**31 - 1),
    "bigint": (-(2**63), 2**63 - 1),
}
"""Least and greatest value of a sequence's type."""
_FOLLOWS = "A run sets its position by OLD's"
_NUMBERED = ("int2", "int4", "int8", "numeric")


def object_notes(old: Catalog, new: Catalog, matching: Matching, translation: Translation) -> list[Change]:
    """Returns notes about sequences, then types, then routines; each by name."""
    return [
        *_sequences(old, new, matching, translation),
        *_types(old, new, translation),
        *_routines(old, new, translation),
    ]


def _sequences(old: Catalog, new: Catalog, matching: Matching, translation: Translation) -> Iterator[Change]:
    """Yields notes about sequences; one whose table is on one side alone goes with the table and is not
    named.
    """
    counterparts = _counterparts(old, new, translation)
    for before in old.sequences:
        after = counterparts.get(before.name)
        if after is not None:
            yield from _sequence_differs(before, after, translation)
        elif not _goes_with(before, matching.only_old):
            text = f"Sequence '{before.name}' only exists in old DB"
            yield plain_note(ChangeKind.SEQUENCE_REMOVED, str(before.name), text, NOT_CREATED)
    paired = {after.name for after in counterparts.values()}
    namesakes = {before.name for before in old.sequences}
    for after in new.sequences:
        if after.name in paired or _goes_with(after, matching.only_new):
            continue
        position = _position_of(after, new)
        if after.name not in namesakes:
            text = f"Sequence '{after.name}' only exists in new DB"
            yield plain_note(ChangeKind.SEQUENCE_ADDED, str(after.name), text, position)
            continue
        # OLD's numbers a column that another sequence numbers in NEW.
        text = f"Sequence '{after.name}' numbers no column that it numbers in old DB"
        follows = position if after.used_by or after.owned_by is not None else _FOLLOWS
        yield plain_note(ChangeKind.SEQUENCE_DIFFERS, str(after.name), text, follows)


def _position_of(sequence: Sequence, new: Catalog) -> str:
    """Returns what becomes of the position of a sequence that only NEW has."""
    columns = (column for table in new.tables for column in table.columns)
    numbers = any(c.sequence == sequence.name and c.type.leaf.typname in _NUMBERED for c in columns)
    if sequence.owned_by is not None or numbers:
        return "Set behind its column's values"
    return "Stays where it is: no column of whole numbers is filled by it"


def _counterparts(old: Catalog, new: Catalog, translation: Translation) -> dict[TableName, Sequence]:
    """Returns old sequence → the one of NEW that numbers the same column, else the one of the same name."""
    by_column = {ref: sequence for sequence in new.sequences for ref in _columns_of(sequence)}
    by_name = {sequence.name: sequence for sequence in new.sequences}
    found = {}
    for before in old.sequences:
        numbered = (by_column.get(translation.column(ref)) for ref in _columns_of(before))
        after = next(filter(None, numbered), None) or by_name.get(translation.table(before.name))
        if after is not None:
            found[before.name] = after
    return found


def _columns_of(sequence: Sequence) -> tuple[ColumnRef, ...]:
    """Returns the columns that a sequence numbers by their defaults, then the one that owns it."""
    return sequence.used_by if sequence.owned_by is None else (*sequence.used_by, sequence.owned_by)


def _sequence_differs(before: Sequence, after: Sequence, translation: Translation) -> Iterator[Change]:
    old, new = _differing(before, after)
    if old != new:
        text = f"Sequence '{before.name}' differs: old {old}, new {new}"
        follows = f"{_FOLLOWS}; all else stays as NEW has it"
        yield plain_note(ChangeKind.SEQUENCE_DIFFERS, str(before.name), text, follows)
    yield from _ownership(before, after, translation)


def _ownership(before: Sequence, after: Sequence, translation: Translation) -> Iterator[Change]:
    old = None if before.owned_by is None else translation.column(before.owned_by)
    if old != after.owned_by:
        text = (
            f"Sequence '{before.name}' differs: old {_owner_words(old)}, new {_owner_words(after.owned_by)}"
        )
        yield plain_note(ChangeKind.SEQUENCE_DIFFERS, str(before.name), text, STAYS)


def _owner_words(owner: ColumnRef | None) -> str:
    return f"owned by {owner.table}.{owner.column}" if owner is not None else "owned by none"


def _goes_with(sequence: Sequence, tables: tuple[TableName, ...]) -> bool:
    return sequence.owned_by is not None and sequence.owned_by.table in tables


def _differing(before: Sequence, after: Sequence) -> tuple[str, str]:
    """Returns what one definition says that the other one says otherwise, and the reverse."""
    pairs = list(zip(_shape(before), _shape(after), strict=True))
    old, new = ([pair[side] for pair in pairs if pair[0] != pair[1]] for side in (0, 1))
    return " ".join(old), " ".join(new)


def _shape(sequence: Sequence) -> tuple[str, ...]:
    """Returns what CREATE SEQUENCE says, clause by clause; a bound that comes with the type is no number, so
    that another type alone is one difference.
    """
    rising = sequence.increment > 0
    least, most = _BOUNDS[sequence.type]
    minimum, maximum = (1, most) if rising else (least, -1)
    return (
        sequence.type,
        f"START {sequence.start}",
        f"INCREMENT {sequence.increment}",
        f"MINVALUE {sequence.minimum}" if sequence.minimum != minimum else "NO MINVALUE",
        f"MAXVALUE {sequence.maximum}" if sequence.maximum != maximum else "NO MAXVALUE",
        f"CACHE {sequence.cache}",
        "CYCLE" if sequence.cycle else "NO CYCLE",
    )


def _types(old: Catalog, new: Catalog, translation: Translation) -> Iterator[Change]:
    before = {translation.table(type_.name): type_ for type_ in old.types}
    after = {type_.name: type_ for type_ in new.types}
    for name in sorted(before.keys() | after.keys()):
        old_type, new_type = before.get(name), after.get(name)
        if old_type is None and new_type is not None:
            yield plain_note(
                ChangeKind.TYPE_ADDED, str(name), f"{_sort(new_type)} '{name}' only exists in new DB", STAYS
            )
        elif new_type is None and old_type is not None:
            yield plain_note(
                ChangeKind.TYPE_REMOVED,
                str(old_type.name),
                f"{_sort(old_type)} '{old_type.name}' only exists in old DB",
                NOT_CREATED,
            )
        elif old_type is not None and new_type is not None:
            yield from _type(old_type, new_type, translation)


def _type(before: UserType, after: UserType, translation: Translation) -> Iterator[Change]:
    old, new = _definition(before.type, translation.expression), _definition(after.type, canonical)
    if old != new:
        text = f"{_sort(before)} '{before.name}' differs: old {old}, new {new}"
        yield plain_note(
            ChangeKind.TYPE_DIFFERS, str(before.name), text, "Values that NEW's type refuses are rejected"
        )
    if before.comment != after.comment:
        yield plain_note(
            ChangeKind.COMMENT_DIFFERS, str(before.name), f"Comment on type '{before.name}' differs", STAYS
        )


def _sort(type_: UserType) -> str:
    return {
        TypeKind.ENUM: "Enum",
        TypeKind.DOMAIN: "Domain",
        TypeKind.COMPOSITE: "Composite type",
        TypeKind.RANGE: "Range type",
    }.get(type_.type.kind, "Type")


def _definition(type_: PgType, expression: Callable[[str | None], str | None]) -> str:
    """Returns a type's own definition as one text; ``expression`` brings the names in it to their form in
    NEW.
    """
    element = "" if type_.element is None else expression(type_.element.text) or ""
    match type_.kind:
        case TypeKind.ENUM:
            return "(" + ", ".join(f"'{label}'" for label in type_.labels) + ")"
        case TypeKind.DOMAIN:
            return _domain_definition(type_, element, expression)
        case TypeKind.COMPOSITE:
            attributes = (f"{part.name} {expression(part.type.text) or ''}" for part in type_.attributes)
            return "(" + ", ".join(attributes) + ")"
        case TypeKind.RANGE:
            return _ordered(element, type_.collation or type_.sorts)
        case _:
            return element


def _ordered(element: str, collation: str) -> str:
    return f"{element} COLLATE {collation}" if collation else element


def _domain_definition(type_: PgType, element: str, expression: Callable[[str | None], str | None]) -> str:
    """Returns the parts of a domain in the order of CREATE DOMAIN; its checks sorted, since their order has
    no effect.
    """
    parts = [element, f"COLLATE {type_.collation}" if type_.collation else ""]
    parts.append("NOT NULL" if type_.not_null else "")
    parts.append(f"DEFAULT {expression(type_.default) or ''}" if type_.default is not None else "")
    parts += sorted(f"CHECK {expression(check.expression) or ''}" for check in type_.checks)
    return " ".join(part for part in parts if part)


def _routines(old: Catalog, new: Catalog, translation: Translation) -> Iterator[Change]:
    # By name and arguments: routines of one name with other arguments are other routines.
    before = {_moved_signature(routine, translation): routine for routine in old.routines}
    after = {(routine.name, canonical(routine.arguments) or ""): routine for routine in new.routines}
    for place in sorted(before.keys() | after.keys()):
        yield from _routine_note(before.get(place), after.get(place))


def _moved_signature(routine: Routine, translation: Translation) -> tuple[TableName, str]:
    """Returns the name and the arguments of a routine of OLD as NEW would have them."""
    schema = translation.schemas.get(routine.name.schema, routine.name.schema)
    return TableName(schema, routine.name.name), translation.expression(routine.arguments) or ""


def _routine_note(before: Routine | None, after: Routine | None) -> Iterator[Change]:
    if before is None:
        if after is not None:
            text = f"{_routine(after)} only exists in new DB"
            yield plain_note(ChangeKind.ROUTINE_ADDED, str(after.name), text, STAYS)
    elif after is None:
        text = f"{_routine(before)} only exists in old DB"
        yield plain_note(ChangeKind.ROUTINE_REMOVED, str(before.name), text, NOT_CREATED)
    elif before.definition_hash != after.definition_hash:
        text = f"{_routine(before)} differs"
        yield plain_note(ChangeKind.ROUTINE_DIFFERS, str(before.name), text, STAYS, (MAY_DIFFER,))


def _routine(routine: Routine) -> str:
    return f"{_ROUTINES[routine.kind]} '{routine.name}({routine.arguments})'"
