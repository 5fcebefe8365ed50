"""The catalog queries for one server version: what a version lacks is replaced by what its absence means."""

from __future__ import annotations

from tranship.sql.queries import query

_SINCE: dict[str, tuple[tuple[int, str], ...]] = {
    "collation": (
        (
            170000,
            "concat_ws(' ', d.datcollate, nullif(d.datctype, d.datcollate), d.datlocprovider::text || ':' || d.datlocale)",
        ),
        (
            150000,
            "concat_ws(' ', d.datcollate, nullif(d.datctype, d.datcollate), d.datlocprovider::text || ':' || d.daticulocale)",
        ),
        (0, "concat_ws(' ', d.datcollate, nullif(d.datctype, d.datcollate))"),
    ),
    "generated": ((120000, "a.attgenerated::text"), (0, "''")),
    "nulls_not_distinct": ((150000, "i.indnullsnotdistinct"), (0, "false")),
    "enforced": ((180000, "c.conenforced"), (0, "true")),
    "nondeterministic": ((120000, "not co.collisdeterministic"), (0, "false")),
    "compression": ((140000, "nullif(a.attcompression::text, '')"), (0, "null::text")),
    "set_columns": (
        (
            150000,
            "array(select a.attname::text from unnest(c.confdelsetcols) with ordinality as k(attnum, position)"
            " join pg_catalog.pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.attnum order by k.position)",
        ),
        (0, "array[]::text[]"),
    ),
    "period": ((180000, "c.conperiod"), (0, "false")),
    "inherited": ((130000, "t.tgparentid <> 0"), (0, "false")),
    "multirange": ((140000, "r.rngmultitypid"), (0, "0::oid")),
    "published_schema": (
        (
            150000,
            "exists (select from pg_catalog.pg_publication_namespace s where s.pnpubid = p.oid and s.pnnspid = any ($1::oid[]))",
        ),
        (0, "false and $1::oid[] is null"),
    ),
}
"""Per marker ``{{name}}`` in a query: the expression from a ``server_version_num`` on, newest first."""


def catalog_query(name: str, version: int) -> str:
    """The text of ``catalog_<name>.sql`` for a server of ``server_version_num`` *version*."""
    text = query(f"catalog_{name}")
    for marker, choices in _SINCE.items():
        text = text.replace(
            "{{" + marker + "}}", next(expression for since, expression in choices if version >= since)
        )
    return text
