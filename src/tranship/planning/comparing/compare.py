"""What differs between the two catalogs, and how grave it is. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from tranship.model.catalog import Catalog
from tranship.model.change import Change, ChangeClass, Comparison, Matching, Pairing, TablePair, TableProposal
from tranship.model.change_kind import ChangeKind
from tranship.model.names import TableName
from tranship.model.resolution import Action, Answers
from tranship.planning.comparing.column_changes import Tables, column_changes
from tranship.planning.comparing.meaning import Landscape, Observed
from tranship.planning.comparing.structure import NO_SPELLINGS, Spellings, structure_notes
from tranship.planning.matching.scope import HOLDS_ROWS, KIND_WORDS

_RELAXED = (ChangeKind.CONSTRAINT_REMOVED,)
"""Structure that a table gave up: a change of the class SAFE, not a mere note."""

NO_ANSWERS = Answers()
NOTHING_OBSERVED = Observed()


def compare(
    old: Catalog,
    new: Catalog,
    matching: Matching,
    answers: Answers = NO_ANSWERS,
    *,
    observed: Observed = NOTHING_OBSERVED,
    spellings: Spellings = NO_SPELLINGS,
) -> Comparison:
    """All changes in scope, tables in configured order, else by name.

    With answers the matching must have been made from the same decisions: what they settle is listed with the action they gave.
    ``observed`` is what the data said about columns whose meaning may change, ``spellings`` one server's spelling of expressions that differ as
    text.
    """
    landscape = landscape_of(old, new, matching, observed)
    by_table: dict[TableName, list[Change]] = {}
    for pair in matching.pairs:
        by_table.setdefault(pair.old, []).extend(_pair_changes(pair, landscape, answers, matching))
    paired = {str(pair.old): pair.old for pair in matching.pairs}
    proposals = {p.old: p for p in matching.proposals}
    for name in matching.only_old:
        by_table.setdefault(name, []).append(_removed_table(name, proposals.get(name), new, matching))
    proposed = {p.new for p in matching.proposals if p.old in matching.only_old}
    for name in matching.only_new:
        if name not in proposed:
            by_table.setdefault(name, []).append(_added_table(name))
    for decision in answers.decisions:
        if decision.action is Action.DROP_TABLE:
            by_table.setdefault(decision.old_table, []).append(
                _dropped_table(decision.old_table, decision.resolution.because)
            )
    notes = []
    for note in structure_notes(old, new, matching, spellings):
        table = paired.get(note.table) if note.kind in _RELAXED else None
        if table is not None:
            by_table.setdefault(table, []).append(note)
        else:
            notes.append(note)
    order = {name: place for place, name in enumerate(matching.configured or ())}
    names = sorted(by_table, key=lambda name: (order.get(name, len(order)), name))
    return Comparison(
        matching=matching, changes=tuple(c for name in names for c in by_table[name]), notes=tuple(notes)
    )


def landscape_of(
    old: Catalog, new: Catalog, matching: Matching, observed: Observed = NOTHING_OBSERVED
) -> Landscape:
    """What the meaning of a column is judged in."""
    return Landscape(
        old, new, _counterparts(old, new, matching), {p.old: p.new for p in matching.proposals}, observed
    )


def _counterparts(old: Catalog, new: Catalog, matching: Matching) -> dict[TableName, TableName]:
    """Old table → new table, those out of scope by name."""
    schemas = dict(matching.schema_pairs)
    twins = ((t.name, TableName(schemas.get(t.name.schema, t.name.schema), t.name.name)) for t in old.tables)
    return {a: b for a, b in twins if new.table(b) is not None} | {p.old: p.new for p in matching.pairs}


def _pair_changes(
    pair: TablePair, landscape: Landscape, answers: Answers, matching: Matching
) -> Iterator[Change]:
    before, after = landscape.old.table(pair.old), landscape.new.table(pair.new)
    if before is None or after is None:
        raise ValueError(f"{pair.old} → {pair.new} is not in the catalogs")
    change = _table_change(pair, matching)
    if change is not None:
        yield change
    yield from column_changes(
        Tables(pair, before, after, answers.for_table(pair.old), landscape, matching.schema_pairs)
    )


def _table_change(pair: TablePair, matching: Matching) -> Change | None:
    """A line for a table that is not simply found under its own name."""
    old_words, new_words = _table_words(pair.old, pair.new, matching)
    match pair.pairing:
        case Pairing.NAME:
            return None
        case Pairing.PARENT:
            kind, words, action = (
                ChangeKind.TABLE_MERGED,
                f"Table '{old_words}' flows into '{new_words}' in new DB",
                "Route its rows by the server",
            )
        case Pairing.DECIDED:
            kind, words, action = (
                ChangeKind.TABLE_RENAMED,
                f"Table '{old_words}' renamed to '{new_words}' in new DB",
                "Rename table",
            )
        case _:
            kind, words, action = (
                ChangeKind.TABLE_RENAMED,
                f"Table '{old_words}' likely renamed to '{new_words}' in new DB",
                "Rename table",
            )
    return Change(
        cls=ChangeClass.TRANSFORMABLE,
        kind=kind,
        table=str(pair.old),
        description=words,
        new_table=str(pair.new),
        auto_action=action,
        evidence=pair.evidence,
    )


def _table_words(old: TableName, new: TableName, matching: Matching) -> tuple[str, str]:
    """Bare names where the schemas correspond, else both in full."""
    plain = dict(matching.schema_pairs).get(old.schema, old.schema) == new.schema
    return (old.name, new.name) if plain else (str(old), str(new))


def _removed_table(
    name: TableName, proposal: TableProposal | None, new: Catalog, matching: Matching
) -> Change:
    if proposal is None:
        twin = new.table(TableName(dict(matching.schema_pairs).get(name.schema, name.schema), name.name))
        evidence: tuple[str, ...] = ("all its rows would be left behind",)
        if twin is not None and twin.kind not in HOLDS_ROWS:
            evidence = (
                f"{twin.name} is {KIND_WORDS.get(twin.kind, 'no table')} in NEW: it cannot receive rows",
                *evidence,
            )
        elif twin is not None and twin.extension is not None:
            evidence = (f"{twin.name} belongs to the extension {twin.extension} in NEW", *evidence)
        else:
            evidence = (*_storage_of(name, new, matching), *evidence)
        words = f"Table '{name.name}' only exists in old DB"
        return Change(
            cls=ChangeClass.BREAKING,
            kind=ChangeKind.TABLE_REMOVED,
            table=str(name),
            description=words,
            evidence=evidence,
        )
    old_words, new_words = _table_words(name, proposal.new, matching)
    told = [f"not proven (score {proposal.score:.2f})", *proposal.evidence]
    if proposal.runner_up is not None:
        told.append(f"next best: '{proposal.runner_up}'")
    return Change(
        cls=ChangeClass.BREAKING,
        kind=ChangeKind.TABLE_RENAMED,
        table=str(name),
        description=f"Table '{old_words}' likely renamed to '{new_words}' in new DB",
        new_table=str(proposal.new),
        evidence=tuple(told),
    )


def _storage_of(name: TableName, new: Catalog, matching: Matching) -> tuple[str, ...]:
    """Whether NEW has the name for a partition: rows go there through the root alone."""
    twin = TableName(dict(matching.schema_pairs).get(name.schema, name.schema), name.name)
    roots = (t.name for t in new.tables if any(leaf.name == twin for leaf in t.partitions))
    return tuple(
        f"{twin} is a partition of {root} in NEW: 'rename_table' to {root} sends the rows there"
        for root in roots
    )


def _added_table(name: TableName) -> Change:
    words = f"Table '{name.name}' only exists in new DB"
    action = "Stays empty (nothing is created)"
    return Change(
        cls=ChangeClass.SAFE,
        kind=ChangeKind.TABLE_ADDED,
        table=str(name),
        description=words,
        new_table=str(name),
        auto_action=action,
    )


def _dropped_table(name: TableName, because: str) -> Change:
    return Change(
        cls=ChangeClass.SAFE,
        kind=ChangeKind.TABLE_LEFT_OUT,
        table=str(name),
        description=f"Table '{name.name}' is left out",
        auto_action="Decided: its rows stay in old DB alone; nothing is dropped or emptied",
        evidence=(f"decided: {because}" if because else "decided",),
    )
