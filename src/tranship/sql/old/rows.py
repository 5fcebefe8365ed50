"""What asking reads from OLD: shipped texts with the row's ctid, candidates found set-based, losses, and whole rows for people."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from tranship.model.catalog import Column, Table
from tranship.model.locator import Locator
from tranship.model.plan import Source, TablePlan
from tranship.model.progress import Batch
from tranship.sql.expression import Bindings, compile_text, gap, gap_value, lookup_joins
from tranship.sql.old.batch import among as some
from tranship.sql.old.batch import from_source, in_batch, in_source, where
from tranship.sql.old.batch import without as but
from tranship.sql.quote import ident, literal


def select_texts(
    plan: TablePlan,
    old: Table,
    batch: Batch,
    positions: Sequence[int],
    gaps: Sequence[int],
    bindings: Bindings,
    *,
    only: Sequence[str] | None = None,
    excluded: Sequence[Locator] = (),
    raw: bool,
) -> str:
    """ctid, the shipped text of some mappings, then the missing value (or NULL) of some gaps, for a batch.

    ``only``: just the rows that meet one of these predicates. ``raw``: OLD is SQL_ASCII and its text may be no text at all: values come as
    bytea.
    """
    chosen = (f"({' OR '.join(only)})",) if only is not None else ()
    conditions = (*in_batch(plan, batch), *but(excluded), *chosen)
    return _texts(plan, old, plan.sources[batch.source], conditions, positions, gaps, bindings, raw)


def select_texts_of(
    plan: TablePlan,
    old: Table,
    rows: Sequence[Locator],
    positions: Sequence[int],
    gaps: Sequence[int],
    bindings: Bindings,
    *,
    raw: bool,
) -> str:
    """The same for chosen rows of one source."""
    source = plan.sources[rows[0].source]
    return _texts(plan, old, source, (*in_source(source), some(rows)), positions, gaps, bindings, raw)


def _texts(
    plan: TablePlan,
    old: Table,
    source: Source,
    conditions: Sequence[str],
    positions: Sequence[int],
    gaps: Sequence[int],
    bindings: Bindings,
    raw: bool,
) -> str:
    columns = [compile_text(plan, n, old) for n in positions]
    for n in gaps:
        missing = gap(plan, n, old)
        columns.append(
            f"CASE WHEN {missing} THEN {gap_value(plan.columns[n])} END"
            if missing
            else "CAST(NULL AS pg_catalog.text)"
        )
    if raw:
        columns = [f"pg_catalog.convert_to({column}, 'SQL_ASCII')" for column in columns]
    listed = ", ".join(["old.ctid", *columns])
    return f"SELECT {listed}\n{from_source(source)}{lookup_joins(plan, old, bindings)}{where(conditions)}"


def duplicates(plan: TablePlan, keys: Sequence[str], *, nulls_not_distinct: bool) -> str:
    """Rows that share a key of canonical texts with another row: source position, ctid, key."""
    known = "" if nulls_not_distinct else " AND ".join(f"({key}) IS NOT NULL" for key in keys)
    read = _everywhere(
        plan,
        f"pg_catalog.json_build_array({', '.join(keys)})::pg_catalog.text AS k",
        (known,) if known else (),
    )
    return (
        f"WITH read AS MATERIALIZED ({read}), shared AS (SELECT k FROM read GROUP BY k HAVING pg_catalog.count(*) > 1)\n"
        "SELECT read.source, read.id, read.k FROM read JOIN shared ON shared.k = read.k"
    )


def in_key_order(plan: TablePlan, old: Table, rows: Sequence[Locator]) -> str:
    """Chosen rows (of any sources) in OLD key order: source position, ctid."""
    wanted: dict[int, list[Locator]] = {}
    for row in rows:
        wanted.setdefault(row.source, []).append(row)
    keys = _order_terms(plan, old)
    named = ", ".join(["old.ctid AS id", *(f"{term} AS o{n}" for n, term in enumerate(keys))])
    reads = [
        f"SELECT {number} AS source, {named} {from_source(plan.sources[number])}{where((*in_source(plan.sources[number]), some(chosen)))}"
        for number, chosen in sorted(wanted.items())
    ]
    order = ", ".join([*(f"o{n}" for n in range(len(keys))), "source", "id"])
    return f"SELECT source, id FROM ({' UNION ALL '.join(reads)}) AS r ORDER BY {order}"


def _order_terms(plan: TablePlan, old: Table) -> list[str]:
    terms = []
    for name in plan.key:
        column = old.column(name)
        string = column is not None and column.type.leaf.category == "S"
        terms.append(f"old.{ident(name)}" + (' COLLATE pg_catalog."C"' if string else ""))
    return terms


class End(Struct, frozen=True):
    """One end of a foreign key as OLD computes it: per key column an expression over ``old``."""

    plan: TablePlan
    expressions: tuple[str, ...]


def orphans(child: End, parents: Sequence[tuple[tuple[str, ...], End, Sequence[Locator]]]) -> str:
    """Rows of the child that no row of the parents becomes the parent of: source position, ctid.

    Per parent plan: the child's expressions as that parent is compared with, its end, and its rows that do not count.
    """
    conditions = [f"({e}) IS NOT NULL" for e in child.expressions]
    for compared, parent, gone in parents:
        conditions.append(
            f"NOT EXISTS (SELECT FROM ({_ends(parent, without=gone)}) AS parent WHERE {_same(compared)})"
        )
    return _everywhere(child.plan, None, conditions)


def children(child: End, compared: tuple[str, ...], parent: End, rows: Sequence[Locator]) -> str:
    """Rows of the child that refer to one of the given rows of the parent: source position, ctid."""
    conditions = [f"({e}) IS NOT NULL" for e in child.expressions]
    conditions.append(f"EXISTS (SELECT FROM ({_ends(parent, among=rows)}) AS parent WHERE {_same(compared)})")
    return _everywhere(child.plan, None, conditions)


def families(child: End, compared: tuple[str, ...], parent: End) -> str:
    """Every child with its parent: source position and ctid of both."""
    named = ", ".join(f"{e} AS c{n}" for n, e in enumerate(compared))
    on = " AND ".join(f"parent.k{n} OPERATOR(pg_catalog.=) child.c{n}" for n in range(len(compared)))
    return (
        "SELECT child.source, child.id, parent.source, parent.id"
        f" FROM ({_everywhere(child.plan, named, ())}) AS child JOIN ({_ends(parent)}) AS parent ON {on}"
    )


def _same(compared: Sequence[str]) -> str:
    return " AND ".join(f"parent.k{n} OPERATOR(pg_catalog.=) {e}" for n, e in enumerate(compared))


def _ends(end: End, *, without: Sequence[Locator] = (), among: Sequence[Locator] | None = None) -> str:
    """The parent's rows with their key, sources told apart."""
    named = ", ".join(f"{e} AS k{n}" for n, e in enumerate(end.expressions))
    reads = []
    for number, source in enumerate(end.plan.sources):
        conditions = list(in_source(source))
        if among is not None:
            chosen = [r for r in among if r.source == number]
            if not chosen:
                continue
            conditions.append(some(chosen))
        conditions += but([r for r in without if r.source == number])
        reads.append(
            f"SELECT {number} AS source, old.ctid AS id, {named} {from_source(source)}{where(conditions)}"
        )
    return " UNION ALL ".join(reads)


def holders(plan: TablePlan, key: str) -> str:
    """Rows of OLD that become a row with one of the canonical keys $1: key, source position, ctid."""
    reads = [
        f"SELECT wanted.k, {number}, old.ctid {from_source(source)}"
        f" JOIN pg_catalog.unnest($1::pg_catalog.text[]) AS wanted(k) ON wanted.k = {key}{where(in_source(source))}"
        for number, source in enumerate(plan.sources)
    ]
    return " UNION ALL ".join(reads)


def count_where(plan: TablePlan, predicates: Sequence[str], rejected: Sequence[Locator]) -> str:
    """How many rows meet each predicate, rejected ones left out (an expression may raise for them)."""
    counted = ", ".join(f"pg_catalog.count(*) FILTER (WHERE {p}) AS n{n}" for n, p in enumerate(predicates))
    reads = []
    for number, source in enumerate(plan.sources):
        conditions = (*in_source(source), *but([r for r in rejected if r.source == number]))
        reads.append(f"SELECT {counted} {from_source(source)}{where(conditions)}")
    summed = ", ".join(f"COALESCE(pg_catalog.sum(n{n}), 0)::pg_catalog.int8" for n in range(len(predicates)))
    return f"SELECT {summed} FROM ({' UNION ALL '.join(reads)}) AS r"


def raising_rows(
    plan: TablePlan, old: Table, batch: Batch, positions: Sequence[int], bindings: Bindings
) -> str:
    """A DO statement for OLD: computes some mappings row by row and leaves ``[[ctid, position, SQLSTATE, message], …]`` of the rows for
    which a person's expression (or a conversion at the edge of its range) raises in the setting ``tranship.answer``.
    """
    source = plan.sources[batch.source]
    heap = f"{from_source(source)}{lookup_joins(plan, old, bindings)}"
    tries = "\n".join(
        f"tranship_at := {n}; PERFORM {compile_text(plan, n, old)} {heap}{where((*in_source(source), 'old.ctid = tranship_row'))};"
        for n in positions
    )
    body = f"""
#variable_conflict use_column
DECLARE tranship_row pg_catalog.tid; tranship_at pg_catalog.int4; tranship_answers pg_catalog.text[] := '{{}}';
BEGIN
  FOR tranship_row IN SELECT old.ctid {from_source(source)}{where(in_batch(plan, batch))} LOOP
    BEGIN
      {tries}
    EXCEPTION WHEN OTHERS THEN
      IF pg_catalog.left(SQLSTATE, 2) NOT IN ('21', '22', '23', 'P0') THEN RAISE; END IF;
      tranship_answers := pg_catalog.array_append(tranship_answers,
        CAST(pg_catalog.json_build_array(CAST(tranship_row AS pg_catalog.text), tranship_at, SQLSTATE, SQLERRM) AS pg_catalog.text));
    END;
  END LOOP;
  PERFORM pg_catalog.set_config('tranship.answer', '[' || pg_catalog.array_to_string(tranship_answers, ',') || ']', true);
END
"""
    return f"DO LANGUAGE plpgsql {literal(body)}"


def kept_columns(old: Table) -> tuple[Column, ...]:
    """Of a whole row: without what the server computes from the others when it is read, which may raise."""
    return tuple(column for column in old.columns if not column.computed_when_read)


def whole_rows(plan: TablePlan, old: Table, rows: Sequence[Locator], *, raw: bool, whole: bool = True) -> str:
    """ctid, key as JSON object (or NULL) and the whole row as JSON, of chosen rows of one source.

    ``whole``: False leaves the row out. ``raw``: each column's JSON comes by itself as bytea instead, in column order: OLD is SQL_ASCII
    and may hold bytes that are no text.
    """
    source = plan.sources[rows[0].source]
    heap = f"{from_source(source)}{where((*in_source(source), some(rows)))}"
    kept = kept_columns(old)
    if raw:
        texts = (f"CAST(pg_catalog.to_json(old.{ident(c.name)}) AS pg_catalog.text)" for c in kept)
        values = ", ".join(f"pg_catalog.convert_to({text}, 'SQL_ASCII')" for text in texts)
        return f"SELECT old.ctid, ARRAY[{values}]::pg_catalog.bytea[] {heap}"
    names = tuple(c.name for c in kept)
    row = (_object(names) if names else "'{}'::pg_catalog.text") if whole else "''::pg_catalog.text"
    return f"SELECT old.ctid, {_object(plan.key)}, {row} {heap}"


def _object(columns: Sequence[str]) -> str:
    """Columns as one JSON object, from an array: a function takes no more than 100 arguments, and a chain of 1,600 || exceeds the stack."""
    if not columns:
        return "NULL::pg_catalog.text"
    pairs = [
        f"{literal(_json_name(c))} || COALESCE(CAST(pg_catalog.to_json(old.{ident(c)}) AS pg_catalog.text), 'null')"
        for c in columns
    ]
    return f"'{{' || pg_catalog.array_to_string(ARRAY[{', '.join(pairs)}], ', ') || '}}'"


def _json_name(name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c >= " " else f"\\u{ord(c):04x}" for c in escaped) + '": '


def _everywhere(plan: TablePlan, shown: str | None, conditions: Sequence[str]) -> str:
    """Source position, ctid (and more) of all rows of a plan's sources that meet the conditions."""
    more = f", {shown}" if shown else ""
    return " UNION ALL ".join(
        f"SELECT {number} AS source, old.ctid AS id{more} {from_source(source)}{where((*in_source(source), *conditions))}"
        for number, source in enumerate(plan.sources)
    )
