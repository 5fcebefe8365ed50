"""Two databases in which every kind of value is computed, and compilers that are broken on purpose."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from tranship.model.builtin_types import Family

OLD = """
CREATE TABLE zones (code text PRIMARY KEY, name text);
INSERT INTO zones VALUES ('n', 'north'), ('s', 'south');
CREATE TABLE item (id int PRIMARY KEY, state text, price numeric, due timestamp, zone text, note text, big bigint);
INSERT INTO item SELECT g, (ARRAY['a', 'b', NULL])[g % 3 + 1], g + 0.005, timestamp '2024-01-01' + g * interval '1 hour',
  (ARRAY['n', 's'])[g % 2 + 1], (ARRAY['', NULL, 'x', 'long ' || repeat('y', 300)])[g % 4 + 1], g FROM generate_series(1, 3000) g;
"""
NEW = """
CREATE TABLE zones (code text PRIMARY KEY, name text);
CREATE TABLE item (id bigint PRIMARY KEY, state text, price numeric(12, 2), due timestamptz, zone text, note text, big int);
"""
DECISIONS = {
    "item": [
        {
            "action": "transform",
            "old_column": "state",
            "new_column": "state",
            "value_mapping": {"a": "open", "b": "closed"},
        },
        {"action": "transform", "old_column": "price", "new_column": "price"},
        {"action": "transform", "old_column": "due", "new_column": "due"},
        {"action": "transform", "old_column": "big", "new_column": "big"},
        {
            "action": "transform",
            "old_column": "zone",
            "new_column": "zone",
            "lookup_table": {"table": "zones", "key_column": "code", "value_column": "name"},
        },
    ],
}


def decided(folder: Path) -> str:
    """The file with the decisions."""
    path = folder / "decisions.json"
    path.write_text(json.dumps({"resolutions": DECISIONS}))
    return str(path)


def swapped(of: Callable[..., str]) -> Callable[..., str]:
    """Mapped values change places."""

    def broken(mapped, old):
        (one, first), (other, second) = mapped.pairs
        return of(type(mapped)(mapped.column, ((one, second), (other, first))), old)

    return broken


def cut(of: Callable[..., str]) -> Callable[..., str]:
    """Numbers are cut and not rounded."""

    def broken(value, old, new):
        return f"pg_catalog.trunc({value}, 2)" if new.family is Family.NUMERIC else of(value, old, new)

    return broken


def an_hour_late(of: Callable[..., str]) -> Callable[..., str]:
    """Moments come an hour late."""
    return lambda value, old, new, zone: of(f"({value} + interval '1 hour')", old, new, zone)


def other_entry(of: Callable[..., str]) -> Callable[..., str]:
    """A lookup finds another entry."""
    return lambda lookup, name: f"CASE WHEN {name}.v = 'north' THEN 'south' ELSE {of(lookup, name)} END"
