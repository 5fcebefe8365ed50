"""Triggers and rules of NEW that act on DELETE do not act on the rows that a rollback deletes; where the role
cannot silence them, nothing is deleted.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from support import MakePair, Pair
from support.observe import Observe
from support.oracle import catalog
from support.runs import migrate, owned_by_a_plain_role
from tranship.api.upkeep import rollback
from tranship.config import Config, load_config
from tranship.errors import Refused, Stopped

OLD = """
CREATE TABLE line (id int PRIMARY KEY, words text); INSERT INTO line SELECT n, 'w' || n FROM generate_series(1, 100) n;
CREATE TABLE part (id int PRIMARY KEY, line int); INSERT INTO part SELECT n, n FROM generate_series(1, 100) n;
"""
NEW = """
CREATE TABLE line (id int PRIMARY KEY, words text); CREATE TABLE part (id int PRIMARY KEY, line int REFERENCES line)
  PARTITION BY HASH (id); CREATE TABLE part_0 PARTITION OF part FOR VALUES WITH (MODULUS 1, REMAINDER 0);
CREATE TABLE audit (what text); INSERT INTO audit SELECT WHERE false;
CREATE FUNCTION told() RETURNS trigger LANGUAGE plpgsql AS
  $$BEGIN INSERT INTO public.audit VALUES (TG_NAME); RETURN NULL; END$$;
"""
ACTING = {
    "keeps rows": "CREATE TRIGGER d BEFORE DELETE ON line FOR EACH ROW EXECUTE FUNCTION told()",
    "always": "CREATE TRIGGER d AFTER DELETE ON line FOR EACH ROW EXECUTE FUNCTION told();"
    "ALTER TABLE line ENABLE ALWAYS TRIGGER d",
    "of a partition": "CREATE TRIGGER d AFTER DELETE ON part_0 EXECUTE FUNCTION told()",
    "rule": "CREATE RULE d AS ON DELETE TO line DO INSTEAD INSERT INTO audit VALUES ('d')",
    "rule of a partition": "CREATE RULE d AS ON DELETE TO part_0 DO INSTEAD INSERT INTO audit VALUES ('d');"
    "ALTER TABLE part_0 ENABLE ALWAYS RULE d",
}


async def config(pair: Pair, folder: Path, role: dict[str, object] | None) -> Config:
    return load_config(pair.config(folder, new=role))


async def held(pair: Pair) -> list[tuple[int, int, int]]:
    """Rows of the two tables, and what was written beside them."""
    count = (
        "SELECT (SELECT count(*)::int FROM line), (SELECT count(*)::int FROM part), count(*)::int FROM audit"
    )
    return await pair.new.fetch(count)


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("what", ACTING)
async def test_nothing_acts_on_what_is_rolled_back(
    make_pair: MakePair, tmp_path: Path, what: str, plain: bool
) -> None:
    pair = await make_pair(OLD, NEW + ACTING[what])
    role = await owned_by_a_plain_role(pair) if plain else None
    before = await catalog(pair.new)
    await migrate(pair, tmp_path, new=role)
    assert (await rollback(await config(pair, tmp_path, role), live=True)).deleted == 200
    assert await held(pair) == [(0, 0, 0)]
    assert await catalog(pair.new) == before


@pytest.mark.parametrize("what", ACTING)
async def test_what_the_role_cannot_silence_is_said_before(
    make_pair: MakePair, tmp_path: Path, what: str
) -> None:
    pair = await make_pair(OLD, NEW + ACTING[what])
    writer = f"writer_{pair.new.name}"
    await pair.new.run(
        f"CREATE ROLE {writer} LOGIN PASSWORD 'secret'; GRANT CREATE ON DATABASE \"{pair.new.name}\" TO {writer};"
        f"GRANT SELECT, INSERT, DELETE ON ALL TABLES IN SCHEMA public TO {writer}"
    )
    role: dict[str, object] = {"username": writer, "password": "secret"}
    await migrate(pair, tmp_path, new=role)
    mine = await config(pair, tmp_path, role)
    for live in (False, True):
        with pytest.raises(Refused) as refused:
            await rollback(mine, live=live)
        assert [p.code for p in refused.value.problems] == ["TS356"]
    assert await held(pair) == [(100, 100, 0)]
    table, kind = "part_0" if "partition" in what else "line", "RULE" if "rule" in what else "TRIGGER"
    await pair.new.run(f"ALTER TABLE {table} DISABLE {kind} d")
    assert (await rollback(mine, live=True)).deleted == 200
    assert await held(pair) == [(0, 0, 0)]


async def test_rows_that_something_keeps_are_not_taken_for_deleted(
    make_pair: MakePair, tmp_path: Path, observe: Observe
) -> None:
    pair = await make_pair(OLD, NEW)
    await migrate(pair, tmp_path)
    late = f"{ACTING['keeps rows']}; ALTER TABLE line ENABLE ALWAYS TRIGGER d"
    observe.once("rollback.deleted", lambda: pair.new.run(late))
    with pytest.raises(Stopped) as stopped:
        await rollback(await config(pair, tmp_path, None), live=True)
    assert (stopped.value.code, "100 rows of public.line" in stopped.value.message) == ("TS435", True)
    assert (await held(pair))[0][:2] == (100, 0)
    await pair.new.run("DROP TRIGGER d ON line")
    assert (await rollback(await config(pair, tmp_path, None), live=True)).deleted == 100
    assert (await held(pair))[0][:2] == (0, 0)
