"""Foreign keys whose equality is not that of pg_catalog, or whose two columns have different collations or types."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from support import MakePair, Pair
from support.observe import Observe
from support.runs import migrate, owned_by_a_plain_role
from tranship.config import load_config
from tranship.execution.rollback.command import rollback
from tranship.execution.upkeep.doctor import examine

SILENT = (
    "; CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
    " CREATE TRIGGER never BEFORE INSERT ON leaf FOR EACH ROW EXECUTE FUNCTION nothing()"
)
"""A trigger that has to be off: a superuser's sessions then check no key, and an owner disables it."""

TREES = {
    # Equal texts may differ in case.
    "citext": ("ext.citext", "abc", "ABC", "x", "nobody"),
    # No = of pg_catalog knows the type.
    "ltree": ("ext.ltree", "a.b", "a.b", "a.c", "z"),
    # Two texts for one number.
    "isn": ("ext.isbn", "0-393-04002-X", "978-0-393-04002-9", "1-56619-909-3", "0-306-40615-2"),
    "cube": ("ext.cube", "(1)", "(1),(1)", "(2)", "(7)"),
    "hstore": ("ext.hstore", "a=>1", '"a"=>"1"', "b=>2", "z=>0"),
}


def tree(extension: str) -> tuple[str, str]:
    """OLD, in which a self reference and a child say the parent's key in another way, and NEW."""
    kind, key, other, more, missing = TREES[extension]
    tables = (
        f"CREATE SCHEMA ext; CREATE EXTENSION {extension} SCHEMA ext; CREATE TABLE root (k {kind} PRIMARY KEY, up {kind} {{up}});"
        f" CREATE TABLE leaf (id int PRIMARY KEY, k {kind} {{leaf}})"
    )
    rows = (
        f"INSERT INTO root VALUES ('{key}', NULL), ('{more}', '{other}'); INSERT INTO leaf SELECT n, CASE n % 2 WHEN 0 THEN '{key}'"
        f" ELSE '{other}' END::{kind} FROM generate_series(1, 40) n; INSERT INTO leaf VALUES (50, '{missing}'), (51, NULL)"
    )
    old = f"{tables.format(up='', leaf='')}; {rows}"
    new = tables.format(up="CONSTRAINT root_up REFERENCES root", leaf="CONSTRAINT leaf_k REFERENCES root")
    return old, new + SILENT


async def pair_of(make_pair: MakePair, old: str, new: str) -> Pair:
    """The two databases; skips where the servers lack the extension."""
    try:
        return await make_pair(old, new)
    except asyncpg.UndefinedFileError as missing:
        pytest.skip(str(missing))
    except asyncpg.FeatureNotSupportedError as missing:
        pytest.skip(str(missing))


async def taken_back(pair: Pair, folder: Path, new: dict[str, object] | None) -> None:
    """A rollback removes every row, and nothing is left switched off."""
    config = load_config(pair.config(folder, new=new))
    assert await examine(config) == ()
    await rollback(config, live=True)
    assert await pair.new.fetch("SELECT count(*) FROM leaf UNION ALL SELECT count(*) FROM root") == [
        (0,),
        (0,),
    ]
    assert await pair.new.value("SELECT bool_and(convalidated) FROM pg_constraint WHERE contype = 'f'")


@pytest.mark.parametrize("plain", [False, True], ids=["superuser", "owner"])
@pytest.mark.parametrize("extension", TREES)
async def test_types_with_an_equality_of_their_own(
    make_pair: MakePair, tmp_path: Path, extension: str, plain: bool
) -> None:
    pair = await pair_of(make_pair, *tree(extension))
    role = await owned_by_a_plain_role(pair) if plain else None
    if role is not None:
        await pair.new.run(f"GRANT USAGE ON SCHEMA ext TO {role['username']}")
    result = await migrate(pair, tmp_path, batch_size=10, new=role)
    assert result.exit_status == 1
    assert rejects(tmp_path) == [(50, "23503", "leaf_k")]
    assert await pair.new.fetch("SELECT (SELECT count(*) FROM root), (SELECT count(*) FROM leaf)") == [
        (2, 41)
    ]
    await taken_back(pair, tmp_path, role)


def rejects(folder: Path) -> list[tuple[Any, str, str | None]]:
    """The rejected rows of the live run in a folder: key, SQLSTATE and constraint."""
    (path,) = folder.glob("*rejects_live*.jsonl")
    records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [(*r["key"].values(), r["sqlstate"], r["constraint"]) for r in records]


COLLATED = 'CREATE TABLE root (k text COLLATE "C" PRIMARY KEY, up text COLLATE "POSIX" {up}); CREATE TABLE leaf (id int PRIMARY KEY, k text COLLATE "POSIX" {leaf})'


@pytest.mark.parametrize("plain", [False, True], ids=["superuser", "owner"])
async def test_two_collations(make_pair: MakePair, tmp_path: Path, plain: bool) -> None:
    declared = COLLATED.format(
        up="CONSTRAINT root_up REFERENCES root", leaf="CONSTRAINT leaf_k REFERENCES root"
    )
    rows = (
        "INSERT INTO root VALUES ('a', NULL), ('b', 'a'), ('c', 'q'); INSERT INTO leaf SELECT n, 'a' FROM generate_series(1, 30) n;"
        " INSERT INTO leaf VALUES (50, 'A'), (51, 'c')"
    )
    pair = await make_pair(f"{COLLATED.format(up='', leaf='')}; {rows}", declared + SILENT)
    role = await owned_by_a_plain_role(pair) if plain else None
    result = await migrate(pair, tmp_path, batch_size=10, new=role)
    assert result.exit_status == 1
    assert {(str(key), state, name) for key, state, name in rejects(tmp_path)} == {
        ("50", "23503", "leaf_k"),
        ("51", "23503", "leaf_k"),
        ("c", "23503", "root_up"),
    }
    assert await pair.new.fetch("SELECT (SELECT count(*) FROM root), (SELECT count(*) FROM leaf)") == [
        (2, 30)
    ]
    await taken_back(pair, tmp_path, role)


CONVERTED = [
    # OLD's text of the key is not NEW's text of the same value.
    ("numeric", "1.50", "2.50", "double precision"),
    ("text", " 7 ", "8", "integer"),
    ("text", "2024-2-3", "2024-02-04", "date"),
    ("timestamptz", "2024-01-01 12:00+00", "2024-01-02 12:00+00", "timestamptz(0)"),
    ("text", '{"a":1,  "b":2}', "{}", "jsonb"),
]


@pytest.mark.parametrize(
    ("before", "one", "two", "after"), CONVERTED, ids=[c[0] + " " + c[3] for c in CONVERTED]
)
async def test_orphans_of_converted_keys_are_traced_by_value(
    make_pair: MakePair, tmp_path: Path, observe: Observe, before: str, one: str, two: str, after: str
) -> None:
    """A parent of NEW's own goes away while nobody checks keys: its children are found at the end, and belong to the right old rows."""
    old = f"CREATE TABLE leaf (k {before}, note text); INSERT INTO leaf VALUES ('{one}', 'x'), ('{two}', 'y')"
    new = f"CREATE TABLE root (k {after} PRIMARY KEY); INSERT INTO root VALUES ('{one}'), ('{two}');"
    new += f"CREATE TABLE leaf (k {after} CONSTRAINT leaf_k REFERENCES root, note text)"
    pair = await make_pair(old, new + SILENT)
    entries = [{"action": "transform", "old_column": "k", "new_column": "k"}]
    (tmp_path / "r.json").write_text(json.dumps({"resolutions": {"leaf": entries}}))

    async def lost() -> None:
        await pair.new.run("DELETE FROM root WHERE ctid = '(0,1)'")

    observe.once("run.prepared", lost)
    result = await migrate(pair, tmp_path, resolutions=str(tmp_path / "r.json"))
    assert (result.exit_status, result.stats.rows_migrated) == (1, 1)
    (path,) = tmp_path.glob("*rejects_live*.jsonl")  # noqa: ASYNC240
    records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [(r["row"]["note"], r["sqlstate"], r["constraint"]) for r in records] == [("x", "23503", "leaf_k")]
