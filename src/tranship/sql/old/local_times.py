"""Rows whose time of day a zone skips or has twice, because its clocks are set forward or back there.

PostgreSQL reads a skipped time by the offset before the change, and one that is there twice by the offset
after it (documentation, "Handling of Invalid or Ambiguous Timestamps").
"""

from __future__ import annotations

import re

from msgspec import Struct

from tranship.model.catalog import Table
from tranship.model.expression import Coalesce, Conversion, Loss, Rule, Sql, Take
from tranship.model.plan import ColumnMapping, TablePlan
from tranship.sql.quote import ident, literal
from tranship.sql.types.family import Change

ZONES_KNOWN = "SELECT name FROM pg_catalog.pg_timezone_names WHERE lower(name) = ANY($1::pg_catalog.text[])"
"""Which zones the server knows by name: an expression may hold one that it does not."""

_STEADY = frozenset({"utc", "etc/utc", "gmt", "etc/gmt"})
"""Zones that most databases have, and whose clocks are never set."""
_SHIFTS = ("1 hour", "30 minutes")
"""By how much clocks are set back: Lord Howe Island by half an hour, all others by one."""
_FROM, _TO = "1850-01-01", "9999-01-01"
"""Moments outside have no clocks that are set, and the last ones that there are cannot be computed with."""
_READ_IN = re.compile(
    r"""\(*\s*(?:CAST\s*\(\s*)?old\.(?:"(?P<quoted>(?:[^"]|"")+)"|(?P<plain>\w+))
    (?:\s+AS\s+timestamp\s*\)|::timestamp)?\s*\)*\s+AT\s+TIME\s+ZONE\s+'(?P<zone>[^']+)'\s*\)*""",
    re.IGNORECASE | re.VERBOSE,
)
"""An old column, and nothing else, read in a zone. Other expressions are not looked into."""


class LocalTimes(Struct, frozen=True):
    """A new column whose values pass through a zone."""

    column: str
    zone: str
    changes: tuple[Change, ...]
    """What happens to times about the hours in which its clocks are set, with the predicates of the rows."""


def local_times(plan: TablePlan, mapping: ColumnMapping, old: Table) -> LocalTimes | None:
    """Returns what a mapping does to times that its zone skips or has twice; None: it uses no such zone."""
    found = _through_zone(plan, mapping)
    if found is None or found[1].lower() in _STEADY:
        return None
    name, zone = found
    source = old.column(name)
    if source is None:
        return None
    value = f"old.{ident(name)}"
    match source.type.leaf.typname, mapping.type.leaf.typname:
        case "timestamp" | "date" as kind, "timestamptz":
            changes = _read(value, f"CAST({value} AS timestamp)" if kind == "date" else value, zone)
        case "timestamptz", "timestamp":
            changes = _written(value, zone)
        case _:
            return None
    return LocalTimes(mapping.column, zone, changes)


def _through_zone(plan: TablePlan, mapping: ColumnMapping) -> tuple[str, str] | None:
    """Returns the old column and the zone through which it passes."""
    match mapping.expression:
        case (
            Take(column=column, conversion=Conversion(rule=Rule.ZONE))
            | Coalesce(of=Take(column=column, conversion=Conversion(rule=Rule.ZONE)))
        ):
            return column, plan.zone or "UTC"
        case Sql(text=text):
            found = _READ_IN.fullmatch(text.strip())
            if found is None:
                return None
            quoted = found["quoted"]
            return quoted.replace('""', '"') if quoted else found["plain"].lower(), found["zone"]
        case _:
            return None


def _read(value: str, local: str, zone: str) -> tuple[Change, ...]:
    """Returns what happens to times without a zone that become moments."""
    moment = _in_zone(local, zone)
    skipped = f"{_in_zone(moment, zone)} <> {local}"
    twice = " OR ".join(
        f"{_in_zone(f'({moment} - interval {literal(shift)})', zone)} = {local}" for shift in _SHIFTS
    )
    return (Loss.SKIPPED, _within(value, skipped)), (Loss.TWICE, _within(value, twice))


def _written(value: str, zone: str) -> tuple[Change, ...]:
    """Returns what happens to moments that become times without a zone."""
    local = _in_zone(value, zone)
    twice = " OR ".join(
        f"{_in_zone(f'({value} {sign} interval {literal(shift)})', zone)} = {local}"
        for shift in _SHIFTS
        for sign in "+-"
    )
    return ((Loss.TWICE, _within(value, twice)),)


def _in_zone(value: str, zone: str) -> str:
    return f"pg_catalog.timezone({literal(zone)}, {value})"


def _within(value: str, predicate: str) -> str:
    computable = f"{value} > {literal(_FROM)} AND {value} < {literal(_TO)}"
    return f"CASE WHEN {computable} THEN {predicate} ELSE false END"
