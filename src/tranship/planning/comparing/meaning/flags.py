"""Yes and no turned round, and clocks that are read in another zone."""

from __future__ import annotations

import re

from tranship.planning.comparing.meaning.context import Concern, PairContext
from tranship.planning.names.opposites import opposed
from tranship.planning.names.tokens import words

_WRITTEN = frozenset({"text", "integer", "enum"})
"""Families of types that may hold a yes or a no."""
_ANSWERS = 4
"""Most values of a column that answers yes or no: in two spellings each."""
_UTC = frozenset({"utc", "gmt"})
_UTC_ZONES = frozenset({"utc", "gmt", "uct", "zulu", "universal", "greenwich"})
"""Names of the zone UTC, which may also stand below ``Etc/``."""
_LOCAL = frozenset({"local"})
_WORDS = re.compile(r"[a-z]+", re.IGNORECASE)


def flag_concern(pair: PairContext) -> Concern | None:
    """Returns a concern where NEW would read a yes as a no."""
    names = pair.old.name, pair.new.name
    if names[0] == names[1] or not opposed(*names) or not _is_flag(pair):
        return None
    sql = {
        ("boolean", "boolean"): f"NOT {pair.value}",
        ("integer", "boolean"): f"{pair.value} = 0",
        ("boolean", "integer"): f"CASE {pair.value} WHEN true THEN 0 WHEN false THEN 1 END",
    }.get(pair.families)
    why = f"'{pair.new.name}' asks the opposite of '{pair.old.name}': true would become false"
    return Concern((why,), sql, opposite=True)


def _is_flag(pair: PairContext) -> bool:
    """Returns whether a column may answer yes or no: by its type, else by the number of its values; of
    values that nobody asked, that they may.
    """
    if "boolean" in pair.families:
        return True
    if not set(pair.families) <= _WRITTEN:
        return False
    held = pair.held
    return held is None or held.distinct <= _ANSWERS


def clock_concern(pair: PairContext) -> Concern | None:
    """Returns a concern where NEW would read a time of day in another zone."""
    bases = pair.old.type.leaf.base, pair.new.type.leaf.base
    plain, zoned = "timestamp without time zone", "timestamp with time zone"
    if is_utc(pair.zone) and bases != (plain, plain):
        return None
    old, new = _zone(pair, old=True), _zone(pair, old=False)
    if bases == (plain, zoned) and "utc" in (old, new) and "local" not in (old, new):
        read = f"OLD's times would be read in its database time zone {pair.zone}"
        return Concern((f"{read}, but name or comment says UTC",), f"{pair.value} AT TIME ZONE 'UTC'")
    if bases == (zoned, plain) and new == "utc":
        written = f"NEW's times would be written in OLD's database time zone {pair.zone}"
        return Concern((f"{written}, but name or comment says UTC",), f"{pair.value} AT TIME ZONE 'UTC'")
    return _shifted(pair, old, new) if bases == (plain, plain) else None


def is_utc(zone: str) -> bool:
    """Returns whether a time zone is UTC under one of its names."""
    return zone.lower().removeprefix("etc/") in _UTC_ZONES


def _shifted(pair: PairContext, old: str, new: str) -> Concern | None:
    """Returns a concern where words tell that the clock changes; both columns are without a zone."""
    if old == new or not old or not new:
        return None
    words = f"OLD's '{pair.old.name}' says {old}, NEW's '{pair.new.name}' says {new}"
    # Where the database runs in UTC, local means a zone that nobody named.
    if is_utc(pair.zone):
        return Concern((f"{words}: which zone is meant?",))
    first, second = ("UTC", pair.zone) if old == "utc" else (pair.zone, "UTC")
    evidence = f"{words}; OLD's database time zone is {pair.zone}"
    return Concern((evidence,), f"{pair.value} AT TIME ZONE '{first}' AT TIME ZONE '{second}'")


def _zone(pair: PairContext, *, old: bool) -> str:
    """Returns what a column's name, else its comment, says about its clock: ``utc``, ``local`` or nothing."""
    column = pair.old if old else pair.new
    comment = frozenset(word.lower() for word in _WORDS.findall(column.comment or ""))
    for said in (frozenset(words(column.name)), comment):
        if said & _UTC:
            return "utc"
        if said & _LOCAL:
            return "local"
    return ""
