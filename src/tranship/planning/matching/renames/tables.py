"""Table renames: what proves itself first, then what is worth asking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tranship.model.catalog import Table
from tranship.model.change import Pairing, TablePair, TableProposal
from tranship.model.names import TableName
from tranship.planning.matching.renames.assign import choose
from tranship.planning.matching.renames.context import RenameContext, TableRenames
from tranship.planning.matching.renames.convention import NameRule, own_prefixes, unique_pairs
from tranship.planning.matching.renames.lineage import same_relation
from tranship.planning.matching.renames.links import Links, make_links, name_change
from tranship.planning.matching.renames.overlap import TableScene, make_table_scene, worth_weighing
from tranship.planning.matching.renames.score import TABLES, TABLES_THRESHOLD, probability
from tranship.planning.matching.renames.table_features import link_features, own_features
from tranship.planning.matching.renames.vetoes import token_vetoes
from tranship.planning.names.tokens import stems, synonymous

PROVISIONAL = 0.3
"""Probability from which the first weighing's pairs speak for others in the second."""
PROVING_OVERLAP = 0.5
"""Share of the smaller table's columns that must be there under the same name before a table's name proves anything."""


def table_renames(old: Sequence[Table], new: Sequence[Table], *, context: RenameContext) -> TableRenames:
    """Renamed tables between two schemas.

    ``old`` and ``new`` are all tables of both sides; those with equal names and those in ``context.table_pairs`` are already paired.
    """
    pairs = known_pairs(old, new, context.table_pairs)
    found = _proven(old, new, pairs, context)
    pairs |= {p.old: p.new for p in found}
    return TableRenames(tuple(found), _proposals(old, new, pairs))


def known_pairs(
    old: Sequence[Table], new: Sequence[Table], decided: Mapping[TableName, TableName]
) -> dict[TableName, TableName]:
    """What is paired before any rule runs: decisions, then equal names that no decision uses."""
    taken = set(decided.values())
    here = {t.name for t in new} - taken
    return {t.name: t.name for t in old if t.name in here and t.name not in decided} | dict(decided)


def _proven(
    old: Sequence[Table], new: Sequence[Table], pairs: Mapping[TableName, TableName], context: RenameContext
) -> list[TablePair]:
    taken = set(pairs.values())
    lost, fresh = (
        {t.name: t for t in old if t.name not in pairs},
        {t.name: t for t in new if t.name not in taken},
    )
    found = _by_lineage(lost, fresh, context)
    rules = [(NameRule(), "names are equal but for case and separators")]
    if context.convention is not None and context.convention.tables is not None:
        rules.append((context.convention.tables, context.convention.evidence[0]))
    for rule, evidence in rules:
        for schema_old, schema_new in _schemas(old, new, pairs):
            left = [n.name for n in lost if n.schema == schema_old]
            right = [n.name for n in fresh if n.schema == schema_new]
            for a, b in unique_pairs(left, right, rule.old_key, rule.new_key):
                before, after = TableName(schema_old, a), TableName(schema_new, b)
                if (
                    not token_vetoes(a, b)
                    and _overlap(lost[before], fresh[after], context) >= PROVING_OVERLAP
                ):
                    found.append(TablePair(before, after, Pairing.RULE, evidence=(evidence,)))
                    del lost[before], fresh[after]
    return found


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
    """Schemas that correspond: of the same name, seen in a known pair, or the only one on each side."""
    left, right = {t.name.schema for t in old}, {t.name.schema for t in new}
    known = {(a.schema, b.schema) for a, b in pairs.items()} | {(s, s) for s in left & right}
    if len(left) == 1 and len(right) == 1:
        known |= {(a, b) for a in left for b in right}
    return sorted(known)


def _overlap(old: Table, new: Table, context: RenameContext) -> float:
    rule = (
        context.convention.columns
        if context.convention is not None and context.convention.columns is not None
        else NameRule()
    )
    here, there = own_prefixes(old), own_prefixes(new)
    left, right = (
        {rule.old_key(c.name, here) for c in old.columns},
        {rule.new_key(c.name, there) for c in new.columns},
    )
    return len(left & right) / (min(len(left), len(right)) or 1)


def weighed(
    scene: TableScene,
    old: Sequence[Table],
    new: Sequence[Table],
    pairs: Mapping[TableName, TableName],
    weights: Mapping[str, float] = TABLES,
) -> tuple[Links, dict[tuple[int, int], dict[str, float]]]:
    """The features of every pair worth weighing, by the tables' places in the scene.

    Weighed twice: what is likely the first time (foreign keys that lead there, words that changed alike) speaks for others the second time.
    """
    links = make_links(old, new, pairs)
    places = worth_weighing(scene, links.repointed)
    own = {(i, j): own_features(scene, scene.olds[i], scene.news[j]) for i, j in places}
    first = {place: probability(features, weights) for place, features in _linked(scene, links, own).items()}
    likely = {scene.olds[c.row].name: scene.news[c.column].name for c in choose(first, PROVISIONAL)}
    links = make_links(old, new, {**pairs, **likely})
    return links, _linked(scene, links, own)


def _linked(
    scene: TableScene, links: Links, own: Mapping[tuple[int, int], dict[str, float]]
) -> dict[tuple[int, int], dict[str, float]]:
    return {
        (i, j): {**features, **link_features(links, scene.olds[i], scene.news[j])}
        for (i, j), features in own.items()
    }


def _proposals(
    old: Sequence[Table], new: Sequence[Table], pairs: Mapping[TableName, TableName]
) -> tuple[TableProposal, ...]:
    scene = make_table_scene(old, new, pairs)
    links, features = weighed(scene, old, new, pairs)
    olds, news = scene.olds, scene.news
    return tuple(
        TableProposal(
            olds[c.row].name,
            news[c.column].name,
            round(c.chance, 3),
            _describe(links, olds[c.row], news[c.column]),
            None if c.runner_up is None else news[c.runner_up].name,
        )
        for c in choose(
            {place: probability(values, TABLES) for place, values in features.items()}, TABLES_THRESHOLD
        )
    )


def _describe(links: Links, old: Table, new: Table) -> tuple[str, ...]:
    shared = {c.name for c in old.columns} & {c.name for c in new.columns}
    lines = [f"{len(shared)} of {len(old.columns)} columns have the same name in both"]
    moved = links.moved(old.name, new.name)
    if moved:
        keys = "a foreign key" if moved == 1 else f"{moved} foreign keys"
        lines.append(f"{keys} to {old.name} in OLD: to {new.name} in NEW")
    words = [word for word in dict.fromkeys(stems(old.name.name)) if word in stems(new.name.name)]
    if words:
        lines.append(f"names share {', '.join(words)}")
    lost, came = name_change(old.name, new.name)
    lines += [
        f"{a} and {b} are used for one another"
        for a in sorted(lost)
        for b in sorted(came)
        if synonymous(a, b)
    ]
    if links.changed_alike(old.name, new.name):
        lines.append(
            f"another table's name changes in the same way: {' '.join(sorted(lost)) or 'nothing'} → {' '.join(sorted(came)) or 'nothing'}"
        )
    return tuple(lines)
