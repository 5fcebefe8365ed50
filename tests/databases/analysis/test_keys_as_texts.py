"""Whole numbers and UUIDs that become texts: asked unless a reason speaks for the number itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from support import CliResult, Database, MakePair
from tranship.analysis.evidence import gather
from tranship.analysis.sides import Connections
from tranship.model.change import Comparison
from tranship.model.evidence import Evidence
from tranship.planning.comparing.compare import compare
from tranship.planning.comparing.meaning import observed_in
from tranship.planning.matching.match import match
from tranship.planning.matching.scope import make_scope
from tranship.server.catalog import read_catalog

RunCli = Callable[..., CliResult]

PLACES = """
CREATE TABLE maker_label (id integer PRIMARY KEY, text_value text NOT NULL);
INSERT INTO maker_label SELECT 100 + 37 * g, 'Maker ' || g FROM generate_series(1, 12) AS g;
CREATE TABLE visit (id serial PRIMARY KEY);
INSERT INTO visit SELECT g FROM generate_series(1, 5000) AS g;
CREATE TABLE token (id uuid PRIMARY KEY, title text);
INSERT INTO token SELECT md5(g::text)::uuid, 'T' || g FROM generate_series(1, 3) AS g;
"""
KEPT = "CREATE TABLE visit (id serial PRIMARY KEY); CREATE TABLE token (id uuid PRIMARY KEY, title text);"

SHAPES = {
    # name: (old column, its value over g, new column, asked)
    "one_value": ("maker int", "137", "maker text", "maker_label"),
    "labels": ("maker_name int", "137 + 37 * (g % 5)", "maker_name varchar(80)", "maker_label"),
    "decimal_ids": ("maker numeric(12)", "137 + 37 * (g % 5)", "maker text", "maker_label"),
    "big_ids": ("maker bigint", "137 + 37 * (g % 5)", "maker text", "maker_label"),
    "by_chance": ("handled int", "g", "handled text", "visit"),
    "uuids": ("stamp uuid", "md5((1 + g % 3)::text)::uuid", "stamp text", "token"),
    "states": ("state smallint", "20000 + g % 3", "state text", "under the name of a code"),
    "telephone": ("phone int", "g", "phone text", None),
    "numbered": ("account_number int", "g", "account_number text", None),
    "years": ("built_year smallint", "1990 + g % 9", "built_year text", None),
    "sparse": ("outside int", "700000 + 1001 * g", "outside text", None),
    "fractions": ("part numeric", "g + 0.5", "part text", None),
    "strange_uuids": ("session_mark uuid", "md5('x' || g)::uuid", "session_mark text", None),
    "nothing": ("handled int", "NULL::int", "handled text", None),
    "own_parent": ("parent int", "1 + g % 7", "parent text", "own_parent"),
    "own_other": ("far int", "9000000 + g", "far text", None),
}


def _scripts() -> tuple[str, str]:
    old, new = [PLACES], [KEPT]
    for name, (before, value, after, _) in SHAPES.items():
        old.append(f"CREATE TABLE {name} (id int PRIMARY KEY, {before}, z text);")
        old.append(f"INSERT INTO {name} SELECT 6000 + g, {value}, 'z' FROM generate_series(1, 30) AS g;")
        new.append(f"CREATE TABLE {name} (id int PRIMARY KEY, {after}, z text);")
    old.append("UPDATE own_parent SET parent = 6000 + parent; DELETE FROM visit WHERE id > 4000;")
    return "\n".join(old), "\n".join(new)


async def _look(
    old: Database, new: Database, seconds: float, *, locked: str = ""
) -> tuple[Evidence, Comparison]:
    """The comparison with what the data say; ``locked`` names a table of OLD
    that another session locks meanwhile.
    """
    catalogs = []
    for database in (old, new):
        async with database.connect() as conn, conn.transaction(isolation="repeatable_read", readonly=True):
            catalogs.append(await read_catalog(conn, None))
    scope, _ = make_scope(*catalogs, None)
    async with old.connect() as old_conn, new.connect() as new_conn, old.connect() as blocker:
        if locked:
            await blocker.execute(f"BEGIN; LOCK TABLE {locked} IN ACCESS EXCLUSIVE MODE")
        evidence = await gather(Connections(old_conn, new_conn), *catalogs, scope, probe_seconds=seconds)
    return evidence, compare(*catalogs, match(*catalogs, scope), observed=observed_in(evidence))


def _asked(comparison: Comparison) -> dict[str, str]:
    return {
        change.table.split(".")[1]: "\n".join((change.description, *change.evidence))
        for change in comparison.changes
        if change.requires_manual and change.old_column is not None
    }


async def test_a_number_that_becomes_a_text_needs_a_reason_to_be_automatic(make_pair: MakePair) -> None:
    pair = await make_pair(*_scripts())
    evidence, comparison = await _look(pair.old, pair.new, 60)
    assert evidence.not_asked == ()
    asked = _asked(comparison)
    assert asked.keys() == {name for name, shape in SHAPES.items() if shape[3] is not None}
    for name, told in asked.items():
        assert (SHAPES[name][3] or "") in told, name


async def test_what_could_not_be_asked_is_a_question_and_summed_up(make_pair: MakePair) -> None:
    pair = await make_pair(*_scripts())
    _, comparison = await _look(pair.old, pair.new, 0)
    asked = _asked(comparison)
    by_name = {"telephone", "numbered", "years"}
    assert asked.keys() == SHAPES.keys() - by_name
    assert all(
        "could not be asked" in asked[name] for name in ("one_value", "sparse", "nothing", "own_parent")
    )


async def test_many_columns_and_many_keys_are_few_statements(
    make_pair: MakePair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tranship.analysis.key_evidence._KEYS_AT_ONCE", 7)
    tables = "".join(
        f"CREATE TABLE keyed_{n} (id int PRIMARY KEY); INSERT INTO keyed_{n} VALUES ({n});" for n in range(20)
    )
    columns = ", ".join(f"c{n} int" for n in range(40))
    values = ", ".join(str(n % 20) for n in range(40))
    texts = ", ".join(f"c{n} text" for n in range(40))
    kept = "".join(f"CREATE TABLE keyed_{n} (id int PRIMARY KEY);" for n in range(20))
    pair = await make_pair(
        f"{tables} CREATE TABLE wide (id text PRIMARY KEY, {columns});"
        f" INSERT INTO wide VALUES ('a', {values});",
        f"{kept} CREATE TABLE wide (id text PRIMARY KEY, {texts});",
    )
    evidence, comparison = await _look(pair.old, pair.new, 60)
    assert {r.column.column: r.table and r.table.name for r in evidence.references} == {
        f"c{n}": f"keyed_{n % 20}" for n in range(40)
    }
    assert len(comparison.changes) == 40


async def test_a_table_that_breaks_a_statement_takes_only_its_own_columns_along(make_pair: MakePair) -> None:
    pair = await make_pair(
        """
        CREATE TABLE thing (id int PRIMARY KEY); INSERT INTO thing VALUES (1), (2);
        CREATE TABLE good (id text PRIMARY KEY, holder int); INSERT INTO good VALUES ('a', 1);
        CREATE TABLE bad (id text PRIMARY KEY, holder int); INSERT INTO bad VALUES ('a', 2);
        """,
        """
        CREATE TABLE thing (id int PRIMARY KEY);
        CREATE TABLE good (id text PRIMARY KEY, holder text);
        CREATE TABLE bad (id text PRIMARY KEY, holder text);
        """,
    )
    _, comparison = await _look(pair.old, pair.new, 6, locked="bad")
    asked = _asked(comparison)
    assert "looks like a key of public.thing" in asked["good"]
    assert "could not be asked" in asked["bad"]


async def test_of_several_tables_the_one_that_is_gone_and_called_alike_is_the_lookup(
    make_pair: MakePair, run_cli: RunCli, tmp_path: Path
) -> None:
    pair = await make_pair(
        """
        CREATE TABLE book_genre (id serial PRIMARY KEY, label text NOT NULL);
        CREATE TABLE archive (id serial PRIMARY KEY, label text NOT NULL);
        CREATE TABLE book (id serial PRIMARY KEY, genre integer NOT NULL);
        INSERT INTO book_genre (label) SELECT 'G' || g FROM generate_series(1, 9) AS g;
        INSERT INTO archive (label) SELECT 'A' || g FROM generate_series(1, 90) AS g;
        INSERT INTO book (genre) SELECT 1 + g % 9 FROM generate_series(1, 20) AS g;
        """,
        """
        CREATE TABLE archive (id serial PRIMARY KEY, label text NOT NULL);
        CREATE TABLE book (id serial PRIMARY KEY, genre text NOT NULL);
        """,
    )
    config = pair.config(tmp_path)
    assert run_cli("analyze", config).status == 0
    assert run_cli("resolve", "generate", "results/migration_changes.json").status == 0
    document = json.loads((tmp_path / "results/manual_resolutions.json").read_text(encoding="utf-8"))
    (genre,) = document["resolutions"]["book"]
    suggested = genre.get("_suggestion") if genre["action"] == "SPECIFY_ACTION" else genre
    assert (suggested["lookup_table"]["table"], suggested["lookup_table"]["database"]) == (
        "book_genre",
        "old",
    )
    assert "public.archive" in json.dumps(genre["_evidence"])


async def test_a_short_code_whose_table_is_gone_is_asked_where_the_column_got_room_for_labels(
    make_pair: MakePair,
) -> None:
    old = """
    CREATE TABLE land (code char(2) PRIMARY KEY, title text);
    CREATE TABLE town (id int PRIMARY KEY, land char(2) REFERENCES land, other char(2) REFERENCES land,
        z int);
    INSERT INTO land VALUES ('DE', 'Germany'); INSERT INTO town VALUES (1, 'DE', 'DE', 1);
    """
    pair = await make_pair(old, "CREATE TABLE town (id int PRIMARY KEY, land text, other char(2), z int);")
    _, comparison = await _look(pair.old, pair.new, 20)
    assert [c.old_column for c in comparison.changes if c.kind == "meaning_changed"] == ["land"]
