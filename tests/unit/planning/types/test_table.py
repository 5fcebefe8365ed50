"""The table of types is whole: every family has its rules and its SQL, and what one says of a pair of types,
the others know too.
"""

from __future__ import annotations

from itertools import product

import pytest

from support.build import pg_type
from tranship.model.builtin_types import BUILTINS, Builtin, Family, builtin_called
from tranship.model.expression import Loss
from tranship.model.names import TableName
from tranship.model.types import PgType, TypeKind
from tranship.planning.types.conversion import convert
from tranship.planning.types.table import RULES
from tranship.planning.types.values import castable
from tranship.sql.types.table import FAMILY_SQL
from tranship.sql.types.values import canonical_builtin, certain, changes

MODIFIED = (
    *("varchar(5)", "char(5)", "numeric(6,2)", "time(0)", "timetz(0)", "timestamp(0)", "timestamptz(0)"),
    *("interval(0)", "bit(4)", "varbit(4)"),
)


def plain(row: Builtin) -> PgType:
    return PgType(
        row.printed, row.printed, TypeKind.BASE, name=TableName("pg_catalog", row.name), category="?"
    )


TYPES = [*map(plain, BUILTINS.values()), *map(pg_type, MODIFIED)]


def test_every_family_has_its_rules_and_its_sql() -> None:
    assert set(RULES) == set(FAMILY_SQL) == set(Family) == {row.family for row in BUILTINS.values()}


@pytest.mark.parametrize("row", BUILTINS.values(), ids=str)
def test_a_type_is_found_by_both_of_its_names(row: Builtin) -> None:
    assert builtin_called(row.name) is builtin_called(row.printed) is row
    assert plain(row).builtin is row


def test_only_integers_have_limits() -> None:
    limits = {row.name: (row.low, row.high) for row in BUILTINS.values() if row.bits}
    assert limits == {
        "int2": (-32768, 32767),
        "int4": (-2147483648, 2147483647),
        "int8": (-9223372036854775808, 9223372036854775807),
    }
    for name, (low, high) in limits.items():
        assert castable(plain(BUILTINS[name]), str(high)) and castable(plain(BUILTINS[name]), str(low))
        assert castable(plain(BUILTINS[name]), str(high + 1)) is False
        assert len(str(high)) == BUILTINS[name].digits


def test_what_a_conversion_loses_can_be_counted() -> None:
    """OLD counts every loss that a judgement names, under the same word, unless NEW reads a string as
    another type.
    """
    for old, new in product(TYPES, TYPES):
        loss = convert(old, new).loss
        found = changes("v", old, new, "UTC")
        read_by_new = old.family is Family.STRING and new.family is not Family.STRING
        if loss is not Loss.NONE and not read_by_new:
            assert [kind for kind, _ in found] == [loss], (old.text, new.text, loss, found)


def test_equal_texts_belong_to_types_with_an_equality() -> None:
    none = {name for name in BUILTINS if canonical_builtin("v", name) is None}
    assert none >= {"json", "xml", "point", "tsquery", "interval", "money", "aclitem", "regclass"}
    assert none.isdisjoint({"int4", "numeric", "text", "uuid", "oid", "timestamptz"})


def test_a_value_is_vouched_for_only_where_a_conversion_exists() -> None:
    for old, new in product(TYPES, TYPES):
        if certain("v", old, new, in_bytes=False) is not None:
            assert convert(old, new).bare, (old.text, new.text)
