"""What a constraint demands is said beside the rows that it rejects."""

from __future__ import annotations

from msgspec.structs import replace

from tranship.execution.results.causes import with_rules
from tranship.model.catalog import Check, Column, Index, Key, RelationKind, Table
from tranship.model.names import TableName
from tranship.model.types import DomainCheck, PgType, TypeKind
from tranship.model.verdict import RejectCause
from tranship.planning.printed.constraint_rules import rules_of
from tranship.report.causes import cause_words

TEXT = PgType("text", "text")
SHORT = replace(
    TEXT, kind=TypeKind.DOMAIN, element=TEXT, checks=(DomainCheck("short", "(length(VALUE) < 9)"),)
)
SHORTS = replace(TEXT, kind=TypeKind.ARRAY, element=SHORT)
SALE = Table(
    TableName("public", "sale"),
    RelationKind.TABLE,
    (Column("code", 1, SHORTS),),
    keys=(Key("sale_pkey", True, ("shop", "no")),),
    checks=(Check("price", "(price > 0)"),),
    indexes=(
        Index("by_mail", "", unique=True, keys=("lower(mail)",), predicate="(NOT gone)"),
        Index("plain", "", keys=("price",)),
        Index(
            "no_overlap",
            "",
            keys=("room", "during"),
            constraint="one_guest",
            exclusion_operators=("OPERATOR(pg_catalog.=)", "OPERATOR(pg_catalog.&&)"),
        ),
    ),
)


def test_each_constraint_is_said_in_words() -> None:
    assert rules_of(SALE) == {
        "short": "(length(VALUE) < 9)",
        "sale_pkey": "each (shop, no) once",
        "by_mail": "each (lower(mail)) once where (NOT gone)",
        "one_guest": "no two rows that agree on (room WITH =, during WITH &&)",
        "price": "(price > 0)",
    }


def test_the_words_of_a_cause_end_with_what_is_demanded() -> None:
    found = [
        RejectCause("CheckViolated", "23514", 2, constraint="price"),
        RejectCause("CheckViolated", "23514", 1, constraint="another"),
    ]
    known, unknown = (cause_words(one, values=False) for one in with_rules(found, SALE))
    assert known == "check price refuses the row (23514): 2 rows; it demands (price > 0)"
    assert unknown.endswith(": 1 row")
    long = RejectCause("CheckViolated", "23514", 2, constraint="price", rule="x" * 900)
    assert cause_words(long, values=False).endswith(f"demands {'x' * 200}…")
