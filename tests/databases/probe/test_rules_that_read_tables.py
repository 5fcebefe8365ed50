"""Rules of NEW that read tables which the run fills: nothing is predicted that NEW would not say when the row is written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support import MakePair
from support.runs import migrate

OLD = (
    "CREATE TABLE bay (code text PRIMARY KEY, label text); INSERT INTO bay VALUES ('n', 'North'), ('s', 'South'), ('t', 'South');"
    " CREATE TABLE crate (id int PRIMARY KEY, bay text); INSERT INTO crate VALUES (1, 'n'), (2, 's'), (3, 'q')"
)
BAY = "CREATE TABLE bay (code text PRIMARY KEY, label text);"
BODIES = {
    "sql": "LANGUAGE sql STABLE AS $$ SELECT EXISTS (SELECT FROM bay WHERE code = c) $$",
    "standard": "LANGUAGE sql STABLE RETURN EXISTS (SELECT FROM bay WHERE code = c)",
    "immutable plpgsql": "LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM FROM public.bay WHERE code = c; RETURN FOUND; END $$",
    "dynamic": "LANGUAGE plpgsql STABLE AS $$ DECLARE f boolean; BEGIN EXECUTE 'SELECT EXISTS (SELECT FROM public.b' || 'ay WHERE code = $1)' INTO f USING c; RETURN f; END $$",
}


@pytest.mark.parametrize("body", BODIES)
async def test_a_check_that_reads_another_table(make_pair: MakePair, tmp_path: Path, body: str) -> None:
    """A function that calls one that reads counts, too."""
    new = (
        f"{BAY} CREATE FUNCTION is_bay(c text) RETURNS boolean {BODIES[body]};"
        " CREATE FUNCTION known(c text) RETURNS boolean LANGUAGE sql AS 'SELECT public.is_bay(c)';"
        " CREATE TABLE crate (id bigint PRIMARY KEY, bay text CONSTRAINT crate_bay CHECK (known(bay)))"
    )
    pair = await make_pair(OLD, new)
    dry = await migrate(pair, tmp_path, live=False)
    assert dry.stats.rows_failed == 0
    assert any("check crate_bay" in note for table in dry.tables for note in table.not_asked)
    live = await migrate(pair, tmp_path)
    assert (live.exit_status, live.stats.rows_migrated) == (1, 5)
    (path,) = tmp_path.glob("*rejects_live*.jsonl")  # noqa: ASYNC240
    records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [(r["key"]["id"], r["sqlstate"], r["constraint"]) for r in records] == [(3, "23514", "crate_bay")]


async def test_a_generated_key_that_reads_another_table(make_pair: MakePair, tmp_path: Path) -> None:
    new = (
        f"{BAY} CREATE FUNCTION label_at(c text) RETURNS text LANGUAGE sql IMMUTABLE AS"
        " $$ SELECT coalesce((SELECT label FROM public.bay WHERE code = c), '?') $$;"
        " CREATE TABLE crate (id bigint PRIMARY KEY, bay text, label text GENERATED ALWAYS AS (public.label_at(bay)) STORED UNIQUE)"
    )
    pair = await make_pair(OLD, new)
    dry = await migrate(pair, tmp_path, live=False)
    assert dry.stats.rows_failed == 0
    live = await migrate(pair, tmp_path)
    assert (live.exit_status, live.stats.rows_migrated) == (0, 6)
    assert await pair.new.fetch("SELECT label FROM crate ORDER BY id") == [("North",), ("South",), ("?",)]


async def test_tables_that_rules_read_are_filled_first(make_pair: MakePair, tmp_path: Path) -> None:
    """Against the order of their names; two tables that read each other are filled in that order."""
    old = OLD.replace("bay", "yard")
    function = "CREATE FUNCTION {0}(c text) RETURNS boolean LANGUAGE sql STABLE AS $$ SELECT {1} OR EXISTS (SELECT FROM {2}) $$;"
    tables = (
        "CREATE TABLE yard (code text PRIMARY KEY, label text {}); CREATE TABLE crate (id bigint PRIMARY KEY, yard text);"
        + function.format("has_yards", "false", "yard")
        + function.format("has_crates", "true", "crate")
        + "ALTER TABLE crate ADD CONSTRAINT crate_yard CHECK (has_yards(yard));"
    )
    pair = await make_pair(old, tables.format(""))
    assert (await migrate(pair, tmp_path)).exit_status == 0
    circle = tables.format("") + "ALTER TABLE yard ADD CONSTRAINT yard_crate CHECK (has_crates(code))"
    pair = await make_pair(old, circle)
    result = await migrate(pair, tmp_path, prefix="circle")
    assert (result.exit_status, result.stats.rows_migrated) == (1, 3)


async def test_a_check_that_reads_what_the_run_leaves_alone_is_asked(
    make_pair: MakePair, tmp_path: Path
) -> None:
    new = (
        "CREATE TABLE zone (code text); INSERT INTO zone VALUES ('n'), ('s');"
        " CREATE FUNCTION is_zone(c text) RETURNS boolean LANGUAGE sql STABLE AS $$ SELECT EXISTS (SELECT FROM zone WHERE code = c) $$;"
        f" {BAY} CREATE TABLE crate (id bigint PRIMARY KEY, bay text CHECK (is_zone(bay)))"
    )
    pair = await make_pair(OLD, new)
    dry = await migrate(pair, tmp_path, live=False)
    assert dry.stats.rows_failed == 1


DOMAINS = {"plain": "bay_code", "over another domain": "short_code", "inside an array": "bay_code[]"}


@pytest.mark.parametrize("kind", DOMAINS)
async def test_a_domain_that_reads_another_table(make_pair: MakePair, tmp_path: Path, kind: str) -> None:
    """Also for values that a decision writes; what the type below the domain refuses is predicted."""
    as_array = kind == "inside an array"
    value = "ARRAY[bay]" if as_array else "bay"
    new = (
        f"{BAY} CREATE FUNCTION is_bay(c text) RETURNS boolean {BODIES['sql']};"
        " CREATE DOMAIN bay_code AS varchar(2) CHECK (VALUE IS NULL OR is_bay(VALUE)); CREATE DOMAIN short_code AS bay_code;"
        f" CREATE TABLE crate (id bigint PRIMARY KEY, bay {DOMAINS[kind]}, spare {DOMAINS[kind]} UNIQUE)"
    )
    old = OLD + f"; ALTER TABLE crate ALTER bay TYPE {'text[]' if as_array else 'text'} USING {value};"
    old += " INSERT INTO crate VALUES (4, " + ("'{long}'" if as_array else "'long'") + ")"
    file = tmp_path / "answers.json"
    written = "'{s}'" if as_array else "'s'"
    transform = {"action": "transform", "old_column": "bay", "new_column": "bay"}
    more = {
        "action": "transform",
        "old_column": "id",
        "new_column": "spare",
        "transform_sql": f"CASE old.id WHEN 1 THEN {written} END",
    }
    file.write_text(json.dumps({"resolutions": {"crate": [transform, more]}}))
    pair = await make_pair(old, new)
    dry = await migrate(pair, tmp_path, live=False, resolutions=str(file))
    assert dry.stats.rows_failed == (0 if as_array else 1)
    notes = [note for table in dry.tables for note in table.not_asked]
    assert any(note.startswith("bay: its domain calls public.is_bay") for note in notes), notes
    live = await migrate(pair, tmp_path, resolutions=str(file))
    assert (live.exit_status, live.stats.rows_migrated) == (1, 5)
    assert await pair.new.fetch("SELECT id FROM crate ORDER BY id") == [(1,), (2,)]


async def test_values_of_a_mapping_for_a_domain_that_reads(make_pair: MakePair, tmp_path: Path) -> None:
    new = (
        f"{BAY} CREATE FUNCTION is_bay(c text) RETURNS boolean {BODIES['sql']};"
        " CREATE DOMAIN bay_code AS text CHECK (VALUE IS NULL OR is_bay(VALUE));"
        " CREATE TABLE crate (id bigint PRIMARY KEY, bay bay_code, spare bay_code DEFAULT 's')"
    )
    file = tmp_path / "answers.json"
    entry = {"action": "transform", "old_column": "bay", "new_column": "bay"}
    file.write_text(
        json.dumps({"resolutions": {"crate": [{**entry, "value_mapping": {"n": "s", "s": "t", "q": "x"}}]}})
    )
    pair = await make_pair(OLD, new)
    dry = await migrate(pair, tmp_path, live=False, resolutions=str(file))
    assert (dry.stats.rows_failed, len(dry.tables[1].not_asked)) == (0, 2)
    live = await migrate(pair, tmp_path, resolutions=str(file))
    assert (live.exit_status, live.stats.rows_migrated) == (1, 5)


INDEXES = {
    "compared by operators": "EXCLUDE USING gist (int4range(label_no(bay), label_no(bay), '[]') WITH &&)",
    "hashed": "EXCLUDE USING btree (label_no(bay) WITH =)",
}


@pytest.mark.parametrize("kind", INDEXES)
async def test_collisions_on_expressions_that_read_another_table(
    make_pair: MakePair, tmp_path: Path, kind: str
) -> None:
    new = (
        "CREATE TABLE bay (code text PRIMARY KEY, label text);"
        " CREATE FUNCTION label_no(c text) RETURNS int LANGUAGE sql IMMUTABLE AS"
        " $$ SELECT coalesce((SELECT ascii(code) FROM public.bay WHERE code = c), 0) $$;"
        f" CREATE TABLE crate (id bigint PRIMARY KEY, bay text, CONSTRAINT apart {INDEXES[kind]})"
    )
    pair = await make_pair(OLD, new)
    dry = await migrate(pair, tmp_path, live=False)
    assert dry.stats.rows_failed == 0
    assert any("apart" in note for table in dry.tables for note in table.not_asked)
    live = await migrate(pair, tmp_path)
    assert (live.exit_status, live.stats.rows_migrated) == (0, 6)
