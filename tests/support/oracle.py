"""Judges where a disturbed migration ended: against the journal's equation, an undisturbed run,
and everything that must not have changed.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support import CliResult, Database, Pair
from support.scene import contents

MOVED = 1
"""The exit status of a complete run of the scene, which holds rows that NEW refuses."""
ENDS = (0, MOVED, 2, 4)
"""What a disturbed command that was not killed may say: complete (0: already so), trouble before the start,
stopped and resumable.
"""
AT_ONCE = (130, 143)
"""Of a command that was interrupted before its first batch: there is nothing to end in order."""

_PUBLIC = "'public'::regnamespace"
CATALOG = f"""
SELECT 'class', c.relname::text, concat_ws(' ', c.relkind, c.relpersistence, c.relowner::regrole,
    c.reloptions::text, c.relacl::text,
  c.relrowsecurity, c.relforcerowsecurity, c.relreplident, c.relispartition, a.amname, ts.spcname,
      pg_get_expr(c.relpartbound, c.oid),
  obj_description(c.oid, 'pg_class'))
  FROM pg_class c LEFT JOIN pg_am a ON a.oid = c.relam LEFT JOIN pg_tablespace ts ON ts.oid = c.reltablespace
      WHERE c.relnamespace = {_PUBLIC}
UNION ALL SELECT 'trigger', concat_ws('.', c.relname, t.tgname),
    concat_ws(' ', t.tgenabled, t.tgdeferrable, t.tginitdeferred,
  pg_get_triggerdef(t.oid), obj_description(t.oid, 'pg_trigger'))
  FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE NOT t.tgisinternal
      AND c.relnamespace = {_PUBLIC}
UNION ALL SELECT 'key trigger', c.relname::text,
    concat_ws(' ', t.tgenabled, t.tgfoid::regproc, t.tgdeferrable, t.tginitdeferred, count(*))
  FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE t.tgisinternal AND c.relnamespace = {_PUBLIC}
  GROUP BY c.relname, t.tgenabled, t.tgfoid, t.tgdeferrable, t.tginitdeferred
UNION ALL SELECT 'constraint', concat_ws('.', k.conrelid::regclass, k.conname),
    concat_ws(' ', k.contype, k.convalidated, k.condeferrable,
  k.condeferred, k.conislocal, k.coninhcount, k.connoinherit, k.conindid::regclass,
      pg_get_constraintdef(k.oid),
  obj_description(k.oid, 'pg_constraint'))
  FROM pg_constraint k WHERE k.connamespace = {_PUBLIC}
UNION ALL SELECT 'index', i.indexrelid::regclass::text,
    concat_ws(' ', i.indisvalid, i.indisready, i.indislive, i.indisunique, i.indisprimary,
  i.indimmediate, i.indisexclusion, i.indisclustered, i.indisreplident, pg_get_indexdef(i.indexrelid),
      c.relowner::regrole,
  (SELECT string_agg(concat_ws(':', a.attnum, a.attname, a.attstattarget, a.attoptions::text),
      ',' ORDER BY a.attnum) FROM pg_attribute a
    WHERE a.attrelid = i.indexrelid),
  (SELECT string_agg(concat_ws(':', d.deptype, pg_describe_object(d.refclassid, d.refobjid, d.refobjsubid)),
      ',' ORDER BY d.deptype,
    pg_describe_object(d.refclassid, d.refobjid, d.refobjsubid)) FROM pg_depend d
        WHERE d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid))
  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relnamespace = {_PUBLIC}
UNION ALL SELECT 'column', c.relname || '.' || a.attname,
    concat_ws(' ', a.attnum, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity,
  a.attgenerated, a.attstorage, a.attstattarget, a.attcollation::regcollation, a.attoptions::text,
      a.attacl::text, pg_get_expr(d.adbin, d.adrelid),
  col_description(c.oid, a.attnum)) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
      AND c.relnamespace = {_PUBLIC}
UNION ALL SELECT 'sequence', s.seqrelid::regclass::text,
    concat_ws(' ', s.seqtypid::regtype, s.seqstart, s.seqincrement, s.seqmin, s.seqmax,
  s.seqcache, s.seqcycle, (SELECT string_agg(pg_describe_object(d.refclassid, d.refobjid, d.refobjsubid), ',')
      FROM pg_depend d
    WHERE d.classid = 'pg_class'::regclass AND d.objid = s.seqrelid AND d.deptype IN ('a', 'i')))
  FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid WHERE c.relnamespace = {_PUBLIC}
UNION ALL SELECT 'policy', concat_ws('.', p.polrelid::regclass, p.polname),
    concat_ws(' ', p.polcmd, p.polpermissive, p.polroles::regrole[]::text,
  pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid),
      obj_description(p.oid, 'pg_policy'))
  FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid WHERE c.relnamespace = {_PUBLIC}
UNION ALL SELECT 'rule', concat_ws('.', r.ev_class::regclass, r.rulename),
    concat_ws(' ', r.ev_enabled, pg_get_ruledef(r.oid),
  obj_description(r.oid, 'pg_rewrite')) FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class
      WHERE c.relnamespace = {_PUBLIC}
UNION ALL SELECT 'publication', p.pubname::text, concat_ws(' ', p.pubowner::regrole, p.puballtables,
    p.pubinsert, p.pubupdate, p.pubdelete,
  p.pubtruncate, p.pubviaroot,
  (SELECT string_agg(t.schemaname || '.' || t.tablename, ',' ORDER BY t.schemaname, t.tablename)
    FROM pg_publication_tables t WHERE t.pubname = p.pubname))
  FROM pg_publication p
UNION ALL SELECT 'statistics', s.stxname::text, concat_ws(' ', s.stxowner::regrole, s.stxstattarget,
    pg_get_statisticsobjdef(s.oid),
  obj_description(s.oid, 'pg_statistic_ext')) FROM pg_statistic_ext s WHERE s.stxnamespace = {_PUBLIC}
UNION ALL SELECT 'inherits', i.inhrelid::regclass::text, concat_ws(' ', i.inhparent::regclass, i.inhseqno)
  FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE c.relnamespace = {_PUBLIC}
ORDER BY 1, 2, 3"""

EQUATION = """
SELECT t.old_table, t.state, t.row_count, count(b.*), COALESCE(sum(b.read), 0), COALESCE(sum(b.written), 0),
    COALESCE(sum(b.rejected), 0),
  count(b.*) FILTER (WHERE b.state <> 'done'),
      (SELECT count(*) FROM _tranship.reject r WHERE (r.run, r.position) = (t.run, t.position))
FROM _tranship.task t LEFT JOIN _tranship.batch b USING (run, position) GROUP BY t.run, t.position,
    t.old_table, t.state, t.row_count"""

REJECTS = (
    "SELECT t.old_table, r.source, r.page, r.line, r.old_row FROM _tranship.reject r"
    " JOIN _tranship.task t USING (run, position)"
)


@dataclass(frozen=True)
class Held:
    """What a NEW that is not empty holds before any run: rows per table,
    and how many of OLD's are among them. Empty: none.
    """

    rows: Mapping[str, int] = field(default_factory=dict)
    already_there: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Truth:
    """Where an undisturbed run ends, and what was there before any run."""

    contents: dict[str, list[tuple[Any, ...]]]
    rejects: list[tuple[Any, ...]]
    catalog: list[tuple[Any, ...]]
    old: str
    held: Held


TABLES = (
    "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace"
    " AND relkind = 'r' ORDER BY 1"
)


async def tables(database: Database) -> list[str]:
    """Returns the names of the tables in public."""
    return [name for (name,) in await database.fetch(TABLES)]


async def catalog(database: Database) -> list[tuple[Any, ...]]:
    """Everything of the schema that a run switches or could spoil, the journal apart."""
    return await database.fetch(CATALOG)


async def fingerprint(database: Database) -> str:
    """Every row version of OLD with its transaction, and its schema: changed by any write at all."""
    seen: list[object] = list(await catalog(database))
    for table in await tables(database):
        seen += sorted(
            await database.fetch(f"SELECT ctid::text, xmin::text, xmax::text, t::text FROM {table} t")
        )
    seen += await database.fetch("SELECT * FROM numbers")
    seen += await database.fetch("SELECT nspname::text FROM pg_namespace WHERE nspname !~ '^pg_' ORDER BY 1")
    return hashlib.sha256(repr(seen).encode()).hexdigest()


async def rejects(database: Database) -> list[tuple[Any, ...]]:
    """Which rows the journal holds as rejected."""
    return sorted(await database.fetch(REJECTS), key=repr)


async def learn(pair: Pair, before: list[tuple[Any, ...]], held: Held | None = None) -> Truth:
    """The truth from an undisturbed pair; ``before`` and ``held``: NEW's catalog and rows before the run."""
    ended = await contents(pair.new, await tables(pair.new))
    return Truth(ended, await rejects(pair.new), before, await fingerprint(pair.old), held or Held())


async def judge(pair: Pair, truth: Truth) -> list[str]:
    """Every violation in words; an empty list is a pass."""
    found = await unaccounted(pair, truth.held)
    now = await contents(pair.new, await tables(pair.new))
    for table, rows in truth.contents.items():
        if now[table] != rows:
            extra, missing = _surplus(now[table], rows), _surplus(rows, now[table])
            found.append(
                f"I12: {table} differs from an undisturbed run: {len(missing)} missing,"
                f" {len(extra)} too many, first {(missing + extra)[:1]}"
            )
    if await rejects(pair.new) != truth.rejects:
        found.append("I12: other rows are rejected than in an undisturbed run")
    if await catalog(pair.new) != truth.catalog:
        different = set(await catalog(pair.new)) ^ set(truth.catalog)
        found.append(f"I5: NEW's catalog is not as before: {sorted(different)[:2]}")
    if await fingerprint(pair.old) != truth.old:
        found.append("I4: OLD was written to")
    return found


async def unaccounted(pair: Pair, before: Held | None = None) -> list[str]:
    """The equation of every table: rows of OLD = rows of NEW + rejects, as the journal says
    and as the tables are.

    ``before`` is what NEW held: rows that were already there are in both, and strangers come on top.
    """
    found, before, names = [], before or Held(), await tables(pair.new)
    if await pair.new.value("SELECT to_regclass('_tranship.undo') IS NULL"):
        return ["I1: there is no journal"]
    runs = [state for (state,) in await pair.new.fetch("SELECT state FROM _tranship.run")]
    if runs != ["finished"]:
        found.append(f"I6: the journal holds runs {runs} instead of one finished run")
    for name, state, rows, batches, read, written, rejected, undone, listed in await pair.new.fetch(EQUATION):
        table = next(t for t in names if f'"{t}"' in name)
        held, old = (
            await pair.new.value(f"SELECT count(*) FROM {table}"),
            await pair.old.value(f"SELECT count(*) FROM {table}"),
        )
        there, more = before.already_there.get(table, 0), before.rows.get(table, 0)
        said = (
            f"{batches} batches ({undone} not done), {rows} rows cut, {read} read,"
            f" {written} written, {rejected} rejected, {listed} listed"
        )
        if (
            state != "done"
            or undone
            or not (
                rows == read == old
                and written + more == held
                and rejected == listed
                and read == written + rejected + there
            )
        ):
            found.append(f"I1: {table}: {old} rows in OLD, {held} in NEW; journal: {state}, {said}")
    if switched := await pair.new.fetch("SELECT kind FROM _tranship.undo WHERE NOT done"):
        found.append(f"I5: still switched off: {switched}")
    return found


async def leaked(pair: Pair, folder: Path, done: Iterable[CliResult], secrets: Iterable[str]) -> list[str]:
    """Places where a planted secret turned up; the configuration, which has to hold it, apart."""
    texts = {f"output of command {n}": one.stdout + one.stderr for n, one in enumerate(done)}
    texts |= await asyncio.to_thread(_texts, folder)
    for (table,) in await pair.new.fetch(
        "SELECT relname::text FROM pg_class"
        " WHERE relnamespace = to_regnamespace('_tranship') AND relkind = 'r'"
    ):
        texts[f"_tranship.{table}"] = repr(await pair.new.fetch(f'SELECT t::text FROM _tranship."{table}" t'))
    return [
        f"I11: a password stands in {where}"
        for where, text in texts.items()
        for secret in secrets
        if secret in text
    ]


def _texts(folder: Path) -> dict[str, str]:
    return {
        p.name: p.read_text(errors="replace")
        for p in folder.rglob("*")
        if p.is_file() and not p.name.startswith("config")
    }


def odd_end(status: int, *, killed: bool, at_once: bool = False) -> list[str]:
    """A status that a disturbed command may not end with. ``at_once``: it was interrupted before its first batch."""
    allowed = (*ENDS, *((-9,) if killed else ()), *(AT_ONCE if at_once else ()))
    return [] if status in allowed else [f"I8: exit status {status}"]


def _surplus(rows: list[tuple[Any, ...]], others: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    left = list(others)
    surplus = []
    for row in rows:
        if row in left:
            left.remove(row)
        else:
            surplus.append(row)
    return surplus
