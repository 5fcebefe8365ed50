"""Table renames: first those that are proven, then those worth asking about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from tranship.model.catalog import Table
from tranship.model.change import Pairing, TablePair, TableProposal
from tranship.model.count import count_of
from tranship.model.names import TableName
from tranship.planning.matching.renames.assign import Choice, choose
from tranship.planning.matching.renames.context import RenameContext, TableRenames
from tranship.planning.matching.renames.convention import NameRule, own_prefixes, unique_pairs
from tranship.planning.matching.renames.lineage import same_relation
from tranship.planning.matching.renames.links import Links, make_links, name_change
from tranship.planning.matching.renames.overlap import TablesContext, make_tables_context, worth_weighing
from tranship.planning.matching.renames.rivals import in_words
from tranship.planning.matching.renames.score import TABLES, TABLES_THRESHOLD, probability
from tranship.planning.matching.renames.table_features import link_features, own_features
from tranship.planning.matching.renames.vetoes import token_vetoes
from tranship.planning.names.tokens import folded, in_common, stems, synonymous

PROVISIONAL = 0.3
"""Probability from which a pair of the first weighing counts as a pair in the second.

It is above ``TABLES_THRESHOLD``: a wrong pair would speak for further wrong ones."""
CALLED_ALIKE = 0.5
"""Least probability of two tables whose names are equal but for the plural, whatever their columns are: a
person who reads both lists would take them for one, but only after a look at the columns.
"""
PROVING_OVERLAP = 0.5
"""Share of the smaller table's columns that must have the same name on both sides before a name proves
anything.
"""

_HOUSEKEEPING = frozenset(
    stems(
        "id uuid guid code name title key value type kind status state at on by of is has was date time "
        "timestamp created updated modified changed deleted inserted active enabled description comment note "
        "notes version"
    )
)
"""Words of columns that tables of every kind have: to share them says nothing of two tables."""

_NEARLY_ALL = 2 / 3
"""The part of the larger table's columns above which such words say something after all."""

_SEVERAL = 2
"""Columns of other words that two tables must share before these alone make a rename more than a guess."""


def table_renames(old: Sequence[Table], new: Sequence[Table], *, context: RenameContext) -> TableRenames:
    """Returns the renamed tables between two schemas.

    ``old`` and ``new`` are all tables of both sides. Those with equal names and those in
    ``context.table_pairs`` are already paired.
    """
    pairs = known_pairs(old, new, context.table_pairs)
    found = _proven(old, new, pairs, context)
    pairs |= {p.old: p.new for p in found}
    return TableRenames(tuple(found), _proposals(old, new, pairs))


def known_pairs(
    old: Sequence[Table], new: Sequence[Table], decided: Mapping[TableName, TableName]
) -> dict[TableName, TableName]:
    """Returns the pairs before any rule runs: decisions, then equal names that no decision uses."""
    taken = set(decided.values())
    here = {t.name for t in new} - taken
    return {t.name: t.name for t in old if t.name in here and t.name not in decided} | dict(decided)


def _proven(
    old: Sequence[Table], new: Sequence[Table], pairs: Mapping[TableName, TableName], context: RenameContext
) -> list[TablePair]:
    taken = set(pairs.values())
    lost = {t.name: t for t in old if t.name not in pairs}
    fresh = {t.name: t for t in new if t.name not in taken}
    found = _by_lineage(lost, fresh, context)
    # The plain rule first: a convention of the whole schema may only explain what it leaves.
    rules = [(NameRule(), "names are equal but for case and separators")]
    if context.convention is not None and context.convention.tables is not None:
        rules.append((context.convention.tables, context.convention.evidence[0]))
    for rule, evidence in rules:
        for schemas in _schemas(old, new, pairs):
            for before, after in _by_rule(rule, schemas, lost, fresh):
                if _overlap(lost[before], fresh[after], context) >= PROVING_OVERLAP:
                    found.append(TablePair(before, after, Pairing.RULE, evidence=(evidence,)))
                    del lost[before], fresh[after]
    return found


def _by_rule(
    rule: NameRule,
    schemas: tuple[str, str],
    lost: Mapping[TableName, Table],
    fresh: Mapping[TableName, Table],
) -> list[tuple[TableName, TableName]]:
    """Returns the tables of two schemas that the rule makes equal and that no word keeps apart."""
    left = [name.name for name in lost if name.schema == schemas[0]]
    right = [name.name for name in fresh if name.schema == schemas[1]]
    pairs = unique_pairs(left, right, rule.old_key, rule.new_key)
    return [(TableName(schemas[0], a), TableName(schemas[1], b)) for a, b in pairs if not token_vetoes(a, b)]


def _by_lineage(
    lost: dict[TableName, Table], fresh: dict[TableName, Table], context: RenameContext
) -> list[TablePair]:
    by_oid = {t.oid: t for t in fresh.values()}
    found = []
    for table in list(lost.values()):
        partner = by_oid.get(table.oid)
        if partner is not None and same_relation(table, partner, context.shared_ancestor):
            found.append(
                TablePair(table.name, partner.name, Pairing.LINEAGE, evidence=("same physical table",))
            )
            del lost[table.name], fresh[partner.name]
    return found


def _schemas(
    old: Sequence[Table], new: Sequence[Table], pairs: Mapping[TableName, TableName]
) -> list[tuple[str, str]]:
    """Returns pairs of schemas that correspond: of one name, seen in a known pair, or the only one on each
    side.
    """
    left, right = {t.name.schema for t in old}, {t.name.schema for t in new}
    known = {(a.schema, b.schema) for a, b in pairs.items()} | {(s, s) for s in left & right}
    if len(left) == 1 and len(right) == 1:
        known |= {(a, b) for a in left for b in right}
    return sorted(known)


def _overlap(old: Table, new: Table, context: RenameContext) -> float:
    """Returns the share of the smaller table's columns that the rule for columns makes equal, 0 to 1."""
    rule = (context.convention.columns if context.convention is not None else None) or NameRule()
    here, there = own_prefixes(old), own_prefixes(new)
    left = {rule.old_key(c.name, here) for c in old.columns}
    right = {rule.new_key(c.name, there) for c in new.columns}
    return len(left & right) / (min(len(left), len(right)) or 1)


def weighed(
    shared: TablesContext,
    old: Sequence[Table],
    new: Sequence[Table],
    pairs: Mapping[TableName, TableName],
    weights: Mapping[str, float] = TABLES,
) -> tuple[Links, dict[tuple[int, int], dict[str, float]]]:
    """Returns the links between tables, and the features of every pair worth weighing by the tables' places.

    All pairs are weighed twice: what is likely the first time (foreign keys that lead there, words that
    changed alike) speaks for other pairs the second time.
    """
    links = make_links(old, new, pairs)
    places = worth_weighing(shared, links.repointed)
    own = {(i, j): own_features(shared, shared.olds[i], shared.news[j]) for i, j in places}
    first = {place: probability(features, weights) for place, features in _linked(shared, links, own).items()}
    likely = {shared.olds[c.row].name: shared.news[c.column].name for c in choose(first, PROVISIONAL)}
    called = {shared.olds[i].name: shared.news[j].name for i, j in _called_alike(shared)}
    links = make_links(old, new, {**pairs, **called, **likely})
    return links, _linked(shared, links, own)


def _called_alike(shared: TablesContext) -> list[tuple[int, int]]:
    """Returns the places of tables of one schema whose names are equal but for the plural, and fit no other
    table. Such tables of two schemas are paired by ``led_renames``.
    """
    row, place = ({t.name: i for i, t in enumerate(side)} for side in (shared.olds, shared.news))
    found = []
    for schema in sorted({name.schema for name in row}):
        lost, fresh = ([name.name for name in side if name.schema == schema] for side in (row, place))
        pairs = unique_pairs(lost, fresh, folded, folded)
        found += [(TableName(schema, a), TableName(schema, b)) for a, b in pairs if not token_vetoes(a, b)]
    return [(row[a], place[b]) for a, b in found]


def _linked(
    shared: TablesContext, links: Links, own: Mapping[tuple[int, int], dict[str, float]]
) -> dict[tuple[int, int], dict[str, float]]:
    return {
        (i, j): {**features, **link_features(links, shared.olds[i], shared.news[j])}
        for (i, j), features in own.items()
    }


def _proposals(
    old: Sequence[Table], new: Sequence[Table], pairs: Mapping[TableName, TableName]
) -> tuple[TableProposal, ...]:
    shared = make_tables_context(old, new, pairs)
    links, features = weighed(shared, old, new, pairs)
    chances = {place: probability(values, TABLES) for place, values in features.items()}
    by_name = [place for place in _called_alike(shared) if chances.get(place, 0.0) < CALLED_ALIKE]
    chances |= dict.fromkeys(by_name, CALLED_ALIKE)
    # Chosen first: that a table has a rival of which little speaks is a reason to doubt, too.
    chosen = (
        choice
        for choice in choose(chances, TABLES_THRESHOLD)
        if _something_speaks(links, shared.olds[choice.row], shared.news[choice.column])
    )
    return tuple(
        _of_its_name(found) if (choice.row, choice.column) in by_name else found
        for choice in chosen
        for found in [_proposal(shared, links, choice)]
    )


def _something_speaks(links: Links, old: Table, new: Table) -> bool:
    """Returns whether a pair has more in common than columns which tables of any kind have.

    Of one table that went and one that came, nothing else may be left to choose from: that does not make
    ``orders_2019`` the ``admins``. Nearly all columns in common say enough under any names.
    """
    nearly_all = len(_shared(old, new)) > _NEARLY_ALL * max(len(old.columns), len(new.columns))
    return nearly_all or bool(telling_columns(old, new)) or _names_or_links_speak(links, old, new)


def _shared(old: Table, new: Table) -> list[str]:
    there = {folded(column.name) for column in new.columns}
    return [column.name for column in old.columns if folded(column.name) in there]


def telling_columns(old: Table, new: Table) -> list[str]:
    """Returns the columns of one name in both that not every kind of table has."""
    return [name for name in _shared(old, new) if set(stems(name)) - _HOUSEKEEPING]


def _names_or_links_speak(links: Links, old: Table, new: Table) -> bool:
    """Returns whether the names have a word in common, or foreign keys or other names speak for the pair."""
    lost, came = name_change(old.name, new.name)
    kept = set(stems(old.name.name)) & set(stems(new.name.name))
    alike = any(synonymous(a, b) or _begins(a, b) for a in lost for b in came)
    linked = links.moved(old.name, new.name) > 0 or links.changed_alike(old.name, new.name)
    return bool(kept) or alike or linked


def _begins(one: str, other: str) -> bool:
    """Returns whether one word is the beginning of the other: ``ally`` and ``allyship``."""
    short, long = sorted((one, other), key=len)
    return len(short) > 2 and long.startswith(short)


def _proposal(shared: TablesContext, links: Links, choice: Choice) -> TableProposal:
    before, after = shared.olds[choice.row], shared.news[choice.column]
    runner_up = None if choice.runner_up is None else shared.news[choice.runner_up].name
    rival = None if choice.rival is None else shared.olds[choice.rival].name
    evidence = (*_describe(links, before, after), *in_words(rival))
    chance = round(choice.chance, 3)
    few = len(telling_columns(before, after)) < _SEVERAL and not _names_or_links_speak(links, before, after)
    if few:
        evidence = (*evidence, "neither their names nor foreign keys speak for it, only these columns")
    return TableProposal(before.name, after.name, chance, evidence, runner_up, rival, of_few_columns=few)


def _of_its_name(proposal: TableProposal) -> TableProposal:
    """Returns a proposal for which its columns would not speak: a question without an answer."""
    why = "their names are equal but for the plural, few of their columns speak for it"
    # Any other table has less in common with it: to name one would only lead astray.
    return replace(proposal, evidence=(*proposal.evidence, why), runner_up=None, of_few_columns=True)


def _describe(links: Links, old: Table, new: Table) -> tuple[str, ...]:
    """Returns what speaks for a pair of tables, in words."""
    columns = {c.name for c in old.columns} & {c.name for c in new.columns}
    lines = [f"{len(columns)} of {count_of(len(old.columns), 'column')} have the same name in both"]
    moved = links.moved(old.name, new.name)
    if moved:
        keys = "a foreign key" if moved == 1 else f"{moved} foreign keys"
        lines.append(f"{keys} to {old.name} in OLD: to {new.name} in NEW")
    lines += in_common(old.name.name, new.name.name, stems(new.name.name))
    return (*lines, *_change_in_words(links, old, new))


def _change_in_words(links: Links, old: Table, new: Table) -> list[str]:
    """Returns what the words that only one name has say for the pair."""
    lost, came = (sorted(words) for words in name_change(old.name, new.name))
    lines = [f"{a} and {b} are used for one another" for a in lost for b in came if synonymous(a, b)]
    if links.changed_alike(old.name, new.name):
        change = f"{' '.join(lost) or 'nothing'} → {' '.join(came) or 'nothing'}"
        lines.append(f"another table's name changes in the same way: {change}")
    return lines
