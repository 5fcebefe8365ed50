"""What differs between the two catalogs, and how grave it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import assert_never

from msgspec.structs import replace

from tranship.model.catalog import Catalog
from tranship.model.catalog_codes import RelationKind
from tranship.model.change import (
    Change,
    ChangeClass,
    Comparison,
    Matching,
    Pairing,
    TablePair,
    TableProposal,
    ToolTable,
)
from tranship.model.change_kind import ChangeKind
from tranship.model.evidence import RowsInNew
from tranship.model.expression import Rekeyed
from tranship.model.names import TableName
from tranship.model.resolution import Action, Answers, Decision
from tranship.planning.comparing.column_changes import Tables, column_changes
from tranship.planning.comparing.extension_tables import extension_table_notes
from tranship.planning.comparing.landscape import NO_ANSWERS, NOTHING_OBSERVED, landscape_of
from tranship.planning.comparing.likelihood import likelihood
from tranship.planning.comparing.meaning import Landscape, Observed
from tranship.planning.comparing.other_ids import other_ids
from tranship.planning.comparing.parents import beside, unclear_parents
from tranship.planning.comparing.structure import NO_SPELLINGS, Spellings, structure_notes
from tranship.planning.matching.new_keys import Place, rekeyed_columns
from tranship.planning.matching.scope import HOLDS_ROWS, KIND_WORDS

_RELAXED = (ChangeKind.CONSTRAINT_REMOVED,)
"""Structure that a table gave up: it relaxes what rows must satisfy, and is a change of class SAFE, not a
mere note.
"""


def compare(
    old: Catalog,
    new: Catalog,
    matching: Matching,
    answers: Answers = NO_ANSWERS,
    *,
    observed: Observed = NOTHING_OBSERVED,
    spellings: Spellings = NO_SPELLINGS,
) -> Comparison:
    """Returns all changes in scope, and the notes on structure.

    Tables come in configured order, else by name. With answers the matching must have been made from the same
    decisions: what they resolve is listed with the action they gave. ``observed`` is what the data said about
    columns whose meaning may change, ``spellings`` one server's spelling of expressions that differ as text.

    Raises:
        ValueError: the matching does not belong to these catalogs.
    """
    landscape = landscape_of(old, new, matching, observed, answers)
    settled = _settled_columns(old, matching, answers)
    rekeyed = rekeyed_columns(matching.pairs, answers, old, new)
    by_table: dict[TableName, list[Change]] = {}
    for pair in matching.pairs:
        own = _pair_changes(pair, landscape, answers, matching, settled[pair.old, pair.name])
        by_table.setdefault(pair.old, []).extend(_undecided(pair, own, rekeyed))
    unpaired = _unpaired_changes(old, new, matching, answers, observed)
    for table, change in (*unpaired, *other_ids(old, new, matching, observed.in_new, answers)):
        by_table.setdefault(table, []).append(change)
    paired = {str(pair.old): pair.old for pair in matching.pairs}
    notes = [*_standing_notes(matching, observed), *extension_table_notes(old, observed.extension_rows)]
    for note in structure_notes(old, new, _found(matching), spellings):
        if note.kind in _RELAXED and note.table in paired:
            by_table.setdefault(paired[note.table], []).append(note)
        else:
            notes.append(note)
    place = {name: n for n, name in enumerate(matching.configured or ())}
    names = sorted(by_table, key=lambda name: (place.get(name, len(place)), name))
    changes = tuple(change for name in names for change in by_table[name])
    return Comparison(matching=matching, changes=changes, notes=tuple(notes))


def _found(matching: Matching) -> Matching:
    """Returns the pairs that the comparison found: what a person makes of a table is no change of it."""
    return replace(matching, pairs=tuple(pair for pair in matching.pairs if not pair.name))


def _undecided(
    pair: TablePair, changes: Iterable[Change], rekeyed: Mapping[Place, Rekeyed]
) -> Iterator[Change]:
    """Yields the changes without those of a column's type that a new key decides: it holds one, or refers to
    one.
    """
    for change in changes:
        decided = (pair.old, pair.name, change.new_column or "") in rekeyed
        if change.cls is not ChangeClass.BREAKING or not decided:
            yield change


def _settled_columns(
    old: Catalog, matching: Matching, answers: Answers
) -> dict[tuple[TableName, str], frozenset[str]]:
    """Returns, by flow, the old columns that are not left behind whatever the flow itself takes.

    A column stays behind only where no flow of its table takes it and no entry says so; the first flow of a
    table asks for all of them.
    """
    by_table: dict[TableName, list[TablePair]] = {}
    for pair in matching.pairs:
        by_table.setdefault(pair.old, []).append(pair)
    settled: dict[tuple[TableName, str], frozenset[str]] = {}
    for name, (first, *others) in by_table.items():
        loose = {ref.column for ref in answers.used if ref.table == name}
        loose |= _named_in(answers.of_flow(name)) if first.name else set()
        loose |= _identifying(answers.of_flow(name, first.name))
        settled[name, first.name] = frozenset(loose.union(*(_taken(pair, answers) for pair in others)))
        table = old.table(name)
        everything = frozenset(c.name for c in table.columns) if table is not None else frozenset[str]()
        settled |= {(name, pair.name): everything for pair in others}
    return settled


def _taken(pair: TablePair, answers: Answers) -> set[str]:
    """Returns the old columns that a flow takes over or that its entries leave behind."""
    decided = answers.of_flow(pair.old, pair.name)
    filled = {decision.resolution.new_column for decision in decided}
    return {columns.old for columns in pair.columns if columns.new not in filled} | _named_in(decided)


def _identifying(decisions: Sequence[Decision]) -> set[str]:
    """Returns the output columns of a query that are there to tell its rows apart, or to cut it."""
    asked = (d.resolution for d in decisions if d.action is Action.QUERY)
    return {name for entry in asked for name in (*entry.key, entry.cut_by or "")}


def _named_in(decisions: Sequence[Decision]) -> set[str]:
    """Returns the old columns that decisions take over or leave behind."""
    actions = (Action.RENAME, Action.TRANSFORM, Action.IGNORE)
    return {name for d in decisions if d.action in actions for name in d.resolution.sources}


def _standing_notes(matching: Matching, observed: Observed) -> list[Change]:
    """Returns a note for each pair whose new table holds rows already."""
    held = [pair for pair in matching.pairs if pair.new in observed.in_new]
    return [_holds_rows(pair, observed.in_new[pair.new]) for pair in held]


def _unpaired_changes(
    old: Catalog, new: Catalog, matching: Matching, answers: Answers, observed: Observed
) -> Iterator[tuple[TableName, Change]]:
    """Yields the changes of tables that only one side has, and of those that a decision leaves out."""
    proposals = {p.old: p for p in matching.proposals}
    for name in matching.only_old:
        proposal = proposals.get(name)
        if name in answers.read:
            yield name, _read_table(name)
        elif proposal is None:
            yield name, _removed_table(name, old, new, matching, observed)
        else:
            yield name, _proposed_table(name, proposal, matching)
    # A proposed counterpart is named in the question; it would be listed twice.
    proposed = {p.new for p in matching.proposals if p.old in matching.only_old}
    added = [name for name in matching.only_new if name not in proposed]
    yield from ((name, _added_table(new, name, observed.in_new.get(name))) for name in added)
    yield from _left_out(matching, answers)


def _left_out(matching: Matching, answers: Answers) -> Iterator[tuple[TableName, Change]]:
    """Yields the tables of migration tools, then those that a person leaves out."""
    for tool in matching.tool_tables:
        place = tool.old or tool.new
        if place is not None:
            yield place, _tool_table(place, tool)
    for decision in answers.decisions:
        if decision.action is Action.DROP_TABLE:
            yield decision.old_table, _dropped_table(decision.old_table, decision.resolution.because)


def _pair_changes(
    pair: TablePair,
    landscape: Landscape,
    answers: Answers,
    matching: Matching,
    settled: frozenset[str],
) -> Iterator[Change]:
    before, after = landscape.old.table(pair.old), landscape.new.table(pair.new)
    if before is None or after is None:
        raise ValueError(f"{pair.old} → {pair.new} is not in the catalogs")
    change = _table_change(pair, matching)
    if change is not None:
        yield change
    if before.kind is RelationKind.QUERY and not before.columns:
        # A SELECT that nobody has asked the server about: what fills the new columns is not known yet.
        return
    decisions = answers.of_flow(pair.old, pair.name)
    tables = Tables(pair, before, after, decisions, landscape, matching.schema_pairs, settled)
    unclear = tuple(unclear_parents(pair, matching, answers, (landscape.old, landscape.new)))
    yield from beside(tuple(column_changes(tables)), unclear)


def _table_change(pair: TablePair, matching: Matching) -> Change | None:
    """Returns the change of a table that is not simply found under its own name; None for one that is."""
    old_words, new_words = table_words(pair.old, pair.new, matching)
    match pair.pairing:
        case Pairing.NAME:
            return None
        case Pairing.PARENT:
            kind, action = ChangeKind.TABLE_MERGED, "Route its rows by the server"
            words = f"Table '{old_words}' flows into '{new_words}' in new DB"
        case Pairing.DECIDED if pair.name:
            kind, action = ChangeKind.TABLE_RENAMED, "Fill by a flow"
            words = f"Flow '{pair.name}' fills '{new_words}' in new DB"
        case Pairing.DECIDED:
            kind, action = ChangeKind.TABLE_RENAMED, "Rename table"
            words = f"Table '{old_words}' renamed to '{new_words}' in new DB"
        case Pairing.LINEAGE | Pairing.RULE:
            kind, action = ChangeKind.TABLE_RENAMED, "Rename table"
            words = f"Table '{old_words}' likely renamed to '{new_words}' in new DB"
        case _ as unreachable:
            assert_never(unreachable)
    return Change(
        cls=ChangeClass.TRANSFORMABLE,
        kind=kind,
        table=pair.flow,
        description=words,
        new_table=str(pair.new),
        auto_action=action,
        evidence=pair.evidence,
    )


def table_words(old: TableName, new: TableName, matching: Matching) -> tuple[str, str]:
    """Returns how two tables are named: bare where the schemas correspond, else both in full."""
    plain = dict(matching.schema_pairs).get(old.schema, old.schema) == new.schema
    return (old.name, new.name) if plain else (str(old), str(new))


def _removed_table(
    name: TableName, old: Catalog, new: Catalog, matching: Matching, observed: Observed
) -> Change:
    table = old.table(name)
    parents = {pair.old: pair.new for pair in matching.pairs}
    inherited = [
        f"it inherits from {parent}: 'rename_table' to {parents[parent]} sends its rows there"
        for parent in (table.parents if table is not None else ())
        if parent in parents
    ]
    held = observed.left_rows.get(name)
    rows = f"all its rows ({_rows(held)})" if held is not None else "all its rows"
    return Change(
        cls=ChangeClass.BREAKING,
        kind=ChangeKind.TABLE_REMOVED,
        table=str(name),
        description=f"Table '{name.name}' only exists in old DB",
        evidence=(*_why_no_counterpart(name, new, matching), *inherited, f"{rows} would be left behind"),
    )


def _proposed_table(name: TableName, proposal: TableProposal, matching: Matching) -> Change:
    old_words, new_words = table_words(name, proposal.new, matching)
    evidence = [likelihood(name.name, proposal.new.name, proposal.score), *proposal.evidence]
    if proposal.runner_up is not None:
        evidence.append(f"second best match: '{proposal.runner_up}'")
    return Change(
        cls=ChangeClass.BREAKING,
        kind=ChangeKind.TABLE_RENAMED,
        table=str(name),
        description=f"Table '{old_words}' likely renamed to '{new_words}' in new DB",
        new_table=str(proposal.new),
        evidence=tuple(evidence),
    )


def _why_no_counterpart(name: TableName, new: Catalog, matching: Matching) -> tuple[str, ...]:
    """Returns what NEW has under the name of the table, where that cannot be its counterpart."""
    twin_name = TableName(dict(matching.schema_pairs).get(name.schema, name.schema), name.name)
    twin = new.table(twin_name)
    if twin is not None and twin.kind not in HOLDS_ROWS:
        return (f"{twin.name} is {KIND_WORDS.get(twin.kind, 'no table')} in NEW: it cannot receive rows",)
    if twin is not None and twin.extension is not None:
        return (f"{twin.name} belongs to the extension {twin.extension} in NEW",)
    roots = (t.name for t in new.tables if any(leaf.name == twin_name for leaf in t.partitions))
    return tuple(
        f"{twin_name} is a partition of {root} in NEW: 'rename_table' to {root} sends the rows there"
        for root in roots
    )


def _added_table(new: Catalog, name: TableName, held: RowsInNew | None) -> Change:
    words = f"Table '{name.name}' only exists in new DB"
    table = new.table(name)
    action = "Stays empty (nothing is created)"
    if held is not None:
        action = f"Stays as it is ({_rows(held)})"
    elif table is not None and table.pages:
        action = "Stays as it is"
    return Change(
        cls=ChangeClass.SAFE,
        kind=ChangeKind.TABLE_ADDED,
        table=str(name),
        description=words,
        new_table=str(name),
        auto_action=action,
    )


def _rows(held: RowsInNew) -> str:
    return f"{'about ' if held.estimated else ''}{_counted(held.rows, 'row')}"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _holds_rows(pair: TablePair, held: RowsInNew) -> Change:
    """Returns a note on a table that is to be filled and is not empty.

    What OLD shares with it decides what becomes of OLD's rows.
    """
    reasons = [f"{pair.new} of NEW holds {_rows(held)} already"]
    if held.keys is not None:
        equal, differing = (
            _counted(held.equal, "equal row"),
            _counted(held.keys - held.equal, "differing row"),
        )
        reasons.append(f"OLD has {held.keys} of their keys: {equal}, {differing}")
    if held.renumbered:
        reasons.append(
            f"NEW holds {held.renumbered} of OLD's values of {', '.join(held.name)} under other ids: "
            "rows that refer to them would refer to others"
        )
    return Change(
        cls=ChangeClass.SAFE,
        kind=ChangeKind.TABLE_HOLDS_ROWS,
        table=str(pair.old),
        description="; ".join(reasons),
        new_table=str(pair.new),
        auto_action="They stay; the dry run says what becomes of OLD's rows",
    )


def _read_table(name: TableName) -> Change:
    return Change(
        cls=ChangeClass.SAFE,
        kind=ChangeKind.TABLE_LEFT_OUT,
        table=str(name),
        description=f"Table '{name.name}' is read by lookups or SQL of the decisions",
        auto_action="No flow of its own; its rows stay in old DB as they are",
        evidence=("decided",),
    )


def _tool_table(name: TableName, tool: ToolTable) -> Change:
    evidence = [f"it holds the records of a migration tool ({tool.tool}), which speak of its own database"]
    if tool.old is not None and tool.new is not None:
        evidence.append("to move it all the same: action 'rename_table' with its own name as new_table")
    return Change(
        cls=ChangeClass.SAFE,
        kind=ChangeKind.TABLE_LEFT_OUT,
        table=str(name),
        description=f"Table '{name.name}' is left out",
        new_table=str(tool.new) if tool.new is not None else None,
        auto_action="Stays as it is on both sides",
        evidence=tuple(evidence),
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
