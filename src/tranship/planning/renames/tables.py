"""Table renames: what proves itself first, then what is worth asking."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from tranship.model.catalog import Table
from tranship.model.change import Pairing, TablePair, TableProposal
from tranship.model.names import TableName
from tranship.planning.renames.assign import assign
from tranship.planning.renames.context import RenameContext, TableRenames
from tranship.planning.renames.convention import NameRule, unique_pairs
from tranship.planning.renames.lineage import same_relation
from tranship.planning.renames.overlap import TableScene, make_table_scene, table_features
from tranship.planning.renames.score import TABLE_THRESHOLD, TABLE_WEIGHTS, probability
from tranship.planning.renames.tokens import folded, stems
from tranship.planning.renames.vetoes import token_vetoes

ALL_PAIRS = 20_000
"""Up to this many pairs every old table is compared with every new one; beyond, only those that share something telling."""
COMMON = 50
"""A column name in more tables than this leads to no candidates."""
PROVING_OVERLAP = 0.5
"""Share of the smaller table's columns that must be there under the same name before a table's name proves anything."""


def table_renames(old: Sequence[Table], new: Sequence[Table], *, context: RenameContext) -> TableRenames:
    """Renamed tables between two schemas.

    ``old`` and ``new`` are all tables of both sides; those with equal names and those in ``context.table_pairs`` are already paired.
    """
    here = {t.name for t in new}
    pairs = {t.name: t.name for t in old if t.name in here} | dict(context.table_pairs)
    found = _proven(old, new, pairs, context)
    pairs |= {p.old: p.new for p in found}
    scene = make_table_scene(old, new, pairs)
    return TableRenames(tuple(found), _proposals(scene))


def _proven(old: Sequence[Table], new: Sequence[Table], pairs: Mapping[TableName, TableName], context: RenameContext) -> list[TablePair]:
    taken = set(pairs.values())
    lost, fresh = {t.name: t for t in old if t.name not in pairs}, {t.name: t for t in new if t.name not in taken}
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
                if not any(True for _ in token_vetoes(a, b)) and _overlap(lost[before], fresh[after], context) >= PROVING_OVERLAP:
                    found.append(TablePair(before, after, Pairing.RULE, evidence=(evidence,)))
                    del lost[before], fresh[after]
    return found


def _by_lineage(lost: dict[TableName, Table], fresh: dict[TableName, Table], context: RenameContext) -> list[TablePair]:
    by_oid = {t.oid: t for t in fresh.values()}
    found = []
    for table in list(lost.values()):
        partner = by_oid.get(table.oid)
        if partner is not None and same_relation(table, partner, context.shared_ancestor):
            found.append(TablePair(table.name, partner.name, Pairing.LINEAGE, evidence=("same physical table",)))
            del lost[table.name], fresh[partner.name]
    return found


def _schemas(old: Sequence[Table], new: Sequence[Table], pairs: Mapping[TableName, TableName]) -> list[tuple[str, str]]:
    """Schemas that correspond: of the same name, seen in a known pair, or the only one on each side."""
    left, right = {t.name.schema for t in old}, {t.name.schema for t in new}
    known = {(a.schema, b.schema) for a, b in pairs.items()} | {(s, s) for s in left & right}
    if len(left) == 1 and len(right) == 1:
        known |= {(a, b) for a in left for b in right}
    return sorted(known)


def _overlap(old: Table, new: Table, context: RenameContext) -> float:
    rule = context.convention.columns if context.convention is not None and context.convention.columns is not None else NameRule()
    left = {rule.old_key(c.name, old.name.name) for c in old.columns}
    right = {rule.new_key(c.name, new.name.name) for c in new.columns}
    return len(left & right) / (min(len(left), len(right)) or 1)


def table_chances(scene: TableScene) -> dict[tuple[int, int], float]:
    """The probability of every candidate pair, by the tables' places in the scene."""
    return {(i, j): probability(table_features(scene, scene.olds[i], scene.news[j]), TABLE_WEIGHTS) for i, j in candidates(scene)}


def candidates(scene: TableScene) -> list[tuple[int, int]]:
    """Pairs worth a look: all where there are few, else those that share a telling column, a word of the name or a referrer."""
    if len(scene.olds) * len(scene.news) <= ALL_PAIRS:
        return [(i, j) for i in range(len(scene.olds)) for j in range(len(scene.news))]
    index: dict[str, list[int]] = {}
    for j, table in enumerate(scene.news):
        for mark in _marks(table):
            index.setdefault(mark, []).append(j)
    place = {t.name: j for j, t in enumerate(scene.news)}
    found: set[tuple[int, int]] = set()
    for i, table in enumerate(scene.olds):
        for mark in _marks(table):
            hits = index.get(mark, [])
            if len(hits) <= COMMON:
                found.update((i, j) for j in hits)
    row = {t.name: i for i, t in enumerate(scene.olds)}
    found.update((row[a], place[b]) for a, b in scene.repointed if a in row and b in place)
    return sorted(found)


def _marks(table: Table) -> set[str]:
    return {f"column {folded(c.name)}" for c in table.columns} | {f"word {w}" for w in stems(table.name.name)}


def _proposals(scene: TableScene) -> tuple[TableProposal, ...]:
    chances = table_chances(scene)
    weights = {pair: _log_odds(chance) - _log_odds(TABLE_THRESHOLD) for pair, chance in chances.items()}
    by_row: dict[int, list[tuple[float, int]]] = {}
    for (i, j), chance in chances.items():
        by_row.setdefault(i, []).append((chance, -j))
    proposals = []
    for i, j in assign(weights):
        before, after = scene.olds[i], scene.news[j]
        others = [entry for entry in by_row[i] if entry[1] != -j]
        runner = scene.news[-max(others)[1]].name if others else None
        proposals.append(TableProposal(before.name, after.name, round(chances[i, j], 3), _describe(scene, before, after), runner))
    return tuple(proposals)


def _describe(scene: TableScene, old: Table, new: Table) -> tuple[str, ...]:
    shared = {c.name for c in old.columns} & {c.name for c in new.columns}
    lines = [f"{len(shared)} of {len(old.columns)} columns have the same name in both"]
    moved = scene.repointed.get((old.name, new.name), 0)
    if moved:
        lines.append(f"{moved} foreign keys that pointed to {old.name} point to {new.name}")
    words = [word for word in dict.fromkeys(stems(old.name.name)) if word in stems(new.name.name)]
    if words:
        lines.append(f"names share {', '.join(words)}")
    return tuple(lines)


def _log_odds(chance: float) -> float:
    bounded = min(max(chance, 1e-9), 1 - 1e-9)
    return math.log(bounded / (1 - bounded))
