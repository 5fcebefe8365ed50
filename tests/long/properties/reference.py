"""A second, independent opinion: what a migration must do to small worlds, computed in Python alone.

It shares no code with the tool: types are the handful below, values are Python's,
and the rules are read off the specification.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

INT2, INT4, INT8 = (-(2**15), 2**15 - 1), (-(2**31), 2**31 - 1), (-(2**63), 2**63 - 1)

Value = int | str | bool | Decimal | None


class Refused(Exception):
    """The value does not fit; ``args[0]`` is the SQLSTATE."""


@dataclass(frozen=True)
class Way:
    """How one column goes from OLD to NEW."""

    old_type: str
    new_type: str
    convert: Callable[[Value], Value]
    decision: dict[str, object] | None = None
    """Without column names; None: automatic."""


def _within(bounds: tuple[int, int]) -> Callable[[Value], Value]:
    def check(value: Value) -> Value:
        if value is None:
            return None
        assert isinstance(value, int)
        if not bounds[0] <= value <= bounds[1]:
            raise Refused("22003")
        return value

    return check


def same(value: Value) -> Value:
    """The value itself."""
    return value


def shown(value: Value) -> Value:
    """As the server's cast to text shows it."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def at_most(length: int) -> Callable[[Value], Value]:
    """``varchar(length)``: excess trailing spaces are cut, other excess is refused."""

    def check(value: Value) -> Value:
        if value is None:
            return None
        assert isinstance(value, str)
        if len(value) > length:
            if value[length:].strip(" "):
                raise Refused("22001")
            return value[:length]
        return value

    return check


def whole_number(value: Value) -> Value:
    """text → integer by the server's input: ASCII digits with sign and surrounding white space."""
    if value is None:
        return None
    assert isinstance(value, str)
    trimmed = value.strip(" \t\n\v\f\r")
    digits = trimmed[1:] if trimmed[:1] in ("+", "-") else trimmed
    if not digits or any(c not in "0123456789" for c in digits):
        raise Refused("22P02")
    return _within(INT4)(int(trimmed))


def rounded(precision: int, scale: int) -> Callable[[Value], Value]:
    """``numeric(precision, scale)``: half away from zero, overflow refused."""

    def check(value: Value) -> Value:
        if value is None:
            return None
        assert isinstance(value, Decimal)
        done = value.quantize(Decimal(1).scaleb(-scale), rounding=ROUND_HALF_UP)
        if abs(done) >= Decimal(10) ** (precision - scale):
            raise Refused("22003")
        return done

    return check


def mapped(pairs: dict[str, int], default: int | None, *, has_default: bool) -> Callable[[Value], Value]:
    """A value mapping from text to integer; NULL is never looked up."""

    def find(value: Value) -> Value:
        if value is None:
            return None
        assert isinstance(value, str)
        if value in pairs:
            return pairs[value]
        if has_default:
            return default
        raise Refused("22023")

    return find


def integer_narrowing() -> Callable[[Value], Value]:
    """bigint → integer."""
    return _within(INT4)


def small_narrowing() -> Callable[[Value], Value]:
    """integer → smallint."""
    return _within(INT2)


@dataclass(frozen=True)
class ColumnSpec:
    """One column and the constraints that NEW puts on it."""

    name: str
    way: Way
    not_null: bool = False
    unique: bool = False
    at_least: int | None = None
    """A CHECK (column >= at_least) on integer results."""


@dataclass(frozen=True)
class TableSpec:
    """A table with an integer key ``id``, a nullable ``ref`` and some columns."""

    name: str
    columns: tuple[ColumnSpec, ...]
    refers_to: str | None = None
    """NEW adds a foreign key from ``ref`` to this table's ``id``; may be the table itself."""
    ref_unique: bool = False
    rows: tuple[tuple[int, int | None, tuple[Value, ...]], ...] = ()


@dataclass
class Expected:
    """What must stand in NEW and among the rejects."""

    rows: dict[str, dict[int, tuple[int | None, tuple[Value, ...]]]] = field(default_factory=dict)
    rejects: dict[str, dict[int, str]] = field(default_factory=dict)
    """table → key → SQLSTATE; empty text: any of several faults of the row itself."""


def migrate(tables: tuple[TableSpec, ...]) -> Expected:
    """The outcome for tables in an order where a table refers only to itself or to an earlier one."""
    expected = Expected()
    for table in tables:
        rows, rejects = _faults(table)
        if table.refers_to is not None and table.refers_to != table.name:
            parents = expected.rows[table.refers_to]
            for key in [k for k, (ref, _) in rows.items() if ref is not None and ref not in parents]:
                del rows[key]
                rejects[key] = "23503"
        _collide(table, rows, rejects)
        if table.refers_to == table.name:
            _cascade(rows, rejects)
        expected.rows[table.name], expected.rejects[table.name] = rows, rejects
    return expected


def _faults(table: TableSpec) -> tuple[dict[int, tuple[int | None, tuple[Value, ...]]], dict[int, str]]:
    rows: dict[int, tuple[int | None, tuple[Value, ...]]] = {}
    rejects: dict[int, str] = {}
    for key, ref, values in table.rows:
        states, results = [], []
        for column, value in zip(table.columns, values, strict=True):
            try:
                result = column.way.convert(value)
            except Refused as refused:
                states.append(str(refused.args[0]))
                continue
            if result is None and column.not_null:
                states.append("23502")
            elif column.at_least is not None and isinstance(result, int) and result < column.at_least:
                states.append("23514")
            results.append(result)
        if states:
            rejects[key] = states[0] if len(set(states)) == 1 else ""
        else:
            rows[key] = (ref, tuple(results))
    return rows, rejects


def _collide(
    table: TableSpec, rows: dict[int, tuple[int | None, tuple[Value, ...]]], rejects: dict[int, str]
) -> None:
    """Greedily in key order over all unique keys at once; NULLs never collide."""
    taken: set[tuple[int, Value]] = set()
    for key in sorted(rows):
        ref, values = rows[key]
        keys = [
            (n, v)
            for n, (c, v) in enumerate(zip(table.columns, values, strict=True))
            if c.unique and v is not None
        ]
        if table.ref_unique and ref is not None:
            keys.append((-1, ref))
        if any(k in taken for k in keys):
            del rows[key]
            rejects[key] = "23505"
        else:
            taken.update(keys)


def _cascade(rows: dict[int, tuple[int | None, tuple[Value, ...]]], rejects: dict[int, str]) -> None:
    while True:
        orphans = [k for k, (ref, _) in rows.items() if ref is not None and ref not in rows]
        if not orphans:
            return
        for key in orphans:
            del rows[key]
            rejects[key] = "23503"
