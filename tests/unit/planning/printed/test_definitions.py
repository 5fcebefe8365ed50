"""Definitions as servers print them, read into facts, composed anew and read again."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tranship.model.catalog import ForeignKey, Index
from tranship.model.names import TableName
from tranship.model.undo import KeyDropped, SwitchedOff, Unreadable
from tranship.planning.printed.definitions import index_shape
from tranship.planning.printed.earlier_undo import earlier_undo
from tranship.sql.new.undo import restoring

TABLE = TableName("public", "T")


@pytest.mark.parametrize(
    "definition",
    [
        "CREATE INDEX i ON public.t USING btree (a)",
        'CREATE INDEX "i ""x""" ON public."T" USING btree (a DESC NULLS LAST, b NULLS FIRST, c DESC)',
        'CREATE INDEX i ON public.t USING btree (a COLLATE "C", b COLLATE public.mine text_pattern_ops)'
        ' INCLUDE (c, "D")',
        "CREATE INDEX i ON public.t USING hash (a) WITH (fillfactor='80')",
        "CREATE INDEX i ON public.t USING brin (a) WITH (pages_per_range='8', autosummarize=true)",
        "CREATE INDEX i ON public.t USING gin (a jsonb_path_ops)",
    ],
)
def test_plain_indexes_have_a_shape(definition: str) -> None:
    assert index_shape(definition) is not None


@pytest.mark.parametrize(
    "definition",
    [
        "CREATE UNIQUE INDEX i ON public.t USING btree (a)",
        "CREATE INDEX i ON public.t USING btree (lower(a))",
        "CREATE INDEX i ON public.t USING btree (((a + b)))",
        "CREATE INDEX i ON public.t USING btree (a) WHERE (a > 0)",
        "CREATE INDEX i ON ONLY public.t USING btree (a)",
        "CREATE INDEX i ON public.t USING btree (a); DROP TABLE x",
        "CREATE INDEX i ON public.t USING btree (a) --",
        "",
    ],
)
def test_others_have_none(definition: str) -> None:
    assert index_shape(definition) is None


KEYS = [
    "FOREIGN KEY (a) REFERENCES public.p(id)",
    'FOREIGN KEY ("A", b) REFERENCES "S"."P"(x, "Y") MATCH FULL ON UPDATE RESTRICT ON DELETE CASCADE'
    " DEFERRABLE INITIALLY DEFERRED",
    "FOREIGN KEY (a, b) REFERENCES public.p(x, y) ON UPDATE SET DEFAULT ON DELETE SET NULL (b) DEFERRABLE",
    "FOREIGN KEY (a, PERIOD b) REFERENCES public.p(x, PERIOD y)",
    "FOREIGN KEY (a) REFERENCES public.p(id) NOT ENFORCED",
]


@pytest.mark.parametrize("definition", KEYS)
@pytest.mark.parametrize("late", ["", " NOT VALID"])
def test_foreign_keys_come_back_as_they_were(definition: str, late: str) -> None:
    if late and "NOT ENFORCED" in definition:
        return
    what = 'foreign key k"k of public.T'
    sql = f'ALTER TABLE "public"."T" ADD CONSTRAINT "k""k" {definition}{late}'
    found = earlier_undo(what, sql, None)
    assert isinstance(found, KeyDropped)
    (composed,) = restoring(found)
    assert earlier_undo(what, composed, None) == found
    assert composed.replace('"', "").replace(" ", "") == sql.replace('"', "").replace(" ", "")


def test_what_is_composed_quotes_every_name() -> None:
    nasty = 'x"; DROP TABLE y; --'
    key = ForeignKey(nasty, (nasty,), TableName(nasty, nasty), (nasty,))
    (composed,) = restoring(KeyDropped(TableName(nasty, nasty), key, partitioned=False))
    quoted = '"x""; DROP TABLE y; --"'
    assert composed == (
        f"ALTER TABLE {quoted}.{quoted} ADD CONSTRAINT {quoted} FOREIGN KEY ({quoted})"
        f" REFERENCES {quoted}.{quoted} ({quoted}) NOT VALID"
    )


def test_a_key_with_period_comes_back_whole() -> None:
    """VALIDATE CONSTRAINT would let rows pass that no period covers."""
    table = TableName("public", "t")
    key = ForeignKey("k", ("a", "d"), table, ("b", "d"), period=True)
    (composed,) = restoring(KeyDropped(table, key, partitioned=False))
    assert composed.endswith('FOREIGN KEY ("a", PERIOD "d") REFERENCES "public"."t" ("b", PERIOD "d")')
    (loose,) = restoring(KeyDropped(table, replace(key, validated=False), partitioned=False))
    assert loose.endswith(" NOT VALID")


MAKE = (
    "SET LOCAL search_path = ''; SET LOCAL default_tablespace = \"fast\"; "
    'CREATE INDEX i ON public."T" USING btree (a)'
)


@pytest.mark.parametrize(
    ("what", "sql", "index"),
    [
        ("trigger t of public.T", 'ALTER TABLE ONLY "public"."T" ENABLE REPLICA TRIGGER "t"', None),
        ("validity of foreign key k of public.T", 'ALTER TABLE "public"."T" VALIDATE CONSTRAINT "k"', None),
        (
            "comment on foreign key k of public.T",
            'COMMENT ON CONSTRAINT "k" ON "public"."T" IS \'it\'\'s; so\'',
            None,
        ),
        ("index i of public.T", MAKE, Index("i", "")),
        ("index i of public.T", MAKE + '; COMMENT ON INDEX "public"."i" IS \'x\'', Index("i", "")),
    ],
)
def test_statements_of_earlier_journals_are_read(what: str, sql: str, index: Index | None) -> None:
    found = _read(what, sql, index)
    assert not isinstance(found, Unreadable)
    assert str(found) == what


@pytest.mark.parametrize(
    ("what", "sql", "index"),
    [
        ("trigger t of public.T", 'ALTER TABLE ONLY "public"."T" ENABLE TRIGGER ALL', None),
        ("trigger t of public.T", 'ALTER TABLE ONLY "public"."T" ENABLE TRIGGER "other"', None),
        ("trigger t of public.T", "ALTER ROLE mallory SUPERUSER", None),
        ("trigger t of public.T", 'ALTER TABLE ONLY "public"."T" ENABLE TRIGGER "t"; SELECT 1', None),
        (
            "comment on foreign key k of public.T",
            'COMMENT ON CONSTRAINT "k" ON "public"."T" IS E\'\\\'\'',
            None,
        ),
        ("index i of public.T", MAKE.replace("(a)", "(evil(a))"), Index("i", "")),
        ("index i of public.T", MAKE.replace('"T"', '"U"'), Index("i", "")),
        ("index i of public.T", MAKE + '; COMMENT ON INDEX "public"."j" IS \'x\'', Index("i", "")),
        ("index i of public.T", "ALTER ROLE mallory SUPERUSER", Index("i", "")),
    ],
)
def test_nothing_else_is_read_or_composed(what: str, sql: str, index: Index | None) -> None:
    found = _read(what, sql, index)
    assert found == Unreadable(what, sql)
    assert restoring(found) == ()


def _read(what: str, sql: str, index: Index | None) -> SwitchedOff:
    return earlier_undo(what, sql, (TABLE, index) if index is not None else None)
