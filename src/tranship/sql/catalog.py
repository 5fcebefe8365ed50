"""The catalog queries for one server version: what a version lacks is replaced by what its absence means."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from tranship.sql.queries import query
from tranship.sql.quote import ident

# The default locale was split into locale, provider and rules over the years: a provider since 15, the
# provider's locale under one name for all providers since 17 (PostgreSQL documentation, "pg_database").
_LOCALE = "d.datcollate, nullif(d.datctype, d.datcollate)"
_COLLATION = (
    (170000, f"concat_ws(' ', {_LOCALE}, d.datlocprovider::text || ':' || d.datlocale)"),
    (150000, f"concat_ws(' ', {_LOCALE}, d.datlocprovider::text || ':' || d.daticulocale)"),
    (0, f"concat_ws(' ', {_LOCALE})"),
)

# 15: ON DELETE SET NULL (columns). Before, and without a list, all columns of the key are set.
_SET_COLUMNS = (
    (
        150000,
        "array(select a.attname::text from unnest(c.confdelsetcols) with ordinality as k(attnum, position)"
        " join pg_catalog.pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.attnum"
        " order by k.position)",
    ),
    (0, "array[]::text[]"),
)

# 15: FOR TABLES IN SCHEMA. The older form still has to use $1, or the server could not tell the parameter's
# type.
_PUBLISHED_SCHEMA = (
    (
        150000,
        "exists (select from pg_catalog.pg_publication_namespace s"
        " where s.pnpubid = p.oid and s.pnnspid = any ($1::oid[]))",
    ),
    (0, "false and $1::oid[] is null"),
)

_SINCE: dict[str, tuple[tuple[int, str], ...]] = {
    "collation": _COLLATION,
    "generated": ((120000, "a.attgenerated::text"), (0, "''")),
    "nulls_not_distinct": ((150000, "i.indnullsnotdistinct"), (0, "false")),
    "enforced": ((180000, "c.conenforced"), (0, "true")),
    "nondeterministic": ((120000, "not co.collisdeterministic"), (0, "false")),
    "compression": ((140000, "nullif(a.attcompression::text, '')"), (0, "null::text")),
    "set_columns": _SET_COLUMNS,
    "period": ((180000, "c.conperiod"), (0, "false")),
    "inherited": ((130000, "t.tgparentid <> 0"), (0, "false")),
    "multirange": ((140000, "r.rngmultitypid"), (0, "0::oid")),
    "published_schema": _PUBLISHED_SCHEMA,
}
"""Per marker ``{{name}}`` in a query: the expression from a ``server_version_num`` on, newest first."""


class CatalogQuery(NamedTuple):
    """One of several catalog queries that are asked together."""

    name: str
    fields: tuple[tuple[str, bool], ...]
    """Its columns, and whether each is an integer."""
    arguments: int
    """How many it takes."""


_PARAMETER = re.compile(r"\$(\d+)")


def catalog_queries(asked: Sequence[CatalogQuery], version: int) -> str:
    """Returns one query for all the rows of several: its one row has a JSON array for each of them. It takes
    the arguments of all, one after the other.
    """
    columns, before = [], 0
    for one in asked:
        # JSON has an OID as text.
        fields = ", ".join(
            f"q.{ident(name)}{'::int8' * number} AS {ident(name)}" for name, number in one.fields
        )
        text = _numbered_from(before, catalog_query(one.name, version))
        rows = f"SELECT {fields} FROM (\n{text}\n) AS q"
        columns.append(f"(SELECT COALESCE(json_agg(r), '[]')::text FROM ({rows}) AS r)")
        before += one.arguments
    return "SELECT " + ",\n".join(columns)


def _numbered_from(before: int, text: str) -> str:
    """Returns a query whose parameters follow ``before`` others."""
    return _PARAMETER.sub(lambda found: f"${int(found[1]) + before}", text)


def catalog_query(name: str, version: int) -> str:
    """Returns the text of ``catalog_<name>.sql`` for a server of ``server_version_num`` *version* (150004 is
    15.4).
    """
    text = query(f"catalog_{name}")
    for marker, choices in _SINCE.items():
        expression = next(expression for since, expression in choices if version >= since)
        text = text.replace("{{" + marker + "}}", expression)
    return text
