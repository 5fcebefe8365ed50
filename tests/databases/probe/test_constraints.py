"""Collisions within the run, missing parents and cascades."""

from __future__ import annotations

import pytest

from support import MakePair
from support.asking import ask_all, transform


@pytest.mark.parametrize("batch_rows", [1, 2, 50_000])
async def test_collisions_over_two_keys(make_pair: MakePair, batch_rows: int) -> None:
    pair = await make_pair(
        """CREATE TABLE t (id text PRIMARY KEY, a text, b text);
            INSERT INTO t VALUES ('c', 'a2', 'b2'), ('b', 'a1', 'b2'), ('a', 'a1', 'b1'),
                ('A', NULL, NULL)""",
        "CREATE TABLE t (id text PRIMARY KEY, a text UNIQUE, b text UNIQUE)",
    )
    found = await ask_all(pair, batch_rows=batch_rows)
    assert found.keys("public.t") == ["b"]
    assert found.by_key("public.t")["b"]["constraint"] == "t_a_key"


async def test_partial_expression_and_nulls_not_distinct(make_pair: MakePair) -> None:
    pair = await make_pair(
        """CREATE TABLE t (id int PRIMARY KEY, k text, live bool, n numeric);
            INSERT INTO t VALUES (1, 'a', true, 1), (2, 'A', true, 2), (3, 'a', false, NULL),
                (4, 'b', true, NULL), (5, 'c', false, 1.00),
            (6, NULL, true, 6), (7, NULL, true, 7)""",
        """CREATE TABLE t (id int PRIMARY KEY, k text, live bool, n numeric);
            CREATE UNIQUE INDEX live_k ON t (lower(k)) WHERE live;
            CREATE UNIQUE INDEX one_n ON t (n) NULLS NOT DISTINCT""",
    )
    found = (await ask_all(pair)).by_key("public.t")
    assert {key: r["constraint"] for key, r in found.items()} == {2: "live_k", 4: "one_n", 5: "one_n"}


async def test_a_key_that_only_new_can_compare(make_pair: MakePair) -> None:
    pair = await make_pair(
        """CREATE TABLE t (id int PRIMARY KEY, k text, j jsonb, n text);
            INSERT INTO t VALUES (1, 'a', '1', '01'), (2, 'A', '2', '2'), (3, 'b', '1.0', '3'),
                (4, 'c', '4', '1')""",
        "CREATE EXTENSION citext; CREATE TABLE t (id int PRIMARY KEY, k citext UNIQUE,"
        " j jsonb UNIQUE, n int UNIQUE)",
        template=False,
    )
    found = (await ask_all(pair, {"t": [transform("n"), transform("k")]})).by_key("public.t")
    assert {key: r["constraint"] for key, r in found.items()} == {2: "t_k_key", 3: "t_j_key", 4: "t_n_key"}


async def test_exclusion_in_key_order(make_pair: MakePair) -> None:
    pair = await make_pair(
        """CREATE TABLE t (id int PRIMARY KEY, room int, during int4range);
            INSERT INTO t VALUES (4, 1, '[5,9)'), (1, 1, '[1,4)'), (2, 1, '[3,6)'), (3, 1, '[5,8)'),
                (5, 2, '[5,8)'), (6, NULL, '[5,8)'),
            (7, 1, 'empty')""",
        """CREATE EXTENSION btree_gist; CREATE TABLE t (id int PRIMARY KEY, room int, during int4range,
            CONSTRAINT apart EXCLUDE USING gist (room WITH =, during WITH &&))""",
        template=False,
    )
    found = (await ask_all(pair)).by_key("public.t")
    assert {key: (r["sqlstate"], r["constraint"]) for key, r in found.items()} == {
        2: ("23P01", "apart"),
        4: ("23P01", "apart"),
    }


async def test_several_old_tables_into_one(make_pair: MakePair) -> None:
    pair = await make_pair(
        """CREATE TABLE p (id int PRIMARY KEY, v text); CREATE TABLE c () INHERITS (p);
            INSERT INTO p VALUES (1, 'p1'), (2, 'p2');
            INSERT INTO c VALUES (2, 'c2'), (3, 'c3'), (3, 'again')""",
        "CREATE TABLE p (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);"
        " CREATE TABLE p_all PARTITION OF p DEFAULT",
    )
    found = await ask_all(pair)
    assert not found.findings["public.p"].rejected or found.keys("public.p") == [2]
    assert sum(f.rejected for f in found.findings.values()) == 2


@pytest.mark.parametrize("unlike", [False, True])
async def test_foreign_keys_of_every_sort(make_pair: MakePair, unlike: bool) -> None:
    """Composite, MATCH FULL, a parents' table that only NEW has, a row of NEW that is nobody's parent in OLD, a
    parent that is rejected; ``unlike``: keys only NEW can compute.
    """
    key = "text" if unlike else "int"
    pair = await make_pair(
        f"""CREATE TABLE parent (a {key}, b {key}, v text, PRIMARY KEY (a, b));
            INSERT INTO parent VALUES ('1', '1', 'ok'), ('2', '2', 'too long'), ('3', '3', 'ok');
            CREATE TABLE simple (id int PRIMARY KEY, a {key}, b {key});
            CREATE TABLE complete (id int PRIMARY KEY, a {key}, b {key});
            CREATE TABLE lone (id int PRIMARY KEY, r int);
            INSERT INTO simple VALUES (1, '1', '1'), (2, '2', '2'), (3, '1', '3'), (4, '1', NULL),
                (5, NULL, NULL), (6, '7', '7');
            INSERT INTO complete SELECT * FROM simple; INSERT INTO lone VALUES (1, 1), (2, 2), (3, NULL)""",
        """CREATE TABLE parent (a int, b int, v varchar(3), PRIMARY KEY (a, b));
            INSERT INTO parent VALUES (7, 7, 'old');
            CREATE TABLE reference (id int PRIMARY KEY); INSERT INTO reference VALUES (1);
            CREATE TABLE simple (id int PRIMARY KEY, a int, b int, CONSTRAINT s FOREIGN KEY (a, b)
                REFERENCES parent);
            CREATE TABLE complete (id int PRIMARY KEY, a int, b int, CONSTRAINT f FOREIGN KEY (a, b)
                REFERENCES parent MATCH FULL);
            CREATE TABLE lone (id int PRIMARY KEY, r int REFERENCES reference)""",
    )
    keys = [transform("a"), transform("b")] if unlike else []
    resolutions = {
        "parent": [transform("v"), *keys],
        **({"simple": keys, "complete": keys} if unlike else {}),
    }
    found = await ask_all(pair, resolutions)
    assert found.keys("public.simple") == [2, 3, 6]
    assert found.keys("public.complete") == [2, 3, 4, 6]
    assert found.keys("public.lone") == [2]
    assert "its parent was rejected" in found.by_key("public.simple")[2]["reason"]
    assert "its parent was rejected" not in found.by_key("public.simple")[3]["reason"]
    assert "under that key is another one" in found.by_key("public.simple")[6]["reason"]
    adopted = await ask_all(
        pair,
        {**resolutions, "simple": [*resolutions.get("simple", []), {"action": "adopt", "constraint": "s"}]},
    )
    assert adopted.keys("public.simple") == [2, 3]
    assert adopted.keys("public.complete") == [2, 3, 4, 6]


async def test_old_held_the_key_and_only_rejects_break_it(make_pair: MakePair) -> None:
    """Child 12 does not move to the parent that NEW has under its own parent's number."""
    schema = """CREATE TABLE parent (id int PRIMARY KEY, v {v});
        CREATE TABLE child (id int PRIMARY KEY, p int REFERENCES parent);
        CREATE TABLE grandchild (id int PRIMARY KEY, c int REFERENCES child);"""
    pair = await make_pair(
        schema.format(v="text")
        + """INSERT INTO parent VALUES (1, 'ok'), (2, 'x'), (3, 'long');
            INSERT INTO child VALUES (10, 1), (11, 3), (12, 2);
            INSERT INTO grandchild VALUES (1, 10), (2, 11)""",
        schema.format(v="varchar(2)") + "INSERT INTO parent VALUES (2, 'is')",
    )
    found = await ask_all(pair, {"parent": [transform("v")]})
    assert (found.keys("public.parent"), found.keys("public.child"), found.keys("public.grandchild")) == (
        [2, 3],
        [11, 12],
        [2],
    )


async def test_orphans_that_old_holds_under_a_valid_key(make_pair: MakePair) -> None:
    """Written while its triggers were off (a restore, replication): OLD calls the key valid,
    and NEW refuses the rows, or has another row under their key.
    """
    schema = """CREATE TABLE parent (id int PRIMARY KEY);
        CREATE TABLE child (id int PRIMARY KEY, p int REFERENCES parent);
        CREATE TABLE node (id int PRIMARY KEY, up int REFERENCES node);"""
    pair = await make_pair(
        schema
        + """INSERT INTO parent VALUES (1); SET session_replication_role = replica;
            INSERT INTO child VALUES (1, 1), (2, 99), (3, NULL), (4, 7);
            INSERT INTO node VALUES (1, NULL), (2, 1), (3, 77), (4, 3), (5, 5)""",
        schema + "INSERT INTO parent VALUES (7)",
    )
    found = await ask_all(pair)
    assert (found.keys("public.child"), found.keys("public.node")) == ([2, 4], [3, 4])


@pytest.mark.parametrize("key", ["int", "text"])
async def test_a_long_chain_falls_as_a_whole(make_pair: MakePair, key: str) -> None:
    pair = await make_pair(
        f"""CREATE TABLE t (id {key} PRIMARY KEY, up {key}, v text);
            INSERT INTO t SELECT g, CASE WHEN g > 1 THEN g - 1 END, CASE g WHEN 1 THEN 'bad' ELSE '1' END
                FROM generate_series(1, 3000) g;
        INSERT INTO t VALUES ('4000', '4000', '1'), ('4001', '4000', '1')""",
        "CREATE TABLE t (id int PRIMARY KEY, up int REFERENCES t, v int)",
    )
    found = await ask_all(
        pair, {"t": [transform("v"), *([transform("id"), transform("up")] if key == "text" else [])]}
    )
    assert len(found.records["public.t"]) == 3000


async def test_cycles_between_tables(make_pair: MakePair) -> None:
    pair = await make_pair(
        """CREATE TABLE a (id int PRIMARY KEY, b int, v text); CREATE TABLE b (id int PRIMARY KEY, a int);
            INSERT INTO a VALUES (1, 1, 'ok'), (2, 2, 'bad!'), (3, 3, 'ok'), (4, 2, 'ok'), (5, 99, 'ok');
            INSERT INTO b VALUES (1, 1), (2, 2), (3, 3), (4, 4)""",
        """CREATE TABLE a (id int PRIMARY KEY, b int NOT NULL, v varchar(3));
            CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a);
            ALTER TABLE a ADD CONSTRAINT a_b FOREIGN KEY (b) REFERENCES b DEFERRABLE INITIALLY DEFERRED""",
    )
    found = await ask_all(pair, {"a": [transform("v")]})
    assert found.keys("public.a") == [2, 4, 5]
    assert found.keys("public.b") == [2, 4]


async def test_the_loser_of_a_collision_leaves_its_children_to_the_winner(make_pair: MakePair) -> None:
    pair = await make_pair(
        """CREATE TABLE p (id int PRIMARY KEY, code text); INSERT INTO p VALUES (1, 'a '), (2, 'a');
            CREATE TABLE c (id int PRIMARY KEY, code text); INSERT INTO c VALUES (1, 'a'), (2, 'b')""",
        "CREATE TABLE p (id int PRIMARY KEY, code varchar(1) UNIQUE);"
        " CREATE TABLE c (id int PRIMARY KEY, code varchar(1) REFERENCES p (code))",
    )
    found = await ask_all(pair, {"p": [transform("code")], "c": [transform("code")]})
    assert (found.keys("public.p"), found.keys("public.c")) == ([2], [2])


async def test_what_only_one_partition_demands(make_pair: MakePair) -> None:
    pair = await make_pair(
        """CREATE TABLE t (id int PRIMARY KEY, k text, code text, n int);
            INSERT INTO t VALUES (1, 'a', 'x', 1), (2, 'a', 'x', 1), (3, 'b', 'x', 1), (4, 'b', 'x', 1),
                (5, 'a', 'y', -1),
            (6, 'b', 'z', -1), (7, 'a', 'held', 1)""",
        """CREATE TABLE t (id int, k text, code text, n int) PARTITION BY LIST (k);
            CREATE TABLE t_b PARTITION OF t FOR VALUES IN ('b');
            CREATE TABLE t_a PARTITION OF t (CONSTRAINT t_a_pkey PRIMARY KEY (id),
                CONSTRAINT a_code UNIQUE (code), CONSTRAINT positive CHECK (n > 0))
            FOR VALUES IN ('a'); INSERT INTO t VALUES (99, 'a', 'held', 5)""",
    )
    found = (await ask_all(pair)).by_key("public.t")
    assert {key: (r["sqlstate"], r["constraint"]) for key, r in found.items()} == {
        2: ("23505", "a_code"),
        5: ("23514", "positive"),
        7: ("23505", "a_code"),
    }
