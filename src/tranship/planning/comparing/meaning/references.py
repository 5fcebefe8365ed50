"""Keys: the id of one thing stored as a name, or as the id of another. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from tranship.model.catalog import Column, Table
from tranship.model.change import ColumnPair, Pairing
from tranship.model.evidence import Reference
from tranship.model.names import ColumnRef, TableName
from tranship.model.references import references
from tranship.planning.comparing.meaning.another_key import MANY, another_key_meant
from tranship.planning.comparing.meaning.context import Concern, Landscape
from tranship.planning.comparing.meaning.key_questions import (
    becomes_text,
    declared_targets,
    named_after,
    needs_keys,
)
from tranship.planning.comparing.meaning.number_names import kinship, says_code, says_label
from tranship.planning.names.families import family

NOT_ASKED = "could not be asked"
"""Stands in the evidence of a change whose class the data would have decided."""
_FEW_LABELS = 50
"""Distinct numbers up to which a column named like a code may hold numbers in place of labels."""
_SHOWN = 4
_DIGITS = frozenset("0123456789")


def keys_misread(pair: ColumnPair, before: Table, after: Table, landscape: Landscape) -> Concern | None:
    """Returns why keys would be taken for names or for keys of another table; None where they mean the same.

    What the data decide and nobody could ask is never taken for harmless.
    """
    old, new = before.column(pair.old), after.column(pair.new)
    if old is None or new is None:
        return None
    other = another_key_meant(pair, before, after, landscape)
    if other is not None:
        return other
    declared = declared_targets(before, old.name)
    targets = declared or named_after(before, old, landscape)
    if targets:
        return _misread(pair, before, after, targets, bool(declared), landscape)
    if not needs_keys(before, after, old, new, landscape):
        return None
    reference = landscape.observed.references.get(ColumnRef(before.name, old.name))
    if reference is None:
        return _unasked(before, after, old, new)
    if not declared_targets(after, new.name):
        return _numbers_as_texts(pair, before, after, reference, landscape)
    measured = _measured_target(before, reference)
    if measured:
        return _misread(pair, before, after, measured, False, landscape)
    return _as_those_beside(pair, before, after, reference, landscape)


def _measured_target(before: Table, reference: Reference) -> set[TableName]:
    """Returns the one other table whose keys enough values are; nothing where it is none, or several."""
    tables = {key.table for key in reference.keys}
    certain = len(tables) == 1 and reference.distinct >= MANY and before.name not in tables
    return tables if certain else set()


def _as_those_beside(
    pair: ColumnPair, before: Table, after: Table, reference: Reference, landscape: Landscape
) -> Concern | None:
    """Returns the question whether the values mean what a declared foreign key beside them means.

    The values are keys of several tables of OLD, among them the one to which the foreign key led; NEW leads
    both columns to another one.
    """
    held = {key.table for key in reference.keys}
    for target in sorted(declared_targets(after, pair.new)):
        for column, above in sorted(_led_away(after, target, landscape)):
            if above in held and above != before.name:
                other = ", ".join(str(table) for table in sorted(held - {above})) or "no other table"
                return Concern(
                    (
                        f"in OLD {column} beside it is a foreign key to {above}, in NEW to {target}",
                        f"the values of {before.name}.{pair.old} are keys of {above}, and of {other}: "
                        "the data do not tell which rows are meant",
                    ),
                    keys=True,
                    bare=True,
                )
    return None


def _led_away(after: Table, target: TableName, landscape: Landscape) -> Iterator[tuple[ColumnRef, TableName]]:
    """Yields the old references that fill a reference of a new table to ``target`` and lead elsewhere: to an
    old table whose rows do not go there.
    """
    for key in references(after):
        if key.target != target or len(key.columns) != 1:
            continue
        for source in landscape.fillers.get(ColumnRef(after.name, key.columns[0]), frozenset()):
            owner = landscape.old.table(source.table)
            for above in declared_targets(owner, source.column) if owner is not None else ():
                if target not in _filled_from({above}, landscape):
                    yield source, above


def _unasked(before: Table, after: Table, old: Column, new: Column) -> Concern:
    what = (
        "keys of another table"
        if becomes_text(old, new)
        else f"keys of what {after.name}.{new.name} refers to"
    )
    return Concern((f"{NOT_ASKED}: whether the values of {before.name}.{old.name} are {what}",), unasked=True)


def _misread(
    pair: ColumnPair,
    before: Table,
    after: Table,
    targets: set[TableName],
    declared: bool,
    landscape: Landscape,
) -> Concern | None:
    """By a foreign key, by the name, or by the keys of the one table that the values are."""
    reasons = tuple(_told(before.name, pair.old, target, declared) for target in sorted(targets))
    kept = _filled_from(targets, landscape)
    new_targets = declared_targets(after, pair.new)
    where = f"in NEW {after.name}.{pair.new}"
    if new_targets and not (new_targets & kept):
        shown = ", ".join(str(t) for t in sorted(new_targets))
        other = f"{where} refers to {shown}: the ids of one table would be taken for those of another"
        return Concern((*reasons, other), keys=True)
    old, new = before.column(pair.old), after.column(pair.new)
    if new_targets or old is None or new is None:
        return None
    if becomes_text(old, new):
        names = f"{where} is text and refers to nothing: ids would be stored as names"
        return Concern((*reasons, names), keys=True)
    return _codes_as_labels(old, new, reasons, targets, landscape) if declared else None


def _filled_from(targets: set[TableName], landscape: Landscape) -> set[TableName | None]:
    """Returns the new tables that rows of these old ones fill, or may fill."""
    known = landscape.counterparts, landscape.asked
    found = {pairs.get(target) for target in targets for pairs in known}
    return found.union(*(landscape.flows.get(target, ()) for target in targets))


def _codes_as_labels(
    old: Column, new: Column, reasons: tuple[str, ...], targets: set[TableName], landscape: Landscape
) -> Concern | None:
    """A short code whose table NEW lacks, in a column that was made wider: does NEW hold the label itself?"""
    if family(old.type) != "text" or family(new.type) != "text" or targets & landscape.counterparts.keys():
        return None
    if targets & landscape.asked.keys() or not _has_grown(old, new):
        return None
    return Concern(
        (*reasons, "NEW lacks that table, and the column is wider there: are the codes to become labels?"),
        keys=True,
        bare=True,
    )


def _has_grown(old: Column, new: Column) -> bool:
    """From the width of a code to the width of a label."""
    width, room = (c.type.leaf.modifiers[0] if c.type.leaf.modifiers else None for c in (old, new))
    return width is not None and width <= _CODE_WIDTH and (room is None or room >= _LABEL_WIDTH)


_CODE_WIDTH, _LABEL_WIDTH = 10, 20
"""Characters of the longest code and of the shortest room for labels."""


def _told(table: TableName, column: str, target: TableName, declared: bool) -> str:
    word = "is a foreign key to" if declared else "looks like a key of"
    return f"in OLD {table}.{column} {word} {target}"


# --- numbers that become texts


def _numbers_as_texts(
    pair: ColumnPair, before: Table, after: Table, reference: Reference, landscape: Landscape
) -> Concern | None:
    """A number that becomes a text needs a reason to stay a number: no value, no key, or numbers among NEW's
    own rows.
    """
    written = _written_in_new(after, pair.new, landscape)
    no_value = not reference.distinct and not reference.sampled
    if no_value or written == "numbers":
        return None
    tables = [key.table for key in reference.keys]
    evidence = [*_told_tables(pair, before.name, tables), *_speaking_names(pair, reference)]
    if written == "words":
        evidence.append("NEW's own rows hold words there")
    certain = bool(tables) and (_is_label(pair) or _likely(pair.old, before.name, tables[0], landscape))
    if not evidence or (pair.pairing is Pairing.DECIDED and not certain):
        return None
    return Concern(tuple(evidence), keys=True, bare=not certain)


def _is_label(pair: ColumnPair) -> bool:
    return says_label(pair.old) or says_label(pair.new)


def _speaking_names(pair: ColumnPair, reference: Reference) -> Iterator[str]:
    """Yields what the names of the two columns say of numbers that become texts."""
    if _is_label(pair):
        yield f"'{pair.new}' is a label in NEW, and OLD holds numbers: ids would be stored as names"
        return
    coded = says_code(pair.old) or says_code(pair.new)
    if coded and not reference.keys and reference.distinct <= _FEW_LABELS:
        numbers = f"{reference.distinct} different numbers in OLD under the name of a code"
        yield f"{numbers}: does NEW hold words?"


def _likely(column: str, owner: TableName, table: TableName, landscape: Landscape) -> bool:
    """A table that is called like the column, or that NEW lacks, is no coincidence."""
    return bool(kinship(column, owner, table)) or table not in landscape.counterparts


def _told_tables(pair: ColumnPair, owner: TableName, tables: list[TableName]) -> tuple[str, ...]:
    if not tables:
        return ()
    shown = ", ".join(str(table) for table in tables[:_SHOWN])
    more = f" and {len(tables) - _SHOWN} more" if len(tables) > _SHOWN else ""
    return (
        f"in OLD {owner}.{pair.old} looks like a key of {shown}{more}",
        "in NEW it is text and refers to nothing: ids would be stored as names",
    )


def _written_in_new(after: Table, column: str, landscape: Landscape) -> str:
    """What NEW's own rows hold there: ``numbers``, ``words`` (texts without a digit) or neither."""
    facts = landscape.observed.values_there.get(ColumnRef(after.name, column))
    if facts is None or not facts.values:
        return ""
    texts = [counted.value.strip() for counted in facts.values]
    if all(text.isdigit() for text in texts):
        return "numbers"
    return "" if any(_DIGITS & set(text) for text in texts) else "words"
