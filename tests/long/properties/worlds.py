"""Random small worlds for the reference: tables, ways, constraints and rows, and the SQL and decisions
that make them real.
"""

from __future__ import annotations

import json
from decimal import Decimal

from hypothesis import strategies as st

from long.properties.reference import (
    ColumnSpec,
    TableSpec,
    Value,
    Way,
    at_most,
    integer_narrowing,
    mapped,
    rounded,
    same,
    shown,
    small_narrowing,
    whole_number,
)

BARE: dict[str, object] = {"action": "transform"}
PAIRS = {"A": 1, "B": 0, "": -5, "NULL": 7}

_INT4 = st.one_of(st.none(), st.integers(-3, 3), st.sampled_from([-(2**31), 2**31 - 1, -32768, 32768, 0]))
_INT8 = st.one_of(
    st.none(), st.integers(-3, 3), st.sampled_from([-(2**63), 2**63 - 1, 2**31, -(2**31), -(2**31) - 1])
)
_TEXT = st.one_of(
    st.none(),
    st.sampled_from(
        [
            "",
            " ",
            "NULL",
            "\\N",
            "\\.",
            "a",
            "A",
            "é",
            "😀😀",
            "tab\there",
            "new\nline",
            'q"uote',
            "back\\slash",
            "12345   ",
            "1234567",
        ]
    ),
    st.text(st.characters(codec="utf-8", exclude_characters="\0", exclude_categories=("Cs",)), max_size=8),
)
_NUMBERS_AS_TEXT = st.one_of(
    _TEXT,
    st.integers(-5, 5).map(str),
    st.sampled_from(["  42 ", "+7", "-0", "007", "2147483648", "1.5", "0x", "--1", "1 2"]),
)
_NUMERIC = st.one_of(
    st.none(),
    st.decimals(Decimal("-99999.999"), Decimal("99999.999"), places=3),
    st.sampled_from([Decimal("9999.950"), Decimal("0.050")]),
)
_BOOLEAN = st.one_of(st.none(), st.booleans())
_CODES = st.one_of(st.none(), st.sampled_from([*PAIRS, "a", "A ", "Z"]))

WAYS: tuple[tuple[Way, st.SearchStrategy[Value]], ...] = (
    (Way("integer", "integer", same), _INT4),
    (Way("integer", "bigint", same), _INT4),
    (Way("integer", "text", shown, BARE), _INT4),
    (Way("bigint", "integer", integer_narrowing(), BARE), _INT8),
    (Way("integer", "smallint", small_narrowing(), BARE), _INT4),
    (Way("text", "text", same), _TEXT),
    (Way("text", "varchar(5)", at_most(5), BARE), _TEXT),
    (Way("varchar(20)", "text", same), _TEXT),
    (Way("text", "integer", whole_number, BARE), _NUMBERS_AS_TEXT),
    (Way("numeric(8,3)", "numeric(6,2)", rounded(6, 2), BARE), _NUMERIC),
    (Way("boolean", "text", shown), _BOOLEAN),
    (
        Way(
            "text",
            "integer",
            mapped(PAIRS, None, has_default=False),
            {"action": "transform", "value_mapping": PAIRS},
        ),
        _CODES,
    ),
    (
        Way(
            "text",
            "integer",
            mapped(PAIRS, 0, has_default=True),
            {"action": "transform", "value_mapping": PAIRS, "default_value": 0},
        ),
        _CODES,
    ),
    (
        Way(
            "text",
            "integer",
            mapped(PAIRS, None, has_default=True),
            {"action": "transform", "value_mapping": PAIRS, "default_value": None},
        ),
        _CODES,
    ),
)


@st.composite
def tables(draw: st.DrawFn, name: str, earlier: tuple[str, ...]) -> TableSpec:
    """One table that may refer to itself or to an earlier one."""
    columns, values = [], []
    for n in range(draw(st.integers(0, 3))):
        way, strategy = draw(st.sampled_from(WAYS))
        numeric_result = way.new_type in ("integer", "bigint", "smallint")
        columns.append(
            ColumnSpec(
                name=f"c{n}",
                way=way,
                not_null=draw(st.booleans()) and way.decision is None,
                unique=draw(st.sampled_from([False, False, True])),
                at_least=draw(st.sampled_from([None, None, 0])) if numeric_result else None,
            )
        )
        values.append(strategy)
    refers_to = draw(st.sampled_from([None, name, *earlier]))
    keys = draw(st.lists(st.integers(1, 40), unique=True, max_size=14))
    rows = tuple(
        (
            key,
            draw(st.one_of(st.none(), st.integers(1, 40), st.sampled_from(keys))),
            tuple(draw(v) for v in values),
        )
        for key in keys
    )
    return TableSpec(
        name=name,
        columns=tuple(columns),
        refers_to=refers_to,
        ref_unique=draw(st.sampled_from([False, False, True])),
        rows=rows,
    )


@st.composite
def worlds(draw: st.DrawFn) -> tuple[TableSpec, ...]:
    """One to three tables, earlier names first in the order of their foreign keys."""
    made: tuple[TableSpec, ...] = ()
    for name in ("t1", "t2", "t3")[: draw(st.integers(1, 3))]:
        made = (*made, draw(tables(name, tuple(t.name for t in made))))
    return made


def literal(value: Value) -> str:
    """A value as SQL."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | Decimal):
        return f"'{value}'"
    return "'" + value.replace("'", "''") + "'"


def old_sql(world: tuple[TableSpec, ...]) -> str:
    """OLD: no constraint but the keys."""
    script = []
    for table in world:
        columns = "".join(f", {c.name} {c.way.old_type}" for c in table.columns)
        script.append(f"CREATE TABLE {table.name} (id integer PRIMARY KEY, ref integer{columns});")
        for key, ref, values in table.rows:
            row = ", ".join([str(key), literal(ref), *(literal(v) for v in values)])
            script.append(f"INSERT INTO {table.name} VALUES ({row});")
    return "\n".join(script)


def new_sql(world: tuple[TableSpec, ...]) -> str:
    """NEW: other types and all the constraints, columns in another order."""
    script = []
    for table in world:
        parts = []
        for column in table.columns:
            check = f" CHECK ({column.name} >= {column.at_least})" if column.at_least is not None else ""
            unique = " UNIQUE" if column.unique else ""
            parts.append(
                f"{column.name} {column.way.new_type}{' NOT NULL' if column.not_null else ''}{unique}{check}"
            )
        parts.append(
            "ref integer"
            + (" UNIQUE" if table.ref_unique else "")
            + (f" REFERENCES {table.refers_to}" if table.refers_to else "")
        )
        parts.append("id integer PRIMARY KEY")
        script.append(f"CREATE TABLE {table.name} ({', '.join(parts)});")
    return "\n".join(script)


def resolutions(world: tuple[TableSpec, ...]) -> str:
    """The decisions as a resolutions file."""
    decided = {
        table.name: [
            {**c.way.decision, "old_column": c.name, "new_column": c.name}
            for c in table.columns
            if c.way.decision is not None
        ]
        for table in world
    }
    return json.dumps({"resolutions": {name: entries for name, entries in decided.items() if entries}})
