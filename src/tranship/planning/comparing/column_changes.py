"""The changes between the columns of two corresponding tables."""

from __future__ import annotations

from collections.abc import Iterator, Set
from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from tranship.model.builtin_types import Family
from tranship.model.catalog import Column, Table
from tranship.model.catalog_codes import FIRES_AS_ORIGIN, RelationKind
from tranship.model.change import Change, ChangeClass, ColumnPair, Pairing, Proposal, TablePair
from tranship.model.change_kind import ChangeKind
from tranship.model.expression import Conversion, Loss, Rule
from tranship.model.resolution import Action, Decision, Resolution
from tranship.planning.comparing.labels import label_evidence
from tranship.planning.comparing.likelihood import likelihood
from tranship.planning.comparing.meaning import AS_THEY_ARE, Concern, Landscape, concern_of, meaning_change
from tranship.planning.matching.renames.vetoes import OTHER_FAMILY
from tranship.planning.types.conversion import convert, same_type
from tranship.planning.types.wording import filling_words, type_words

_FEEDING = (Action.RENAME, Action.TRANSFORM)
_WAYS = (("value_mapping", "by value mapping"), ("lookup_table", "by lookup"), ("transform_sql", "by SQL"))
_BY_CONVERSION = "by the server's conversion"


class Tables(Struct, frozen=True):
    """One pair of tables with everything that its changes depend on."""

    pair: TablePair
    before: Table
    after: Table
    decisions: tuple[Decision, ...]
    landscape: Landscape
    schemas: tuple[tuple[str, str], ...]
    settled: frozenset[str] = frozenset()
    """Old columns that are not left behind, whatever this flow takes: another flow of the table or an
    expression uses them, or it is said elsewhere.
    """

    @property
    def ignored(self) -> frozenset[str]:
        """Old columns that a decision leaves behind."""
        return frozenset(d.resolution.old_column or "" for d in self.decisions if d.action is Action.IGNORE)

    @property
    def used(self) -> frozenset[str]:
        """Old columns that feed a new one by decision."""
        return frozenset(
            name for d in self.decisions if d.action in _FEEDING for name in d.resolution.sources
        )

    @property
    def filled(self) -> frozenset[str]:
        """New columns that a decision fills."""
        actions = (*_FEEDING, Action.DEFAULT)
        return frozenset(d.resolution.new_column or "" for d in self.decisions if d.action in actions)

    @property
    def active(self) -> list[ColumnPair]:
        """Pairs of columns that no decision takes apart, in NEW's order."""
        ignored, filled = self.ignored, self.filled
        return [p for p in self.pair.columns if p.old not in ignored and p.new not in filled]

    @property
    def open_proposals(self) -> list[Proposal]:
        """Proposed renames of columns about which nothing is decided."""
        used, filled = self.ignored | self.used, self.filled
        return [p for p in self.pair.proposals if p.old not in used and p.new not in filled]

    def convert(self, old: Column, new: Column) -> Conversion:
        """Returns how values of the old column become values of the new one, with the zone where one is
        applied.
        """
        versions = self.landscape.old.server_version, self.landscape.new.server_version
        found = convert(
            old.type, new.type, old_version=versions[0], new_version=versions[1], schemas=self.schemas
        )
        if found.rule is not Rule.ZONE:
            return found
        return replace(found, why=f"{found.why}: {self.landscape.old.timezone}")

    def change(
        self,
        cls: ChangeClass,
        kind: ChangeKind,
        description: str,
        *,
        old: str | None = None,
        new: str | None = None,
    ) -> Change:
        """Returns a change of this pair without its details."""
        return Change(
            cls=cls,
            kind=kind,
            table=self.pair.flow,
            description=description,
            old_column=old,
            new_column=new,
            new_table=str(self.pair.new),
        )


def column_changes(tables: Tables) -> Iterator[Change]:
    """Yields all column changes: pairs in NEW's order, proposed renames, added, removed, decided, order."""
    active, proposals = tables.active, tables.open_proposals
    for pair in active:
        yield from _pair_changes(tables, pair)
    for proposal in proposals:
        yield _proposed(tables, proposal)
    paired: list[ColumnPair | Proposal] = [*active, *proposals]
    old_names = {p.old for p in paired} | tables.ignored | tables.used
    new_names = {p.new for p in paired} | tables.filled
    yield from _unpaired_changes(tables, old_names, new_names)
    for decision in tables.decisions:
        yield from _decided(tables, decision)
    if _order_differs(tables, active):
        change = tables.change(ChangeClass.SAFE, ChangeKind.COLUMN_ORDER, "Column order differs in new DB")
        yield _with(change, action="Copy by column name")


def _unpaired_changes(tables: Tables, covered_old: Set[str], covered_new: Set[str]) -> Iterator[Change]:
    """Yields the columns that nothing else is about: those that only NEW has first."""
    for column in tables.after.columns:
        if column.name not in covered_new:
            yield _added(tables, column)
    for column in tables.before.columns:
        if column.name not in covered_old | tables.settled:
            yield _removed(tables, column)


def _with(
    change: Change,
    *,
    action: str | None = None,
    evidence: tuple[str, ...] = (),
    conversion: str | None = None,
) -> Change:
    return Change(
        cls=change.cls,
        kind=change.kind,
        table=change.table,
        description=change.description,
        old_column=change.old_column,
        new_column=change.new_column,
        new_table=change.new_table,
        auto_action=action,
        evidence=evidence,
        conversion=conversion,
    )


def _columns(tables: Tables, old: str, new: str) -> tuple[Column, Column]:
    before, after = tables.before.column(old), tables.after.column(new)
    if before is None or after is None:
        raise ValueError(f"{tables.pair.old}.{old} → {tables.pair.new}.{new} is not in the catalogs")
    return before, after


def _pair_changes(tables: Tables, pair: ColumnPair) -> Iterator[Change]:
    old, new = _columns(tables, pair.old, pair.new)
    if pair.old != pair.new:
        likely = "" if pair.pairing is Pairing.DECIDED else "likely "
        words = f"Column '{pair.old}' {likely}renamed to '{pair.new}' in new DB"
        change = tables.change(
            ChangeClass.TRANSFORMABLE, ChangeKind.COLUMN_RENAMED, words, old=pair.old, new=pair.new
        )
        yield _with(change, action="Rename column", evidence=pair.evidence)
    if new.generated:
        if not old.generated:
            yield _becomes_generated(tables, old, new)
        return
    if old.generated:
        words = f"Column '{pair.old}' is generated in old DB and plain in new DB"
        yield _with(
            tables.change(ChangeClass.SAFE, ChangeKind.BECOMES_PLAIN, words, old=pair.old, new=pair.new),
            action="Copy the computed values",
        )
    yield from _type_changes(tables, pair, old, new)
    if old.refuses_null and not new.refuses_null:
        words = f"Column '{pair.new}' allows NULL in new DB"
        yield _with(
            tables.change(ChangeClass.SAFE, ChangeKind.NOT_NULL_RELAXED, words, old=pair.old, new=pair.new),
            action="Copy as it is",
        )


def _becomes_generated(tables: Tables, old: Column, new: Column) -> Change:
    words = f"Column '{old.name}' becomes generated in new DB: old values cannot be written"
    change = tables.change(ChangeClass.BREAKING, ChangeKind.BECOMES_GENERATED, words, old=old.name)
    definition = f"generated in NEW as {new.generation or 'an expression'}"
    return _with(change, evidence=(definition, "decide 'ignore' for the old column to let NEW compute it"))


def _type_changes(tables: Tables, pair: ColumnPair, old: Column, new: Column) -> Iterator[Change]:
    """Yields at most one change: what the types say, or that the meaning would change.

    A question of meaning comes first, because a conversion that succeeds may still be wrong.
    """
    conversion = tables.convert(old, new)
    # Whoever writes a SELECT for this table says what its columns mean.
    written = tables.before.kind is RelationKind.QUERY
    concern = None if written else meaning_change(pair, tables.before, tables.after, tables.landscape)
    if concern is not None:
        yield _meaning(tables, old, new, concern, conversion)
    elif not same_type(old.type, new.type, tables.schemas):
        yield _type_change(tables, old, new, conversion)


def _meaning(tables: Tables, old: Column, new: Column, concern: Concern, conversion: Conversion) -> Change:
    verb = "changes" if concern.keys and not concern.bare else "may change"
    if type_words(old.type) == type_words(new.type):
        words = f"Column '{old.name}' {verb} its meaning in new DB"
    else:
        words = f"{_mismatch(old, new)}, and its meaning {verb}"
    evidence = concern.evidence
    if not (concern.keys or conversion.automatic):
        evidence = (*evidence, *conversion_evidence(old, new, conversion))
    if (concern.bare or concern.unasked) and conversion.bare:
        evidence = (*evidence, AS_THEY_ARE)
    return _with(
        tables.change(ChangeClass.BREAKING, ChangeKind.MEANING_CHANGED, words, old=old.name, new=new.name),
        evidence=evidence,
        conversion="meaning",
    )


def _mismatch(old: Column, new: Column) -> str:
    return (
        f"Column '{old.name}' type mismatch: current({type_words(old.type)}) vs new({type_words(new.type)})"
    )


def _type_change(tables: Tables, old: Column, new: Column, conversion: Conversion) -> Change:
    cls = ChangeClass.TRANSFORMABLE if conversion.automatic else ChangeClass.BREAKING
    change = tables.change(cls, ChangeKind.TYPE_CHANGED, _mismatch(old, new), old=old.name, new=new.name)
    evidence = conversion_evidence(old, new, conversion)
    if not conversion.automatic:
        return _with(change, evidence=evidence, conversion=conversion.rule.value)
    before, after = type_words(old.type), type_words(new.type)
    action = f"Convert {before} to {after}"
    if before == after:
        action = f"Take over into the changed definition of {after}"
    return _with(change, action=action, evidence=evidence, conversion=conversion.rule.value)


def conversion_evidence(old: Column, new: Column, conversion: Conversion) -> tuple[str, ...]:
    """Returns what a conversion decides, what it loses, and whether there is a plain one, in words."""
    evidence = [conversion.why] if conversion.why else []
    evidence += label_evidence(old.type.innermost, new.type.innermost)
    if conversion.loss is not Loss.NONE:
        # What becomes of a text is known only to NEW, which reads it.
        read_by_new = old.type.leaf.family is Family.STRING and new.type.leaf.family is not Family.STRING
        counted = "counted by the shape of the text" if read_by_new else "counted"
        evidence.append(f"values may change: {conversion.loss.value} ({counted} and reported)")
    if not conversion.bare and "transform_sql" not in conversion.why:
        evidence.append(
            "no plain conversion exists: decide with value_mapping, lookup_table or transform_sql"
        )
    return tuple(evidence)


def _proposed(tables: Tables, proposal: Proposal) -> Change:
    words = f"Column '{proposal.old}' likely renamed to '{proposal.new}' in new DB"
    evidence = [likelihood(proposal.old, proposal.new, proposal.score), *proposal.evidence]
    if proposal.runner_up is not None:
        evidence.append(f"second best match: '{proposal.runner_up}'")
    old, new = _columns(tables, proposal.old, proposal.new)
    conversion = tables.convert(old, new)
    # What speaks against the pair may name the types already.
    if not (conversion.automatic or any(OTHER_FAMILY in line for line in evidence)):
        types = f"current({type_words(old.type)}) vs new({type_words(new.type)})"
        evidence.append(f"the types differ, too: {types}")
    landscape = tables.landscape
    concern = concern_of(
        tables.before, tables.after, (proposal.old, proposal.new), landscape.observed, landscape.old.timezone
    )
    # A rename is answered together with its conversion, so both have to be judged from here.
    if not same_type(old.type, new.type, tables.schemas):
        evidence += conversion_evidence(old, new, conversion)
    if concern is not None:
        evidence += ["its meaning may change", *concern.evidence]
    change = tables.change(
        ChangeClass.BREAKING, ChangeKind.COLUMN_RENAMED, words, old=proposal.old, new=proposal.new
    )
    return _with(change, evidence=tuple(evidence))


def _added(tables: Tables, column: Column) -> Change:
    words = f"Column '{column.name}' only exists in new DB"
    if column.refuses_null and not column.filled_by_server:
        change = tables.change(ChangeClass.BREAKING, ChangeKind.COLUMN_ADDED, words, new=column.name)
        through = "through its domain " + column.type.text if not column.not_null else type_words(column.type)
        reasons = (f"NOT NULL without a default ({through})", *_silent_triggers(tables.after))
        return _with(change, evidence=reasons)
    return _with(
        tables.change(ChangeClass.SAFE, ChangeKind.COLUMN_ADDED, words, new=column.name),
        action=filling_words(column),
        evidence=() if column.filled_by_server else _silent_triggers(tables.after),
    )


def _silent_triggers(table: Table) -> tuple[str, ...]:
    """What NEW's triggers would do to a row that is inserted, and do not do to one that is copied."""
    names = [
        f"'{trigger.name}'"
        for trigger in table.triggers
        if trigger.on_insert and trigger.enabled in FIRES_AS_ORIGIN and " BEFORE " in trigger.definition
    ]
    if not names:
        return ()
    noun, do = ("triggers", "do") if len(names) > 1 else ("trigger", "does")
    return (
        f"NEW's BEFORE INSERT {noun} {', '.join(names)} {do} not fire during the move: where that matters, "
        "give a transform_sql, or UPDATE the rows afterwards",
    )


def _removed(tables: Tables, column: Column) -> Change:
    change = tables.change(
        ChangeClass.BREAKING,
        ChangeKind.COLUMN_REMOVED,
        f"Column '{column.name}' only exists in old DB",
        old=column.name,
    )
    twin = tables.after.column(column.name)
    note = (f"the new column '{column.name}' is filled from another one",) if twin is not None else ()
    return _with(change, evidence=(f"its data ({type_words(column.type)}) would be left behind", *note))


def _decided(tables: Tables, decision: Decision) -> Iterator[Change]:
    entry = decision.resolution
    match decision.action:
        case Action.RENAME | Action.TRANSFORM:
            yield from _decided_feed(tables, decision.action, entry)
        case Action.DEFAULT:
            words = f"Column '{entry.new_column}' only exists in new DB"
            change = tables.change(ChangeClass.SAFE, ChangeKind.COLUMN_ADDED, words, new=entry.new_column)
            yield _with(change, action="Decided: the given default", evidence=_because(entry))
        case Action.IGNORE:
            words = f"Column '{entry.old_column}' only exists in old DB"
            if tables.after.column(entry.old_column or "") is not None:
                words = f"Column '{entry.old_column}' exists in both DBs"
            change = tables.change(ChangeClass.SAFE, ChangeKind.COLUMN_REMOVED, words, old=entry.old_column)
            yield _with(change, action="Decided: left behind", evidence=_because(entry))
        case Action.RENAME_TABLE | Action.DROP_TABLE | Action.ADOPT | Action.TOLERATE:
            return
        case Action.FILTER | Action.ROWS | Action.MERGE | Action.NEW_KEY | Action.EXISTING | Action.QUERY:
            return
        case _ as unreachable:
            assert_never(unreachable)


def _decided_feed(tables: Tables, action: Action, entry: Resolution) -> Iterator[Change]:
    sources = entry.sources
    old = tables.before.column(sources[0]) if sources else None
    new = tables.after.column(entry.new_column or "")
    if old is None or new is None:
        return
    if action is Action.RENAME:
        yield from _pair_changes(tables, ColumnPair(old.name, new.name, Pairing.DECIDED, _because(entry)))
        return
    ways = (words for field, words in _WAYS if getattr(entry, field) is not None)
    way = next(ways, _BY_CONVERSION)
    conversion = tables.convert(old, new)
    # Two decisions that cannot be carried out stay as the questions that they were.
    if new.generated:
        yield _becomes_generated(tables, old, new)
        return
    if way == _BY_CONVERSION and not conversion.bare:
        yield _type_change(tables, old, new, conversion)
        return
    renamed = f"Column '{old.name}' feeds '{new.name}' in new DB"
    words = renamed if old.name != new.name else _mismatch(old, new)
    change = tables.change(
        ChangeClass.TRANSFORMABLE, ChangeKind.COLUMN_TRANSFORMED, words, old=old.name, new=new.name
    )
    yield _with(
        change, action=f"Decided: transform {way}", evidence=_because(entry), conversion=conversion.rule.value
    )


def _because(entry: Resolution) -> tuple[str, ...]:
    reason = entry.because or entry.description
    return (f"decided: {reason}" if reason else "decided",)


def _order_differs(tables: Tables, active: list[ColumnPair]) -> bool:
    places = {c.name: n for n, c in enumerate(tables.before.columns)}
    order = [places[p.old] for p in active]
    return order != sorted(order)
