"""The SQL of every family of types."""

from __future__ import annotations

from collections.abc import Mapping

from tranship.model.builtin_types import Family
from tranship.sql.types import moments, numbers, others, strings
from tranship.sql.types.family import FamilySql, printed

FAMILY_SQL: Mapping[Family, FamilySql] = {
    Family.INTEGER: FamilySql(printed, numbers.integer_shape, numbers.integer_takes, numbers.number_changed),
    Family.NUMERIC: FamilySql(
        numbers.canonical_numeric, numbers.numeric_shape, numbers.numeric_takes, numbers.number_changed
    ),
    Family.FLOAT: FamilySql(
        numbers.canonical_float, numbers.float_shape, numbers.float_takes, numbers.number_changed
    ),
    Family.MONEY: FamilySql(changed=numbers.number_changed),
    Family.BOOLEAN: FamilySql(printed, others.boolean_shape),
    Family.STRING: FamilySql(strings.canonical_string, changed=strings.string_changed),
    Family.BYTES: FamilySql(printed),
    Family.DATE: FamilySql(printed, moments.date_shape, moments.dated_takes, moments.date_changed),
    Family.TIME: FamilySql(moments.canonical_time, changed=moments.time_changed),
    Family.TIMESTAMP: FamilySql(
        moments.canonical_timestamp, moments.timestamp_shape, moments.dated_takes, moments.timestamp_changed
    ),
    Family.INTERVAL: FamilySql(takes=moments.interval_takes, changed=moments.interval_changed),
    Family.UUID: FamilySql(printed, others.uuid_shape),
    Family.JSON: FamilySql(changed=strings.string_changed),
    Family.XML: FamilySql(changed=strings.string_changed),
    Family.NETWORK: FamilySql(printed),
    Family.HARDWARE: FamilySql(printed),
    Family.BITS: FamilySql(printed),
    Family.GEOMETRY: FamilySql(),
    Family.SEARCH: FamilySql(),
    Family.JSON_PATH: FamilySql(),
    Family.OBJECT: FamilySql(lambda value, row: printed(value, row) if row.name == "oid" else None),
    Family.SYSTEM: FamilySql(),
    Family.PRIVILEGE: FamilySql(),
}
"""Every family; a unit test compares the keys with :class:`Family`."""
