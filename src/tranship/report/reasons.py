"""The words for why a row is rejected, close to the server's own; SQLSTATE and constraint are the contract.

Row values stand in them: they go to the rejects file, and to the terminal only where they are asked for.
"""

from __future__ import annotations

from typing import assert_never

from tranship.model.reasons import (
    CheckViolated,
    ComesSecond,
    ConstraintReason,
    DomainRefusesNull,
    EmptyPeriod,
    HeldBefore,
    HeldByAnother,
    HeldByNew,
    HeldNoMore,
    HeldOtherwise,
    HeldReason,
    InvalidByte,
    LookupGap,
    LookupIsAnother,
    MappingGap,
    NoEquivalent,
    NoParentInOld,
    NoPartition,
    NotChangeable,
    NullRefused,
    OldCannotCompute,
    ParentElsewhere,
    ParentIsAnother,
    ParentKeyChanged,
    ParentMerged,
    ParentMissing,
    ParentNotThere,
    ParentReason,
    Reason,
    ServerSaid,
    SurvivorRejected,
    ValueReason,
)

_ADOPT = ' (an entry "adopt" says that it is meant)'
_SAME = ' (give it the same expression, mapping or lookup, or "adopt" the row of NEW under that key)'
_FOLLOW = (
    ' ("repoint_children": true in the merge leads children to it; a SELECT or an expression has to give the'
    " key of the row that stays)"
)
_LEAD = ' ("repoint_children": true leads children to it, unless that key is NULL)'


def reason_text(reason: Reason) -> str:
    """Returns the sentence for a reason."""
    return _of_value(reason) if isinstance(reason, ValueReason) else _of_constraint(reason)


def _of_value(reason: ValueReason) -> str:
    match reason:
        case ServerSaid(text=text, value=value):
            return text if value is None else f"{text}: {_quoted(value)}"
        case OldCannotCompute(text=text):
            return f"OLD cannot compute the row: {text}"
        case LookupGap(table=table, keys=keys, value=value, gone=gone):
            because = " because its row was rejected" if gone else ""
            return f"no entry in lookup table {table} for {', '.join(keys)} = {_quoted(value)}{because}"
        case LookupIsAnother(table=table, keys=keys):
            which = ", ".join(keys)
            return (
                f"lookup table {table}: the row of OLD under this {which} was rejected,"
                f" and the row of NEW under it is another one{_ADOPT}"
            )
        case MappingGap(value=value):
            return f"no entry in the value mapping for {_quoted(value)}"
        case InvalidByte(byte=byte):
            return f'invalid byte sequence for encoding "UTF8": 0x{byte:02x}'
        case NoEquivalent(character=character, encoding=encoding):
            sequence = " ".join(f"0x{byte:02x}" for byte in character.encode())
            return (
                f'character with byte sequence {sequence} in encoding "UTF8" '
                f'has no equivalent in encoding "{encoding}"'
            )
        case _ as unreachable:
            assert_never(unreachable)


def _of_constraint(reason: ConstraintReason) -> str:
    match reason:
        case NullRefused(column=column, table=table):
            return f'null value in column "{column}" of relation "{table}" violates not-null constraint'
        case DomainRefusesNull(column=column, domain=domain):
            return f"domain {domain} of column {column} does not allow null values"
        case CheckViolated(check=check, table=table):
            return f'new row for relation "{table}" violates check constraint "{check}"'
        case EmptyPeriod(column=column, table=table):
            return f'empty WITHOUT OVERLAPS value found in column "{column}" in relation "{table}"'
        case NoPartition(table=table):
            return f'no partition of relation "{table}" found for row'
        case HeldByNew(row=row):
            return f"{_violated(reason)}: NEW already holds the row {row}"
        case HeldBefore() | HeldOtherwise() | HeldByAnother() | HeldNoMore() | NotChangeable():
            return _held(reason)
        case SurvivorRejected():
            return "its survivor was rejected: the row into which it is merged"
        case ComesSecond(row=row, table=table):
            whose = f"{table} in OLD" if table else "OLD"
            return f"{_violated(reason)}: the row {row} of {whose} comes first"
        case _:
            return _of_parent(reason)


def _of_parent(reason: ParentReason) -> str:
    match reason:
        case ParentMissing():
            return _parent_missing(reason)
        case ParentIsAnother():
            return _parent_is_another(reason)
        case ParentMerged():
            return _parent_merged(reason)
        case ParentElsewhere():
            return _parent_elsewhere(reason)
        case ParentKeyChanged():
            return _parent_key_changed(reason)
        case NoParentInOld():
            return _no_parent_in_old(reason)
        case ParentNotThere(key=key, parent=parent):
            return f"foreign key {key}: the parent in {parent} did not arrive or was deleted"
        case _ as unreachable:
            assert_never(unreachable)


def _held(reason: HeldReason) -> str:
    """Returns the sentence about a row that NEW held before the run."""
    match reason:
        case HeldBefore(row=row):
            return f"NEW held the row {row} before the run"
        case HeldOtherwise(row=row, columns=columns):
            return f"NEW held the row {row} before the run, with another value in {', '.join(columns)}"
        case HeldByAnother(row=row):
            return f"NEW held the row {row} before the run, and an earlier row of OLD stands for it"
        case HeldNoMore(table=table):
            return f"NEW held a row of {table} with its key when the run began, and holds it no longer"
        case NotChangeable(row=row, columns=columns):
            what = ", ".join(columns)
            return f"NEW held the row {row} before the run, and an update does not change {what}"
        case _ as unreachable:
            assert_never(unreachable)


def _parent_missing(reason: ParentMissing) -> str:
    violated = f'insert or update on table "{reason.table}" violates foreign key constraint "{reason.key}"'
    if reason.value is None:
        return f"{violated}: MATCH FULL does not allow mixing of null and nonnull key values"
    absent = f'Key ({", ".join(reason.columns)})={reason.value} is not present in table "{reason.parent}"'
    if reason.left_out:
        return f"{violated}: {absent} because its parent is left out by a filter"
    return f"{violated}: {absent}{' because its parent was rejected' if reason.gone else ''}"


def _which(
    reason: ParentIsAnother | ParentMerged | ParentElsewhere | ParentKeyChanged | NoParentInOld,
) -> str:
    """Returns a row's key as a server writes it, or in words where it cannot be shown."""
    return f"Key ({', '.join(reason.columns)})={reason.value}" if reason.value is not None else "its key"


def _parent_is_another(reason: ParentIsAnother) -> str:
    return (
        f'foreign key constraint "{reason.key}" of table "{reason.table}":'
        f" the parent with {_which(reason)} was rejected,"
        f' and the row of "{reason.parent}" under that key is another one{_ADOPT}'
    )


def _parent_merged(reason: ParentMerged) -> str:
    return (
        f'foreign key constraint "{reason.key}" of table "{reason.table}":'
        f" the parent with {_which(reason)} is merged into another row of"
        f' "{reason.parent}"{_FOLLOW}'
    )


def _parent_elsewhere(reason: ParentElsewhere) -> str:
    return (
        f'foreign key constraint "{reason.key}" of table "{reason.table}":'
        f" NEW held the parent with {_which(reason)} before the run,"
        f' under another key of "{reason.parent}"{_LEAD}'
    )


def _parent_key_changed(reason: ParentKeyChanged) -> str:
    return (
        f'foreign key constraint "{reason.key}" of table "{reason.table}":'
        f' the parent with {_which(reason)} gets another key in "{reason.parent}" by decision,'
        f" and the row keeps OLD's{_SAME}"
    )


def _no_parent_in_old(reason: NoParentInOld) -> str:
    if reason.left_out:
        return (
            f'foreign key constraint "{reason.key}" of table "{reason.table}":'
            f" the parent with {_which(reason)} is left out by a filter,"
            f' and the row of "{reason.parent}" under that key counts as another one{_ADOPT}'
        )
    return (
        f'foreign key constraint "{reason.key}" of table "{reason.table}":'
        f" no row that is moved from OLD is the parent with {_which(reason)},"
        f' and the row of "{reason.parent}" under that key is another one{_ADOPT}'
    )


def _violated(reason: HeldByNew | ComesSecond) -> str:
    if reason.exclusion:
        return f'conflicting key value violates exclusion constraint "{reason.constraint}"'
    return f'duplicate key value violates unique constraint "{reason.constraint}"'


def _quoted(value: str) -> str:
    """Returns a value in quotes, undecodable bytes as ``\\x``."""
    return f"'{value.encode('utf-8', 'backslashreplace').decode()}'"
