"""A parent is refused in a way that nobody predicts, so its children leave NEW again. Triggers and rules of
NEW that act on DELETE must not act on them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support import MakePair, Pair
from support.oracle import catalog
from support.runs import migrate, owned_by_a_plain_role
from tranship.errors import Stopped

OLD = """
CREATE TABLE p (id int PRIMARY KEY, up int REFERENCES p, n text);
INSERT INTO p SELECT g, CASE WHEN g % 10 = 0 AND g > 50 THEN 50 END, 'n' || g FROM generate_series(1, 1200) g;
UPDATE p SET n = (SELECT string_agg(md5(g::text), '') FROM generate_series(1, 300) g) WHERE id = 50;
"""
KEPT = "CREATE TABLE audit (what text)"
AUDIT = f"""
{KEPT}; CREATE FUNCTION told() RETURNS trigger LANGUAGE plpgsql AS
  $$BEGIN INSERT INTO public.audit VALUES (TG_NAME); RETURN NULL; END$$;
"""
"""As a BEFORE trigger ``told`` keeps the row, which is how applications mark rows instead of deleting them."""
ON_DELETE = {
    "after": f"{AUDIT} CREATE TRIGGER d AFTER DELETE ON p FOR EACH ROW EXECUTE FUNCTION told()",
    "always": f"{AUDIT} CREATE TRIGGER d AFTER DELETE ON p FOR EACH ROW EXECUTE FUNCTION told();"
    "ALTER TABLE p ENABLE ALWAYS TRIGGER d",
    "statement": f"{AUDIT} CREATE TRIGGER d AFTER DELETE ON p EXECUTE FUNCTION told()",
    "keeps the row": f"{AUDIT} CREATE TRIGGER d BEFORE DELETE ON p FOR EACH ROW EXECUTE FUNCTION told()",
    "rule": f"{KEPT}; CREATE RULE d AS ON DELETE TO p DO INSTEAD INSERT INTO audit VALUES ('d')",
    "rule always": f"{KEPT}; CREATE RULE d AS ON DELETE TO p DO INSTEAD INSERT INTO audit VALUES ('d');"
    "ALTER TABLE p ENABLE ALWAYS RULE d",
}
CHILDREN = 115


def new(key: str = "bigint", partitions: str = "") -> str:
    keyed = f"CREATE TABLE p (id {key} PRIMARY KEY, up {key} CONSTRAINT up REFERENCES p, n text)"
    return f"{keyed} {partitions}; CREATE INDEX pn ON p (n);"


async def left(pair: Pair, result: Any) -> None:
    """Asserts that the children left, and that nothing noticed."""
    (p,) = [t for t in result.tables if t.table == "public.p"]
    assert p.rejects_by_reason == {"23503 up": CHILDREN, "54000": 1}
    assert await pair.new.value("SELECT count(*)::int FROM p") == 1200 - CHILDREN - 1
    assert await pair.new.value("SELECT count(*)::int FROM audit") == 0


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("what", ON_DELETE)
async def test_nothing_acts_when_orphans_leave(
    make_pair: MakePair, tmp_path: Path, what: str, plain: bool
) -> None:
    pair = await make_pair(OLD, new() + ON_DELETE[what])
    role = await owned_by_a_plain_role(pair) if plain else None
    before = await catalog(pair.new)
    await left(pair, await migrate(pair, tmp_path, new=role, batch_size=200))
    assert await catalog(pair.new) == before


@pytest.mark.parametrize("key", ["bigint", "numeric(12,2)"])
async def test_of_a_partition_too(make_pair: MakePair, tmp_path: Path, key: str) -> None:
    """Also where the text of the key is another one in NEW."""
    parts = """PARTITION BY RANGE (id); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (600);
        CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (600) TO (9999)"""
    trigger = "CREATE TRIGGER d AFTER DELETE ON p2 FOR EACH ROW EXECUTE FUNCTION told()"
    pair = await make_pair(
        OLD, new(key, parts) + f"{AUDIT} {trigger}; ALTER TABLE p2 ENABLE ALWAYS TRIGGER d"
    )
    before = await catalog(pair.new)
    await left(pair, await migrate(pair, tmp_path, batch_size=200))
    assert await catalog(pair.new) == before


@pytest.mark.parametrize("deferrable", [False, True])
async def test_a_rehearsal_silences_them_for_itself_alone(
    make_pair: MakePair, tmp_path: Path, deferrable: bool
) -> None:
    """And the tables after it are filled with their foreign keys on."""
    more = f"{ON_DELETE['always']}; CREATE TABLE q (id int PRIMARY KEY, p bigint CONSTRAINT p REFERENCES p)"
    more += "; ALTER TABLE p ADD UNIQUE (id, n) DEFERRABLE" if deferrable else ""
    rows = "CREATE TABLE q (id int PRIMARY KEY, p int); INSERT INTO q SELECT g, g + 5 FROM generate_series(1, 90) g"
    pair = await make_pair(f"{OLD}; {rows}", new() + more)
    before = await catalog(pair.new)
    rehearsed = await migrate(pair, tmp_path, live=False, rehearse=True, batch_size=200)
    assert await catalog(pair.new) == before
    assert await pair.new.value("SELECT count(*)::int FROM p") == 0
    result = await migrate(pair, tmp_path, batch_size=200)
    await left(pair, result)
    assert [t.rejects_by_reason for t in rehearsed.tables] == [t.rejects_by_reason for t in result.tables]
    (q,) = [t for t in result.tables if t.table == "public.q"]
    assert q.rejects_by_reason == {"23503 p": 5}


async def with_rights(pair: Pair, *, replica: bool) -> dict[str, object]:
    """Returns the endpoint of a role that may write into the tables and owns none of them."""
    role = f"writer_{pair.new.name}"
    await pair.new.run(
        f"CREATE ROLE {role} LOGIN PASSWORD 'secret'; GRANT CREATE ON DATABASE \"{pair.new.name}\" TO {role};"
        f"GRANT SELECT, INSERT, DELETE ON ALL TABLES IN SCHEMA public TO {role};"
        + (f"GRANT SET ON PARAMETER session_replication_role TO {role}" if replica else "")
    )
    return {"username": role, "password": "secret"}


async def test_what_the_role_cannot_silence_is_said_before(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(OLD, new() + ON_DELETE["always"])
    role = await with_rights(pair, replica=True)
    dry = await migrate(pair, tmp_path, new=role, live=False)
    (told,) = [p for p in dry.problems if p.code == "TS357"]
    assert (told.warning, "trigger d of public.p" in told.message) == (True, True)
    result = await migrate(pair, tmp_path, new=role, batch_size=200)
    assert told in result.problems
    assert result.exit_status == 1
    assert await pair.new.value("SELECT count(*)::int FROM audit") == CHILDREN


async def test_what_the_setting_silences_is_no_warning(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(OLD, new() + ON_DELETE["keeps the row"])
    result = await migrate(pair, tmp_path, new=await with_rights(pair, replica=True), batch_size=200)
    assert "TS357" not in {p.code for p in result.problems}
    await left(pair, result)


@pytest.mark.parametrize("action", ["CASCADE", "SET NULL", "RESTRICT"])
@pytest.mark.parametrize("plain", [False, True])
async def test_rows_that_others_put_below_an_orphan_are_not_touched(
    make_pair: MakePair, tmp_path: Path, observe: Any, action: str, plain: bool
) -> None:
    pair = await make_pair(OLD, f"{new()} CREATE TABLE note (p bigint REFERENCES p ON DELETE {action})")
    role = await owned_by_a_plain_role(pair) if plain else None

    async def meanwhile(name: str) -> None:
        if name == "batch.committed" and await pair.new.value("SELECT count(*) FROM p WHERE id = 1200"):
            await pair.new.run("INSERT INTO note SELECT 1200 WHERE NOT EXISTS (SELECT FROM note)")

    observe(meanwhile)
    with pytest.raises(Stopped) as stopped:
        await migrate(pair, tmp_path, new=role, batch_size=200)
    assert stopped.value.code == "TS434"
    assert "note" in stopped.value.message
    assert await pair.new.fetch("SELECT p FROM note") == [(1200,)]
    await pair.new.run("DELETE FROM note")
    observe.stop()
    result = await migrate(pair, tmp_path, new=role, batch_size=200)
    assert result.exit_status == 1
    assert await pair.new.value("SELECT count(*)::int FROM p") == 1200 - CHILDREN - 1
