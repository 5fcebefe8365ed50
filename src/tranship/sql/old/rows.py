"""What the data checks read from OLD: shipped texts with the row's id, rows found by joins, counts, and
whole rows for people.

Rows are named by their source's position in the plan and their id (``row_source.py``): each source is a heap
with ids of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from msgspec import Struct

from tranship.model.catalog import Table
from tranship.model.locator import Locator, Range
from tranship.model.plan import TablePlan
from tranship.model.progress import Batch
from tranship.sql.expression import compile_text, gap, gap_value
from tranship.sql.joins import Bindings, Joins, own_key
from tranship.sql.old.batch import in_range, key_terms
from tranship.sql.old.objects import object_and_rest
from tranship.sql.old.row_source import (
    TID,
    Part,
    RowSource,
    among,
    row_source,
    row_sources,
    without,
)
from tranship.sql.quote import literal


class TextColumns(Struct, frozen=True):
    """What is read of each row."""

    positions: Sequence[int]
    """Mappings of the plan whose shipped text is read."""
    gaps: Sequence[int]
    """Mappings and lookups whose missing value is read; NULL where the row lacks none."""
    bindings: Bindings
    """What NEW's lookup tables hold."""
    raw: bool
    """As bytea: OLD is SQL_ASCII, and its bytes may be no text in any encoding."""
    objects: Sequence[int] = ()
    """Mappings of ``positions`` whose texts come as one JSON object; empty: each text comes alone."""
    lengths: bool = False
    """In place of all that one column: the bytes of the shipped texts together."""


def select_texts(
    plan: TablePlan,
    old: Table,
    batch: Batch,
    texts: TextColumns,
    *,
    only: Sequence[str] | None = None,
    excluded: Sequence[Locator] = (),
) -> str:
    """Returns a query for id, shipped texts and missing values of a batch's rows.

    With ``only`` it reads just the rows that meet one of these predicates.
    """
    rows = row_source(plan, batch.source, batch.range)
    kept, chosen = without(rows, excluded), tuple[str, ...]()
    if only is not None:
        wanted = f"({' OR '.join(only) or 'false'})"
        # A predicate may raise for an excluded row, and only CASE says what comes first.
        chosen = (f"CASE WHEN {kept[0]} THEN {wanted} END" if kept else wanted,)
    joins = Joins(plan, old, texts.bindings)
    read = rows.read_joined((*in_range(batch.range, plan), *kept), joins, chosen)
    return f"SELECT {_listed(rows, joins, texts)}\n{read}"


def select_together(selects: Sequence[tuple[int, str]]) -> str:
    """Returns one query for several of :func:`select_texts`, each with the position of its source, which
    comes as the first column.
    """
    reads = (f"SELECT {source}::pg_catalog.int4, r.* FROM (\n{select}) AS r" for source, select in selects)
    return "\nUNION ALL\n".join(reads)


def select_texts_of(plan: TablePlan, old: Table, rows: Sequence[Locator], texts: TextColumns) -> str:
    """Returns the same query for chosen rows, at least one, of one source."""
    source = row_source(plan.unrestricted, rows[0].source)
    joins = Joins(plan, old, texts.bindings)
    return f"SELECT {_listed(source, joins, texts)}\n{source.read_joined((among(source, rows),), joins)}"


def _listed(rows: RowSource, joins: Joins, texts: TextColumns) -> str:
    """Returns the list of id, shipped texts and missing values; or the bytes of all texts."""
    columns = [compile_text(joins.plan, n, joins.old) for n in texts.positions]
    if texts.lengths:
        lengths = (f"COALESCE(pg_catalog.octet_length({column}), 0)" for column in columns)
        return " + ".join(["0::pg_catalog.int8", *lengths])
    columns += [_missing_value(joins.plan, n, joins.old) for n in texts.gaps]
    if texts.objects:
        columns = object_and_rest(dict(zip(texts.positions, columns, strict=False)), texts.objects)
    if texts.raw:
        columns = [f"pg_catalog.convert_to({column}, 'SQL_ASCII')" for column in columns]
    return ", ".join([rows.id, *columns])


def _missing_value(plan: TablePlan, position: int, old: Table) -> str:
    missing = gap(plan, position, old)
    if missing is None:
        return "CAST(NULL AS pg_catalog.text)"
    return f"CASE WHEN {missing} THEN {gap_value(plan.columns[position])} END"


def duplicates(plan: TablePlan, keys: Sequence[str], *, nulls_not_distinct: bool) -> str:
    """Returns a query for the rows that share a key with another row: source position, id, key.

    ``keys`` are SQL of canonical texts over ``old``. Read once and MATERIALIZED, because the rows are grouped
    and joined.
    """
    known = () if nulls_not_distinct else (" AND ".join(f"({key}) IS NOT NULL" for key in keys),)
    key = f"pg_catalog.json_build_array({', '.join(keys)})::pg_catalog.text AS k"
    return f"""
        WITH read AS MATERIALIZED ({_everywhere(plan, key, known)}),
        shared AS (SELECT k FROM read GROUP BY k HAVING pg_catalog.count(*) > 1)
        SELECT read.source, read.id, read.k FROM read JOIN shared ON shared.k = read.k
    """


def in_key_order(plan: TablePlan, old: Table, rows: Sequence[Locator]) -> str:
    """Returns a query that puts chosen rows of any sources into OLD key order: source position, id."""
    wanted: dict[int, list[Locator]] = {}
    for row in rows:
        wanted.setdefault(row.source, []).append(row)
    keys = key_terms(plan, old)
    named = "".join(f", {term} AS o{n}" for n, term in enumerate(keys))
    reads = []
    for number, chosen in sorted(wanted.items()):
        source = row_source(plan.unrestricted, number)
        read = source.read([among(source, chosen)])
        reads.append(f"SELECT {number} AS source, {source.id} AS id{named} {read}")
    order = ", ".join([*(f"o{n}" for n in range(len(keys))), "source", "id"])
    return f"SELECT source, id FROM ({' UNION ALL '.join(reads)}) AS r ORDER BY {order}"


def own_keys(plan: TablePlan, rows: Sequence[Locator], columns: Sequence[str]) -> str:
    """Returns a query for chosen rows, at least one, of one source: id, and their key in some columns."""
    source = row_source(plan, rows[0].source)
    return f"SELECT {source.id}, {own_key(columns)} {source.read((among(source, rows),))}"


class End(Struct, frozen=True):
    """One end of a foreign key of NEW, as OLD computes its rows."""

    plan: TablePlan
    expressions: tuple[str, ...]
    """Per key column the SQL over ``old`` of its canonical text, or of its value."""
    operators: tuple[str, ...] = ()
    """Per key column what compares it with a child's expression; empty: the ``=`` of ``pg_catalog``."""


def orphans(child: End, parents: Sequence[tuple[tuple[str, ...], End, Collection[Locator]]]) -> str:
    """Returns a query for the rows of the child without a parent among the rows that are copied: source
    position, id.

    ``parents`` holds, for each plan that fills the parent table, the child's expressions to compare that
    plan's key with, its end of the key, and its rows that are rejected and so are nobody's parent.
    """
    conditions = [f"({e}) IS NOT NULL" for e in child.expressions]
    for compared, parent, gone in parents:
        conditions.append(_none(compared, parent, gone))
    return _everywhere(child.plan, None, conditions)


def children(child: End, compared: tuple[str, ...], parent: End, rows: Collection[Locator]) -> str:
    """Returns a query for the rows of the child that refer to one of the given rows of the parent: source
    position, id.
    """
    conditions = [f"({e}) IS NOT NULL" for e in child.expressions]
    conditions.append(
        f"EXISTS (SELECT FROM ({_ends(parent, only=rows)}) AS parent WHERE {_same(compared, parent)})"
    )
    return _everywhere(child.plan, None, conditions)


def orphaned(child: End, parents: Sequence[tuple[tuple[str, ...], End, Collection[Locator]]]) -> str:
    """Returns a query for the rows of the child that refer to rejected rows alone: source position, id.

    ``parents`` as in :func:`orphans`. A row that a surviving row of OLD is the parent of, too, is left:
    without a unique key in OLD several rows may share a key, and one of them suffices.
    """
    conditions = [f"({e}) IS NOT NULL" for e in child.expressions]
    lost = [
        f"EXISTS (SELECT FROM ({_ends(parent, only=gone)}) AS parent WHERE {_same(compared, parent)})"
        for compared, parent, gone in parents
        if gone
    ]
    conditions.append(f"({' OR '.join(lost)})")
    conditions += [_none(compared, parent, gone) for compared, parent, gone in parents]
    return _everywhere(child.plan, None, conditions)


def children_of_keys(child: End) -> str:
    """Returns a query for the rows of the child that refer to one of the keys in $1 (``text[]``): source
    position, id. A key is a JSON array of the child's expressions, as text.
    """
    written = f"CAST(pg_catalog.json_build_array({', '.join(child.expressions)}) AS pg_catalog.text)"
    return _everywhere(child.plan, None, [f"{written} = ANY ($1::pg_catalog.text[])"])


def families(child: End, compared: tuple[str, ...], parent: End) -> str:
    """Returns a query for every child with its parent: source position and ctid of the child, then of the
    parent.
    """
    named = ", ".join(f"{e} AS c{n}" for n, e in enumerate(compared))
    on = _same([f"child.c{n}" for n in range(len(compared))], parent)
    return f"""
        SELECT child.source, child.id, parent.source, parent.id
        FROM ({_everywhere(child.plan, named, ())}) AS child JOIN ({_ends(parent)}) AS parent ON {on}
    """


def _none(compared: Sequence[str], parent: End, gone: Collection[Locator]) -> str:
    """Returns a condition: no row of the parent's end is the parent, rejected ones apart."""
    rows = _ends(parent, rejected=gone)
    return f"NOT EXISTS (SELECT FROM ({rows}) AS parent WHERE {_same(compared, parent)})"


def _same(compared: Sequence[str], parent: End) -> str:
    operators = parent.operators or ("OPERATOR(pg_catalog.=)",) * len(compared)
    pairs = zip(operators, compared, strict=True)
    return " AND ".join(f"parent.k{n} {operator} {e}" for n, (operator, e) in enumerate(pairs))


def _ends(end: End, *, rejected: Collection[Locator] = (), only: Collection[Locator] | None = None) -> str:
    """Returns a SELECT over the parent's rows: source position, id, and the key columns ``k0``, ``k1`` …"""
    named = ", ".join(f"{e} AS k{n}" for n, e in enumerate(end.expressions))
    sources = row_sources(end.plan if only is None else end.plan.unrestricted)

    def of_source(rows: Collection[Locator], number: int) -> Collection[Locator]:
        return rows if len(sources) == 1 else [row for row in rows if row.source == number]

    reads = []
    for number, source in sources:
        conditions = []
        if only is not None:
            chosen = of_source(only, number)
            if not chosen:
                continue
            conditions.append(among(source, chosen))
        conditions += without(source, of_source(rejected, number))
        reads.append(f"SELECT {number} AS source, {source.id} AS id, {named} {source.read(conditions)}")
    return " UNION ALL ".join(reads)


def holders(plan: TablePlan, key: str) -> str:
    """Returns a query for the rows of OLD that have one of the canonical keys in $1 (``text[]``): key, source
    position, id.
    """
    wanted = f"JOIN pg_catalog.unnest($1::pg_catalog.text[]) AS wanted(k) ON wanted.k = {key}"
    reads = [
        f"SELECT wanted.k, {number}, {rows.id} {rows.read(joins=f' {wanted}')}"
        for number, rows in row_sources(plan)
    ]
    return " UNION ALL ".join(reads)


class Remainder(NamedTuple):
    """The rows of a range of one source without some of them."""

    range: Range
    gone: Sequence[Locator]

    def read(self, plan: TablePlan, *conditions: str) -> str:
        """Returns FROM and WHERE of the rows that meet these conditions, too."""
        rows = row_source(plan, self.range.source, self.range)
        return rows.read((*in_range(self.range, plan), *without(rows, self.gone), *conditions))


def count_where(plan: TablePlan, predicates: Sequence[str], parts: Sequence[Remainder]) -> str:
    """Returns a query with one row: how many rows of some parts meet each predicate."""
    counted = ", ".join(f"pg_catalog.count(*) FILTER (WHERE {p}) AS n{n}" for n, p in enumerate(predicates))
    reads = [f"SELECT {counted} {part.read(plan)}" for part in parts]
    summed = ", ".join(f"COALESCE(pg_catalog.sum(n{n}), 0)::pg_catalog.int8" for n in range(len(predicates)))
    return f"SELECT {summed} FROM ({' UNION ALL '.join(reads)}) AS r"


def rows_where(plan: TablePlan, predicate: str, parts: Sequence[Remainder]) -> str:
    """Returns a query for the rows of some parts that meet a predicate: source position, id."""
    ids = [row_source(plan, part.range.source, part.range).id for part in parts]
    return " UNION ALL ".join(
        f"SELECT {part.range.source}, {id_} {part.read(plan, predicate)}"
        for id_, part in zip(ids, parts, strict=True)
    )


def chosen_rows(plan: TablePlan, rows: Sequence[Locator]) -> str:
    """Returns FROM and WHERE of chosen rows, at least one, of one source."""
    source = row_source(plan.unrestricted, rows[0].source)
    return source.read((among(source, rows),))


def which_of(plan: TablePlan, rows: Sequence[Locator], conditions: Sequence[str]) -> str:
    """Returns a query for the ids, as texts, of those of chosen rows of one source that meet conditions."""
    source = row_source(plan.unrestricted, rows[0].source)
    return f"SELECT {source.id_text} AS id {source.read((among(source, rows), *conditions))}"


def raising_rows(joins: Joins, source: int, read: str, positions: Sequence[int]) -> str:
    """Returns a DO statement for OLD that finds the rows of a source for which computing a mapping raises;
    ``read`` is FROM and WHERE of the rows that are tried.

    A person's expression may raise, or a conversion at the edge of its range. The statement computes the
    mappings at ``positions`` row by row and leaves ``[[id, position, SQLSTATE, message], …]`` as JSON in
    the setting ``tranship.answer``. Errors that do not speak of the row's value end it: only the classes 21
    (cardinality), 22 (data), 23 (constraint) and P0 (PL/pgSQL) are caught.
    """
    rows = row_source(joins.plan.unrestricted, source)
    names = ["tranship_row", *(f"tranship_row_{n}" for n in range(1, len(rows.parts)))]
    this_row = [f"{part.value} = {name}" for part, name in zip(rows.parts, names, strict=True)]
    values = [(n, compile_text(joins.plan, n, joins.old)) for n in positions]
    tries = "\n".join(
        f"tranship_at := {n}; PERFORM {value} {rows.read(this_row, joins.of(n))};" for n, value in values
    )
    block = _RAISING.format(
        declared="\n  ".join(f"{name} {part.type};" for name, part in zip(names, rows.parts, strict=True)),
        row=", ".join(names),
        ids=rows.order,
        rows=read,
        text=_row_text(names, rows.parts),
        tries=tries,
    )
    return f"DO LANGUAGE plpgsql {literal(block)}"


def _row_text(names: Sequence[str], parts: Sequence[Part]) -> str:
    """Returns SQL for the id of the row in these variables, as ``RowSource.id_text`` writes it."""
    texts = [f"CAST({name} AS pg_catalog.text)" for name in names]
    return (" || '#' || " if parts[0].type == TID else " || '.' || ").join(texts)


_RAISING = """
#variable_conflict use_column
DECLARE
  {declared}
  tranship_at pg_catalog.int4;
  tranship_answers pg_catalog.text[] := '{{}}';
BEGIN
  FOR {row} IN SELECT {ids} {rows} LOOP
    BEGIN
      {tries}
    EXCEPTION WHEN OTHERS THEN
      IF pg_catalog.left(SQLSTATE, 2) NOT IN ('21', '22', '23', 'P0') THEN RAISE; END IF;
      tranship_answers := pg_catalog.array_append(tranship_answers,
        CAST(pg_catalog.json_build_array(
          {text}, tranship_at, SQLSTATE, SQLERRM) AS pg_catalog.text));
    END;
  END LOOP;
  PERFORM pg_catalog.set_config('tranship.answer',
    '[' || pg_catalog.array_to_string(tranship_answers, ',') || ']', true);
END
"""


def _everywhere(plan: TablePlan, shown: str | None, conditions: Sequence[str]) -> str:
    """Returns a SELECT over the rows of all sources that meet the conditions: source position, id, and what
    ``shown`` lists.
    """
    more = f", {shown}" if shown else ""
    return " UNION ALL ".join(
        f"SELECT {number} AS source, {rows.id} AS id{more} {rows.read(conditions)}"
        for number, rows in row_sources(plan)
    )
