"""What differs beyond columns, on real catalogs: each pair of scripts with the notes it must give,
and no others.
"""

from __future__ import annotations

from dataclasses import dataclass

import asyncpg
import pytest

from support import MakePair, Pair
from tranship.analysis.spellings import read_spellings
from tranship.model.change import Change
from tranship.model.names import TableName
from tranship.planning.comparing.structure import open_spellings, structure_notes
from tranship.planning.matching.match import Decided, match
from tranship.planning.matching.scope import make_scope
from tranship.server.catalog import read_catalog


@dataclass(frozen=True)
class Case:
    """Two schemas and the notes between them: kind and part of the description."""

    old: str
    new: str
    notes: tuple[tuple[str, str], ...] = ()
    columns: tuple[tuple[str, str, str], ...] = ()
    """Decided renames: table, old column, new column."""
    tables: tuple[tuple[str, str], ...] = ()


CASES = {
    "names of constraints and indexes are no change": Case(
        "create table t (a int constraint pk primary key, b int constraint u unique,"
        " c int constraint ck check (c > 0)); create index i on t (c)",
        "create table t (a int constraint pk2 primary key, b int constraint u2 unique,"
        " c int constraint ck2 check (c > 0)); create index i2 on t (c)",
    ),
    "columns are compared through their pairs": Case(
        """create table p (id int primary key);
           create table t (old_name varchar(9) unique check (old_name <> 'old_name'),
           ref int references p, g int generated always as (ref * 2) stored);
           create unique index on t (lower(old_name)) where ref > 1;
           create index on t (ref, old_name)""",
        """create table q (key int primary key);
           create table t ("New Name" varchar(9) unique check ("New Name" <> 'old_name'),
           parent int references q, g int generated always as (parent * 2) stored);
           create unique index on t (lower("New Name")) where parent > 1;
           create index on t (parent, "New Name")""",
        columns=(("t", "old_name", "New Name"), ("t", "ref", "parent"), ("p", "id", "key")),
        tables=(("p", "q"),),
    ),
    "expressions are compared in one server's words": Case(
        """create table t (s varchar(9) check (s in ('a', 'b')), n int default (1 + 1),
               m int check (m >= 0 and m <= 5));
           create unique index on t (upper(s)) where s in ('x', 'y')""",
        """create table t (s text check (s = any (array['a', 'b'])), n int default 2,
               m int check (m between 0 and 5));
           create unique index on t (upper(s)) where s in ('x', 'y')""",
    ),
    "one meaning in two spellings": Case(
        """create domain code as varchar(9) check (value in ('a', 'b')); create sequence free;
           create table t (id serial, at timestamptz default current_timestamp, who name default user,
               n numeric(5, 2) default 0, b bigint default 0,
             s varchar(5) default 'x', k int check (k in (1, 2)), c code,
                 v varchar(9) check (v in ('a', 'b')), "null" int check ("null" > 0));
           create index on t (id) where v in ('x', 'y');
           create view w as select id from t where v in ('x', 'y');
           create table h (id int) partition by hash (id);
           create table h_0 partition of h for values with (modulus 1, remainder 0)""",
        """create domain code as varchar(9) check
               (value::text = any (array[('a'::varchar)::text, ('b'::varchar)::text]));
           create sequence free;
           create sequence numbers as int;
           create table t (id int not null default nextval('numbers'), at timestamptz default now(),
             who name default current_user, n numeric(5, 2) default 0.00, b bigint default '0'::bigint,
                 s varchar(5) default 'x'::text,
             k bigint check (k in (1, 2)), c code,
                 v varchar(9) check (v::text = any (array[('a'::varchar)::text, ('b'::varchar)::text])),
             "null" int check ("null" > 0));
           alter sequence numbers owned by t.id;
           create index on t (id) where v::text = any (array[('x'::varchar)::text, ('y'::varchar)::text]);
           create view w as select id from t where v::text = any
               (array[('x'::varchar)::text, ('y'::varchar)::text]);
           create table h (id int) partition by hash (id);
           create table h_0 partition of h for values with (modulus 1, remainder 0)""",
        (("view_not_moved", "'public.w'"),),
    ),
    "columns named like keywords": Case(
        'create table t ("null" int constraint a check ("null" > 0),'
        ' "case" int constraint b check ("case" > 0))',
        'create table t ("null" int constraint a check ("null" >= 0),'
        ' "then" int constraint b check ("then" > 0))',
        (
            ("new_constraint", "New CHECK 'a' on (null): (\"null\" >= 0)"),
            ("constraint_removed", "CHECK 'a' on (null)"),
        ),
        columns=(("t", "case", "then"),),
    ),
    "keys and foreign keys to the letter": Case(
        """create table p (a int, b int, primary key (a, b)); create extension btree_gist;
           create table t (a int, b int, r daterange, unique (a, r), unique (b, a),
               foreign key (a, b) references p match full on delete set null,
             exclude using gist (r with &&), c int check (c > 0) check (c < 9))""",
        """create table p (a int, b int, primary key (a, b)); create extension btree_gist;
           create table t (a int, b int, r daterange, unique (a, r without overlaps), unique (a, b),
             foreign key (a, b) references p on delete set null (a),
                 exclude using gist (r with &&) deferrable, c int check (c > 0) no inherit);
           alter table t add check (c < 9) not valid""",
        (
            ("new_constraint", "New UNIQUE 't_a_r_key' WITHOUT OVERLAPS (a, r)"),
            ("constraint_removed", "UNIQUE 't_a_r_key' (a, r)"),
            ("key_differs", "Key on (a, b) differs: old btree (b, a), new btree (a, b)"),
            ("key_differs", "is DEFERRABLE in new DB alone"),
            ("check_differs", "(c > 0) differs: old valid, new valid NO INHERIT"),
            ("check_differs", "(c < 9) differs: old valid, new NOT VALID"),
            (
                "foreign_key_differs",
                "old MATCH FULL ON UPDATE NO ACTION ON DELETE SET NULL, new ON UPDATE NO ACTION"
                " ON DELETE SET NULL (a)",
            ),
        ),
    ),
    "what only the server minds": Case(
        """create table t (a text, g int generated always as (1) stored, s serial); create table u (a int);
           create sequence q;
           create view v as select a from u; create materialized view m as select a from u;
           create schema priv;
           create cast (bigint as date) with inout""",
        """create table t (a text, g int generated always as (1) virtual,
               s int generated by default as identity) with (fillfactor = 50);
           alter table t alter a set storage external, alter a set statistics 5;
           alter table t replica identity full;
           grant select on t to public; create table u (a int); grant select (a) on u to public;
           create sequence q cache 5;
           create view v with (security_barrier) as select a from u; comment on view v is 'x';
           create materialized view m as select a from u; create unique index on m (a); create schema priv;
           create statistics st on a, s from t; create text search dictionary d (template = simple);
           create operator === (leftarg = int, rightarg = int, function = int4eq);
           create cast (bigint as date) with inout as assignment""",
        (
            ("storage_differs", "Storage of column 'a' differs: old default, new EXTERNAL, STATISTICS 5"),
            ("generation_differs", "old 1 STORED, new 1 VIRTUAL"),
            (
                "identity_differs",
                "old none, but DEFAULT nextval('public.t_s_seq'::regclass), new GENERATED BY DEFAULT",
            ),
            (
                "privileges_differ",
                "Privileges of others than the owner differ for 2 tables: public.t, public.u",
            ),
            ("options_differ", "Storage parameters differ: old default, new fillfactor=50"),
            ("replica_identity_differs", "old default, new FULL"),
            ("materialized_view_stale", "'public.m'"),
            ("index_added", "Unique index 'm_a_idx'"),
            ("view_not_moved", "'public.v'"),
            ("comment_differs", "Comment on it"),
            ("options_differ", "old none, new security_barrier=true"),
            ("sequence_differs", "CACHE 5"),
            ("cast_differs", "'bigint -> date' differs: old WITH INOUT, new WITH INOUT AS ASSIGNMENT"),
            ("extended_statistics_added", "'public.st'"),
            ("operator_added", "'public.=== (integer, integer)'"),
            ("text_search_dictionary_added", "'public.d'"),
        ),
    ),
    "a check that means something else": Case(
        "create table t (n int constraint c check (n > 0))",
        "create table t (n int constraint c check (n > 1))",
        (
            ("new_constraint", "New CHECK 'c' on (n): (n > 1)"),
            ("constraint_removed", "CHECK 'c' on (n) only exists in old DB: (n > 0)"),
        ),
    ),
    "constraints that are new": Case(
        "create table p (id int primary key, x int unique);"
        " create table t (a int, b int, r int4range, k text)",
        """create table p (id int primary key, x int unique);
           create domain short as text check (length(value) < 5);
           create table t (a int not null references p (x), b int check (b > 0) unique, r int4range, k short,
               exclude using gist (r with &&));
           create unique index part on t (lower(k::text)) where a > 1""",
        (
            ("new_constraint", "New NOT NULL on column 'a'"),
            ("new_constraint", "New CHECK 'short_check' of domain public.short on column 'k'"),
            ("new_constraint", "New UNIQUE 't_b_key' (b)"),
            ("new_constraint", "New UNIQUE index 'part' (lower(k::text)) WHERE (a > 1)"),
            ("new_constraint", "New EXCLUDE 't_r_excl' (r WITH OPERATOR(pg_catalog.&&))"),
            ("new_constraint", "New CHECK 't_b_check' on (b): (b > 0)"),
            ("new_constraint", "New FOREIGN KEY 't_a_fkey' (a) to public.p (x)"),
            ("type_added", "Domain 'public.short'"),
        ),
    ),
    "constraints that are gone": Case(
        """create table p (id int primary key);
           create table t (a int primary key, b int unique, c int references p check (c > 0), r int4range,
           exclude using gist (r with &&))""",
        "create table p (id int primary key); create table t (a int not null, b int, c int, r int4range)",
        (
            ("constraint_removed", "UNIQUE 't_b_key' (b)"),
            ("constraint_removed", "PRIMARY KEY 't_pkey' (a)"),
            ("constraint_removed", "EXCLUDE 't_r_excl'"),
            ("constraint_removed", "CHECK 't_c_check' on (c)"),
            ("constraint_removed", "FOREIGN KEY 't_c_fkey' (c) to public.p (id)"),
        ),
    ),
    "constraints that are another way": Case(
        """create table p (id int primary key);
           create table t (a int primary key, b int, c int references p on delete cascade, n int);
           alter table t add check (n > 0) not valid""",
        """create table p (id int primary key);
           create table t (a int unique not null, b int, c int references p deferrable initially deferred,
           n int check (n > 0), unique (a, b))""",
        (
            ("key_added", "New UNIQUE 't_a_b_key' (a, b)"),
            ("key_differs", "Key on (a) differs: old PRIMARY KEY, new UNIQUE"),
            ("new_constraint", "New enforced CHECK 't_n_check' on (n): (n > 0)"),
            (
                "foreign_key_differs",
                "ON DELETE CASCADE, new ON UPDATE NO ACTION ON DELETE NO ACTION DEFERRABLE INITIALLY"
                " DEFERRED",
            ),
        ),
    ),
    "a key over columns that NEW fills": Case(
        "create table t (code text)",
        "create table t (code text, id int generated always as identity primary key)",
        (("key_added", "New PRIMARY KEY 't_pkey' (id)"), ("sequence_added", "'public.t_id_seq'")),
    ),
    "columns": Case(
        """create table t (a int, b int default 1, c text collate "C", d int);
           comment on column t.d is 'x'""",
        "create table t (a int generated by default as identity, b int default 2, c text, d int)",
        (
            ("new_constraint", "New NOT NULL on column 'a'"),
            ("identity_differs", "old none, new GENERATED BY DEFAULT"),
            ("default_differs", "Default of column 'b' differs: old 1, new 2"),
            ("collation_differs", "Collation of column 'c' differs: old pg_catalog.\"C\", new default"),
            ("comment_differs", "Comment on column 'd' differs"),
            ("sequence_added", "public.t_a_seq"),
        ),
    ),
    "what hangs on a table": Case(
        """create table t (a int, b int); create index on t (a); create index on t (b desc);
           create function f() returns trigger language plpgsql as 'begin return new; end';
           create trigger same before insert on t for each row execute function f();
           create trigger state before insert on t for each row execute function f();
           create trigger gone before insert on t for each row execute function f();
           create rule gone as on delete to t do nothing; alter table t enable row level security;
           create policy p on t using (a > 1)""",
        """create table t (a int, b int); create index on t (a); create index on t (b asc);
           comment on table t is 'new';
           create function f() returns trigger language plpgsql as 'begin return new; end';
           create trigger same before insert on t for each row execute function f();
           create trigger state before insert on t for each row execute function f();
           alter table t disable trigger state;
           create trigger other after insert on t for each row execute function f();
           create rule fresh as on insert to t do also nothing; create policy p on t using (a > 2)""",
        (
            ("index_added", "btree (b)"),
            ("index_removed", "btree (b DESC)"),
            ("trigger_added", "Trigger 'other' only exists in new DB (enabled), calls public.f"),
            ("trigger_removed", "Trigger 'gone'"),
            ("trigger_differs", "Trigger 'state' is enabled in old DB and disabled in new DB"),
            ("rule_added", "Rule 'fresh' on INSERT"),
            ("rule_removed", "Rule 'gone' on DELETE"),
            ("policy_differs", "USING ((a > 1)), new AS PERMISSIVE FOR ALL TO PUBLIC USING ((a > 2))"),
            ("row_security_differs", "old on, new off"),
            ("comment_differs", "Comment on the table"),
        ),
    ),
    "partitions": Case(
        "create table t (id int, at date); create table h (id int);"
        " create table same (id int) partition by list (id);"
        " create table same_1 partition of same for values in (1)",
        """create table t (id int, at date) partition by range (at);
           create table t_1 partition of t for values from ('2020-01-01') to ('2021-01-01');
           alter table t_1 add constraint local check (id > 0);
           create table t_2 partition of t (primary key (id)) for values from ('2021-01-01') to ('2022-01-01');
           create table t_3 partition of t (primary key (id)) for values from ('2022-01-01') to ('2023-01-01');
           create table t_4 partition of t (primary key (id)) for values from ('2023-01-01') to ('2024-01-01');
           create table h (id int) partition by hash (id);
           create table h_0 partition of h for values with (modulus 2, remainder 0);
           create table h_1 partition of h for values with (modulus 2, remainder 1);
           create table same (id int) partition by list (id);
           create table other_name partition of same for values in (1)""",
        (
            ("partitioning_differs", "old not partitioned, new HASH (id), 2 partitions"),
            ("new_constraint", "New partitioning by RANGE (at) without a default partition"),
            ("new_constraint", "New CHECK 'local' on (id): (id > 0) of partition 'public.t_1'"),
            ("new_constraint", "New PRIMARY KEY (id) of 3 partitions, 'public.t_2' to 'public.t_4'"),
            ("partitioning_differs", "old not partitioned, new RANGE (at), 4 partitions"),
        ),
    ),
    "inheritance": Case(
        "create table a (id int); create table b (x int) inherits (a)",
        "create table a (id int); create table b (id int, x int)",
        (("inheritance_differs", "old inherits public.a, new inherits nothing"),),
    ),
    "children that flow into partitions": Case(
        "create table ev (id int primary key);"
        " create table ev_1 (primary key (id), check (id < 10)) inherits (ev);"
        " create index on ev_1 (id)",
        "create table ev (id int primary key) partition by range (id);"
        " create table ev_all partition of ev default",
        (
            ("new_constraint", "New PRIMARY KEY 'ev_pkey' (id)"),
            ("partitioning_differs", "old not partitioned, new RANGE (id), 1 partition"),
            ("new_constraint", "New PRIMARY KEY 'ev_pkey' (id)"),
        ),
    ),
    "views and foreign tables": Case(
        """create table t (a int); create view same as select a from t; create view other as select a from t;
           create view gone as select 1 as x;
           create materialized view m as select a from t; create view kind as select 1 as x;
           create table hidden (x int)""",
        """create table t (a int); create view same as select a from t;
           create view other as select a + 1 as a from t;
           create materialized view m as select a from t; create table kind (x int);
           create view fresh as select 1 as x;
           create view hidden as select 1 as x""",
        (
            ("view_removed", "View 'public.gone'"),
            ("relation_kind_differs", "'public.hidden' is a table in old DB and a view in new DB"),
            ("relation_kind_differs", "'public.kind' is a view in old DB and a table in new DB"),
            ("materialized_view_stale", "'public.m'"),
            ("view_not_moved", "'public.other'"),
            ("view_differs", "'public.other'"),
            ("view_not_moved", "'public.same'"),
            ("view_added", "View 'public.fresh'"),
        ),
    ),
    "sequences, types, routines": Case(
        """create sequence gone; create sequence s increment 2; create sequence named_by_old;
           create table t (id int default nextval('named_by_old'));
           create type e as enum ('a', 'b'); create type c as (x int, y text);
           create domain d as int check (value > 0);
           create type only_old as enum ();
           create function f(int) returns int language sql as 'select 1';
           create function g() returns int language sql as 'select 1'""",
        """create sequence s increment 3; create sequence named_by_new;
           create table t (id int default nextval('named_by_new'));
           create type e as enum ('a', 'c'); create type c as (x int, y varchar(9));
           create domain d as int check (value > 0);
           create function f(int) returns int language sql as 'select 2';
           create function g(text) returns int language sql as 'select 1'""",
        (
            (
                "default_differs",
                "nextval('public.named_by_old'::regclass), new nextval('public.named_by_new'::regclass)",
            ),
            ("sequence_removed", "'public.gone'"),
            ("sequence_differs", "INCREMENT 2"),
            (
                "type_differs",
                "Composite type 'public.c' differs: old (x integer, y text),"
                " new (x integer, y character varying(9))",
            ),
            ("type_differs", "Enum 'public.e' differs: old ('a', 'b'), new ('a', 'c')"),
            ("type_removed", "Enum 'public.only_old'"),
            ("routine_differs", "Function 'public.f(integer)'"),
            ("routine_removed", "Function 'public.g()'"),
            ("routine_added", "Function 'public.g(text)'"),
        ),
    ),
    "the whole database": Case(
        """create table t (a int); create extension citext; select lo_create(0);
           create publication p for table t; create type m as enum ('a');
           create cast (m as text) with inout""",
        """create table t (a int); create extension hstore; create type m as enum ('a');
           create function e() returns event_trigger language plpgsql as 'begin end';
           create event trigger ev on ddl_command_end execute function e()""",
        (
            ("routine_added", "Function 'public.e()'"),
            ("extension_removed", "'citext'"),
            ("extension_added", "'hstore'"),
            ("cast_removed", "'public.m -> text'"),
            ("event_trigger_added", "'ev'"),
            ("publication_removed", "'p'"),
            ("large_objects", "1 large object in old DB"),
        ),
    ),
}
ANOTHER_MAJOR = ("view_differs", "materialized_view_differs", "extension_differs")
"""What two major versions print or ship differently."""


async def notes_of(pair: Pair, case: Case, *, spelled: bool = True) -> tuple[Change, ...]:
    async with pair.old.connect() as conn, conn.transaction(isolation="repeatable_read", readonly=True):
        old = await read_catalog(conn, None)
    async with pair.new.connect() as conn, conn.transaction(isolation="repeatable_read", readonly=True):
        new = await read_catalog(conn, None)
        scope, problems = make_scope(old, new, None)
        assert problems == ()
        decided = Decided(
            tables=tuple((TableName("public", a), TableName("public", b)) for a, b in case.tables),
            columns=tuple((TableName("public", table), a, b) for table, a, b in case.columns),
        )
        matching = match(old, new, scope, decided)
        spellings = await read_spellings(conn, new, open_spellings(old, new, matching)) if spelled else {}
    return structure_notes(old, new, matching, spellings)


@pytest.mark.parametrize("name", CASES)
async def test_notes(make_pair: MakePair, name: str) -> None:
    case = CASES[name]
    _check(case, await notes_of(await make_pair(case.old, case.new, template=False), case))


@pytest.mark.parametrize("majors", [(15, 18), (18, 15)], ids=str)
async def test_notes_across_majors(make_pair: MakePair, majors: tuple[int, int]) -> None:
    for name in (
        "expressions are compared in one server's words",
        "columns are compared through their pairs",
        "what hangs on a table",
    ):
        case = CASES[name]
        _check(case, await notes_of(await make_pair(case.old, case.new, majors=majors, template=False), case))


def _check(case: Case, notes: tuple[Change, ...]) -> None:
    expected = {kind for kind, _ in case.notes}
    told = [(n.kind, n.description) for n in notes if n.kind not in ANOTHER_MAJOR or n.kind in expected]
    told = [
        (k, d)
        for k, d in told
        if k not in ANOTHER_MAJOR or any(k == kind and part in d for kind, part in case.notes)
    ]
    assert [k for k, _ in told] == [k for k, _ in case.notes], told
    assert all(part in description for (_, description), (_, part) in zip(told, case.notes, strict=True)), (
        told
    )
    assert all(n.auto_action and not n.requires_manual for n in notes)


async def test_without_a_server_the_evidence_says_so(make_pair: MakePair) -> None:
    case = CASES["expressions are compared in one server's words"]
    pair = await make_pair(case.old, case.new)
    asked, unasked = await notes_of(pair, case), await notes_of(pair, case, spelled=False)
    assert asked == ()
    assert {n.kind for n in unasked} == {"default_differs", "new_constraint", "constraint_removed"}
    assert any("compared as text" in line for n in unasked for line in n.evidence)


async def test_an_expression_that_new_does_not_understand_stays_a_difference(make_pair: MakePair) -> None:
    case = Case(
        "create function f(int) returns bool immutable language sql as 'select true';"
        " create table t (a int check (f(a)), b int default (2 + 2))",
        "create table t (a int check (a > 0), b int default 4)",
    )
    notes = await notes_of(await make_pair(case.old, case.new), case)
    assert [n.kind for n in notes] == ["new_constraint", "constraint_removed", "routine_removed"]
    assert any("compared as text" in line for line in notes[0].evidence)


async def test_a_collation_that_takes_more_for_equal_makes_a_new_key(make_pair: MakePair) -> None:
    loose = (
        "create collation ci (provider = icu, locale = 'und-u-ks-level2',"
        " deterministic = false); create table t (a text, b text collate ci unique"
    )
    try:
        pair = await make_pair(
            f"{loose}, unique (a))", f"{loose}); create unique index on t (a collate ci)", majors=(15, 15)
        )
    except asyncpg.FeatureNotSupportedError:
        pytest.skip("this PostgreSQL was built without ICU")
    notes = await notes_of(pair, Case("", ""))
    assert [(n.kind, n.description) for n in notes] == [
        ("new_constraint", "New UNIQUE index 't_a_idx' (a) under collation public.ci"),
        ("constraint_removed", "UNIQUE 't_a_key' (a) only exists in old DB"),
    ]
