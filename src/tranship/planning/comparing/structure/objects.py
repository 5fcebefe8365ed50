"""Sequences, types and routines of the schemas in scope."""

from __future__ import annotations

from collections.abc import Iterator

from tranship.model.catalog import Catalog
from tranship.model.change import Change, Matching
from tranship.model.database_objects import Routine, Sequence, UserType
from tranship.model.names import ColumnRef, TableName
from tranship.model.types import PgType, TypeKind
from tranship.planning.comparing.structure.sides import MAY_DIFFER, STAYS, Translation, plain_note
from tranship.planning.printed.tokens import canonical

_ALONE = "Not created: tranship moves rows, not definitions"
_ROUTINES = {"f": "Function", "p": "Procedure", "a": "Aggregate", "w": "Window function"}


def object_notes(old: Catalog, new: Catalog, matching: Matching, translation: Translation) -> list[Change]:
    """Sequences, then types, then routines; each by name."""
    return [
        *_sequences(old, new, matching, translation),
        *_types(old, new, translation),
        *_routines(old, new, translation),
    ]


def _sequences(old: Catalog, new: Catalog, matching: Matching, translation: Translation) -> Iterator[Change]:
    """Paired through their column first, then by name; those of tables on one side alone go with the table."""
    by_column = {
        ref: sequence for sequence in new.sequences for ref in (*sequence.used_by, *_owner(sequence))
    }
    by_name = {sequence.name: sequence for sequence in new.sequences}
    alone_old, alone_new = set(matching.only_old), set(matching.only_new)
    met: set[TableName] = set()
    for before in old.sequences:
        refs = [translation.column(ref) for ref in (*before.used_by, *_owner(before))]
        after = next((by_column[ref] for ref in refs if ref in by_column), None) or by_name.get(
            translation.table(before.name)
        )
        if after is not None:
            met.add(after.name)
            if _shape(before) != _shape(after):
                text = f"Sequence '{before.name}' differs: old {_shape(before)}, new {_shape(after)}"
                yield plain_note(
                    "sequence_differs", str(before.name), text, "Its position is set by NEW's definition"
                )
            yield from _ownership(before, after, translation)
        elif not _goes_with(before, alone_old):
            yield plain_note(
                "sequence_removed",
                str(before.name),
                f"Sequence '{before.name}' only exists in old DB",
                _ALONE,
            )
    for after in new.sequences:
        if after.name not in met and not _goes_with(after, alone_new):
            yield plain_note(
                "sequence_added",
                str(after.name),
                f"Sequence '{after.name}' only exists in new DB",
                "Set behind its column's values",
            )


def _ownership(before: Sequence, after: Sequence, translation: Translation) -> Iterator[Change]:
    old = None if before.owned_by is None else translation.column(before.owned_by)
    if old != after.owned_by:
        words = [
            f"owned by {owner.table}.{owner.column}" if owner is not None else "owned by none"
            for owner in (old, after.owned_by)
        ]
        text = f"Sequence '{before.name}' differs: old {words[0]}, new {words[1]}"
        yield plain_note("sequence_differs", str(before.name), text, STAYS)


def _owner(sequence: Sequence) -> tuple[ColumnRef, ...]:
    return () if sequence.owned_by is None else (sequence.owned_by,)


def _goes_with(sequence: Sequence, tables: set[TableName]) -> bool:
    return sequence.owned_by is not None and sequence.owned_by.table in tables


def _shape(sequence: Sequence) -> str:
    cache = f" CACHE {sequence.cache}" if sequence.cache != 1 else ""
    cycle = " CYCLE" if sequence.cycle else ""
    return f"{sequence.type} START {sequence.start} INCREMENT {sequence.increment} MINVALUE {sequence.minimum} MAXVALUE {sequence.maximum}{cache}{cycle}"


def _types(old: Catalog, new: Catalog, translation: Translation) -> Iterator[Change]:
    before = {translation.table(type_.name): type_ for type_ in old.types}
    after = {type_.name: type_ for type_ in new.types}
    for name in sorted(before.keys() | after.keys()):
        old_type, new_type = before.get(name), after.get(name)
        if old_type is None and new_type is not None:
            yield plain_note(
                "type_added", str(name), f"{_sort(new_type)} '{name}' only exists in new DB", STAYS
            )
        elif new_type is None and old_type is not None:
            yield plain_note(
                "type_removed",
                str(old_type.name),
                f"{_sort(old_type)} '{old_type.name}' only exists in old DB",
                _ALONE,
            )
        elif old_type is not None and new_type is not None:
            yield from _type(old_type, new_type, translation)


def _type(before: UserType, after: UserType, translation: Translation) -> Iterator[Change]:
    told, meant = _definition(before.type, translation), _definition(after.type, None)
    if told != meant:
        text = f"{_sort(before)} '{before.name}' differs: old {told}, new {meant}"
        yield plain_note(
            "type_differs", str(before.name), text, "Values that NEW's type refuses are rejected"
        )
    if before.comment != after.comment:
        yield plain_note(
            "comment_differs", str(before.name), f"Comment on type '{before.name}' differs", STAYS
        )


def _sort(type_: UserType) -> str:
    return {
        TypeKind.ENUM: "Enum",
        TypeKind.DOMAIN: "Domain",
        TypeKind.COMPOSITE: "Composite type",
        TypeKind.RANGE: "Range type",
    }.get(type_.type.kind, "Type")


def _definition(type_: PgType, translation: Translation | None) -> str:
    """The type's own definition as one text, OLD's in NEW's names."""

    def told(text: str | None) -> str:
        return (canonical(text) if translation is None else translation.expression(text)) or ""

    match type_.kind:
        case TypeKind.ENUM:
            return "(" + ", ".join(f"'{label}'" for label in type_.labels) + ")"
        case TypeKind.DOMAIN:
            parts = [
                "" if type_.element is None else told(type_.element.text),
                f"COLLATE {type_.collation}" if type_.collation else "",
            ]
            parts += [
                "NOT NULL" if type_.not_null else "",
                f"DEFAULT {told(type_.default)}" if type_.default is not None else "",
            ]
            parts += sorted(f"CHECK {told(check.expression)}" for check in type_.checks)
            return " ".join(part for part in parts if part)
        case TypeKind.COMPOSITE:
            return (
                "("
                + ", ".join(f"{attribute.name} {told(attribute.type.text)}" for attribute in type_.attributes)
                + ")"
            )
        case _:
            return "" if type_.element is None else told(type_.element.text)


def _routines(old: Catalog, new: Catalog, translation: Translation) -> Iterator[Change]:
    def key(routine: Routine, *, own: bool) -> tuple[TableName, str]:
        if own:
            return routine.name, canonical(routine.arguments) or ""
        moved = TableName(
            translation.schemas.get(routine.name.schema, routine.name.schema), routine.name.name
        )
        return moved, translation.expression(routine.arguments) or ""

    before = {key(routine, own=False): routine for routine in old.routines}
    after = {key(routine, own=True): routine for routine in new.routines}
    for place in sorted(before.keys() | after.keys()):
        old_routine, new_routine = before.get(place), after.get(place)
        if old_routine is None and new_routine is not None:
            yield plain_note(
                "routine_added",
                str(new_routine.name),
                f"{_routine(new_routine)} only exists in new DB",
                STAYS,
            )
        elif new_routine is None and old_routine is not None:
            yield plain_note(
                "routine_removed",
                str(old_routine.name),
                f"{_routine(old_routine)} only exists in old DB",
                _ALONE,
            )
        elif (
            old_routine is not None
            and new_routine is not None
            and old_routine.definition_hash != new_routine.definition_hash
        ):
            yield plain_note(
                "routine_differs",
                str(old_routine.name),
                f"{_routine(old_routine)} differs",
                STAYS,
                (MAY_DIFFER,),
            )


def _routine(routine: Routine) -> str:
    return f"{_ROUTINES[routine.kind]} '{routine.name}({routine.arguments})'"
