"""Expressions whose value is not one of the row: refused before the start, each by the name of what it calls."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support import MakePair
from tranship import api
from tranship.config import load_config
from tranship.errors import Refused
from tranship.model.options import MigrateOptions

BARRED = {
    "now()": "the current time (now)",
    "CURRENT_DATE": "the current time (CURRENT_DATE)",
    "age(old.d)": "the current time (age with one argument)",
    "'today'::date": "the current time ('today')",
    "timestamp ' Now '": "the current time ('now')",
    "'today'::text::date": "the current time ('today')",
    "cast('now' as timestamp(0) with time zone)": "the current time ('now')",
    "('to' || 'day')::timestamp": "the current time ('today')",
    "'Yesterday 10:00'::timestamptz": "the current time ('yesterday')",
    "'[today,)'::daterange": "the current time ('today')",
    "'{2020-01-01,tomorrow}'::date[]": "the current time ('tomorrow')",
    "old.d = 'today'": "the current time ('today')",
    "$$now$$::time": "the current time ('now')",
    "coalesce(old.d, 'yesterday')": "the current time ('yesterday')",
    "app.folded()": "the current time ('today')",
    "localtimestamp(0)": "the current time (LOCALTIMESTAMP)",
    'U&"\\006eow"()': "the current time (now)",
    "app.stamp(old.id)": "the current time (now)",
    "app.wrapped(old.id)": "pg_current_xact_id is a value of the session",
    "txid_current()": "txid_current is a value of the session",
    "pg_current_snapshot()": "pg_current_snapshot is a value of the session",
    "pg_read_file('x')": "pg_read_file reaches outside",
    "pg_sleep(60)": "pg_sleep reaches outside",
    "set_config('a.b', 'c', false)": "set_config reaches outside",
    "current_setting('a.b', true)": "current_setting reaches outside",
    "(SELECT s.setting FROM pg_settings AS s LIMIT 1)": "pg_settings reaches outside",
    "(SELECT s.passwd FROM pg_shadow AS s LIMIT 1)": "pg_shadow reaches outside",
    "(SELECT count(*) FROM pg_class)": "the server's own table pg_class reaches outside",
    "(SELECT count(*) FROM information_schema.tables)": "the server's own table",
    "app.roles()": "pg_roles reaches outside",
    "nextval('s')": "nextval reaches outside",
    "pg_try_advisory_lock(old.id)": "pg_try_advisory_lock reaches outside",
    "lo_get(1)": "lo_get reaches outside",
    "query_to_xml('SELECT 1', true, true, '')": "query_to_xml reaches outside",
    "app.dblink(old.v)": "dblink reaches outside",
    "app.quiet(old.id)": "dblink reaches outside",
    "random()": "volatile function (random)",
    "app.dice()": "volatile function (dice)",
}
ALLOWED = {
    "'today' || old.v": None,
    "'now' || '!'": None,
    "upper('yesterday') || length('now')": None,
    "CASE old.v WHEN 'now' THEN 'today' END": None,
    "'today'::app.day": None,
    "to_date(old.v || 'knowledge', 'YYYY')": None,
    "date '2020-01-01' || 'today'": None,
    "app.now()": None,
    "age(old.d, '2000-01-01')": None,
    "'now() txid_current()' -- dblink('x')": None,
    "(SELECT max(o.id) FROM app.pg_user o)": None,
    "(SELECT max(o.id) FROM public.t o WHERE o.id <= old.id)": None,
}
OLD = """
CREATE SCHEMA app; CREATE SEQUENCE s;
CREATE TABLE t (id int PRIMARY KEY, v text, d date); INSERT INTO t VALUES (1, 'x', '2020-01-01');
CREATE FUNCTION app.now() RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'mine'::text $$;
CREATE FUNCTION app.dblink(text) RETURNS text LANGUAGE sql STABLE AS $$ SELECT $1 $$;
CREATE TYPE app.day AS ENUM ('today', 'later');
CREATE FUNCTION app.folded() RETURNS date LANGUAGE sql IMMUTABLE AS $$ SELECT 'today'::date $$;
CREATE FUNCTION app.roles() RETURNS bigint LANGUAGE sql STABLE AS $$ SELECT count(*) FROM pg_roles $$;
CREATE TABLE app.pg_user (id int);
CREATE FUNCTION app.dice() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN 4; END $$;
CREATE FUNCTION app.stamp(int) RETURNS text LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN $1 || now(); END $$;
CREATE FUNCTION app.inner_id() RETURNS text LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN pg_current_xact_id(); END $$;
CREATE FUNCTION app.wrapped(int) RETURNS text LANGUAGE sql STABLE AS $$ SELECT app.inner_id() $$;
CREATE FUNCTION app.quiet(int) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN ext.dblink('x'); END $$;
"""


async def test_each_is_refused_by_its_name(make_pair: MakePair, tmp_path: Path) -> None:
    sql = [*BARRED, *ALLOWED]
    columns = ", ".join(f"c{n} text" for n in range(len(sql)))
    pair = await make_pair(OLD, f"CREATE TABLE t (id int PRIMARY KEY, {columns})")
    entries: list[dict[str, object]] = [
        {"action": "transform", "old_column": "v", "new_column": f"c{n}", "transform_sql": text}
        for n, text in enumerate(sql)
    ]
    entries.append({"action": "ignore", "old_column": "d"})
    decisions = tmp_path / "r.json"
    decisions.write_text(json.dumps({"resolutions": {"t": entries}}))
    config = load_config(pair.config(tmp_path, old={"schema": "public"}, new={"schema": "public"}))
    with pytest.raises(Refused) as refused:
        await api.migrate(config, MigrateOptions(resolutions=str(decisions), results_dir=str(tmp_path)))
    told = {problem.object: problem for problem in refused.value.problems}
    said = {text: told.get(f"public.t.c{n}") for n, text in enumerate(sql)}
    assert {problem.code for problem in told.values()} == {"TS339"}
    for text, words in BARRED.items():
        problem = said[text]
        assert problem is not None and words in problem.message, (text, problem)
        assert problem.hint
    assert {text: said[text] for text in ALLOWED} == ALLOWED
