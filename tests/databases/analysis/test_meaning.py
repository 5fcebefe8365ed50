"""Conversions that keep the bytes and change the meaning, judged on real data; and automatic ones
that stay automatic.
"""

from __future__ import annotations

from support import Database, MakePair
from tranship.analysis.evidence import gather
from tranship.analysis.sides import Connections
from tranship.model.catalog import Catalog
from tranship.model.change import Change, ChangeClass
from tranship.planning.comparing.compare import compare
from tranship.planning.comparing.meaning import observed_in
from tranship.planning.deciding.suggest import suggest
from tranship.planning.matching.match import match
from tranship.planning.matching.scope import make_scope
from tranship.server.catalog import read_catalog

ROWS = 40


async def _read(database: Database) -> Catalog:
    async with database.connect() as conn, conn.transaction(isolation="repeatable_read", readonly=True):
        return await read_catalog(conn, None)


class Pairs:
    """Many tables, each with one old and one new column that may mean different things."""

    def __init__(self) -> None:
        self.old: list[str] = []
        self.new: list[str] = []
        self.wanted: dict[str, str | None] = {}

    def add(
        self,
        name: str,
        old: str,
        value: str,
        new: str,
        sql: str | None,
        *,
        there: str = "",
        comments: tuple[str, str] = ("", ""),
    ) -> None:
        """``old`` and ``new`` are column definitions, ``value`` an expression over g; ``sql``:
        None automatic, else the suggested expression.
        """
        column, after = old.split()[0], new.split()[0]
        self.old.append(
            f"CREATE TABLE {name} (id int PRIMARY KEY, {old}, z text);"
            f" INSERT INTO {name} SELECT g, {value}, 'z' FROM generate_series(1, {ROWS}) g;"
        )
        self.new.append(f"CREATE TABLE {name} (id int PRIMARY KEY, {new}, z text);")
        if there:
            self.new.append(
                f"INSERT INTO {name} SELECT 1000 + g, {there}, 'z' FROM generate_series(1, 20) g;"
            )
        for script, words, named in ((self.old, comments[0], column), (self.new, comments[1], after)):
            if words:
                script.append(f"COMMENT ON COLUMN {name}.{named} IS '{words}';")
        self.wanted[name] = sql


def everything() -> Pairs:
    made = Pairs()
    states = "status text CHECK (status IN ('active', 'closed'))"
    day, berlin = "timestamp '2020-01-01' + g * interval '1 day'", "AT TIME ZONE 'Europe/Berlin'"
    cents = "999 + 500 * g"
    made.add("cents", "price int", cents, "price numeric(12,2)", "old.price / 100.0")
    made.add("cents_narrow", "total int", cents, "total numeric(8,2)", "old.total / 100.0")
    made.add("cents_named", "fee_cents int", cents, "fee numeric(12,2)", "old.fee_cents / 100.0")
    made.add("cents_told", "x int", "g", "x numeric(12,2)", "old.x / 100.0", comments=("amount in cents", ""))
    made.add("cents_back", "price numeric(12,2)", "g + 0.99", "price bigint", "round(old.price * 100)")
    made.add("whole_units", "price int", "g", "price numeric(12,2)", None)
    made.add("empty_price", "price int", "NULL::int", "price numeric(12,2)", None)
    made.add("same_scale", "price int", cents, "price numeric(12,2)", None, there="1000 + g * 300")
    made.add("other_scale", "price int", "g", "price numeric(12,2)", None, there="g")
    made.add("counted", "item_total int", cents, "item_total numeric(12,2)", None)
    made.add("no_money", "a int", cents, "a numeric(12,2)", None)
    made.add("wider", "price int", cents, "price bigint", None)
    made.add("percent", "discount int", "g", "discount numeric(5,4)", "old.discount / 100.0")
    made.add(
        "percent_check", "rate float8", "g", "rate float8 CHECK (rate >= 0 AND rate <= 1)", "old.rate / 100.0"
    )
    made.add("fraction", "rate numeric(5,4)", "g / 100.0", "rate int", "round(old.rate * 100)")
    made.add("rate_kept", "rate float8", "g", "rate float8", None)
    made.add("distance", "way_km float8", "g", "way_miles float8", "old.way_km / 1.609344")
    made.add("weight_told", "w numeric", "g", "w numeric", "old.w * 1000", comments=("in kg", "in grams"))
    made.add("commented", "price int", cents, "price bigint", None, comments=("", "the price in cents"))
    made.add(
        "millis",
        "expires_at int",
        "1600000000 + g",
        "expires_at bigint",
        "old.expires_at * 1000",
        there="1600000000000 + g",
    )
    made.add("inverted", "is_active boolean", "g % 2 = 0", "is_disabled boolean", "NOT old.is_active")
    made.add("negated", "hidden boolean", "g % 2 = 0", "is_not_hidden boolean", "NOT old.hidden")
    made.add("codes", "country char(2)", "'D' || chr(64 + g % 5 + 1)", "country varchar(100)", "")
    made.add(
        "codes_there",
        "country varchar(2)",
        "'D' || chr(64 + g % 5 + 1)",
        "country text",
        "",
        there="'Country ' || g",
    )
    made.add("codes_kept", "country varchar(2)", "'D' || chr(64 + g % 5 + 1)", "country text", None)
    made.add("listed", "status varchar(10)", "CASE WHEN g % 2 = 0 THEN 'A' ELSE 'C' END", states, "{}")
    made.add(
        "listed_kept",
        "status varchar(10)",
        "CASE WHEN g % 2 = 0 THEN 'active' ELSE 'x' END",
        "status text CHECK (status IN ('active', 'closed'))",
        None,
    )
    made.add(
        "secret",
        "password varchar(50)",
        "'secret' || g",
        "password varchar(100)",
        "",
        there="'$2b$12$' || repeat('x', 53)",
    )
    made.add(
        "secret_check", "password text", "'secret' || g", "password text CHECK (length(password) = 60)", ""
    )
    made.add(
        "secret_kind", "password text", "md5('x' || g)", r"password text CHECK (password ~ '^\$2[aby]\$')", ""
    )
    made.add(
        "secret_kept",
        "password varchar(100)",
        "'$2b$12$' || repeat('x', 53)",
        "password text CHECK (length(password) = 60)",
        None,
    )
    made.add(
        "secret_told", "password text", "'secret' || g", "password text", "", comments=("", "bcrypt hash")
    )
    made.add("clock", "seen_utc timestamp", day, "seen_utc timestamptz", "old.seen_utc AT TIME ZONE 'UTC'")
    made.add(
        "clock_shift",
        "at_utc timestamp",
        day,
        "at_local timestamp",
        f"old.at_utc AT TIME ZONE 'UTC' {berlin}",
    )
    made.add("clock_kept", "seen timestamp", "timestamp '2020-01-01'", "seen timestamp(6)", None)
    return made


async def test_what_changes_its_meaning_is_asked_and_answered_and_nothing_else(make_pair: MakePair) -> None:
    made = everything()
    pair = await make_pair("\n".join(made.old), "\n".join(made.new))
    await pair.old.run(f"ALTER DATABASE \"{pair.old.name}\" SET timezone = 'Europe/Berlin'")
    old, new = await _read(pair.old), await _read(pair.new)
    scope, _ = make_scope(old, new, None)
    async with pair.old.connect() as old_conn, pair.new.connect() as new_conn:
        evidence = await gather(Connections(old_conn, new_conn), old, new, scope, probe_seconds=60)
    assert evidence.not_asked == ()
    comparison = compare(old, new, match(old, new, scope), observed=observed_in(evidence))
    asked: dict[str, Change] = {}
    for change in comparison.of(ChangeClass.BREAKING):
        asked.setdefault(change.table.removeprefix("public."), change)
    unasked = {name for name, sql in made.wanted.items() if sql is not None} - asked.keys()
    alarms = {name: change.evidence for name, change in asked.items() if made.wanted[name] is None}
    assert (unasked, alarms) == (set(), {})
    entries = suggest(old, new, scope, evidence).document["resolutions"]
    assert isinstance(entries, dict)
    answered = {name: found[0] for name, found in entries.items()}
    for name, sql in made.wanted.items():
        if sql is None:
            continue
        entry = answered[name]
        assert entry["action"] == (
            "transform" if sql == "{}" and "value_mapping" in entry else "SPECIFY_ACTION"
        ), (name, entry)
        offered = entry.get("_suggestion") or {}
        assert sql in ("", "{}") or offered.get("transform_sql") == sql, (name, entry)
        assert offered, (name, entry)
