"""Every reason for a reject has its words, near the server's own, and survives the journal."""

from __future__ import annotations

from typing import get_args

import pytest

from tranship.model.names import TableName
from tranship.model.reasons import (
    CheckViolated,
    ComesSecond,
    DomainRefusesNull,
    EmptyPeriod,
    HeldBefore,
    HeldByAnother,
    HeldByNew,
    HeldNoMore,
    HeldOtherwise,
    InvalidByte,
    LookupGap,
    LookupIsAnother,
    MappingGap,
    NoEquivalent,
    NoParentInOld,
    NoPartition,
    NotChangeable,
    NullRefused,
    OldCannotCompute,
    ParentElsewhere,
    ParentIsAnother,
    ParentKeyChanged,
    ParentMerged,
    ParentMissing,
    ParentNotThere,
    Reason,
    ServerSaid,
    SurvivorRejected,
    from_journal,
    journalled,
)
from tranship.report.reasons import reason_text

CITY = TableName("public", "city")
REASONS: dict[Reason, str] = {
    ServerSaid("value too long"): "value too long",
    ServerSaid("out of range", "70000"): "out of range: '70000'",
    OldCannotCompute("division by zero"): "OLD cannot compute the row: division by zero",
    LookupGap(CITY, ("zip", "land"), "(1,2)"): "no entry in lookup table public.city for zip, land = '(1,2)'",
    LookupGap(CITY, ("zip",), "1", gone=True): (
        "no entry in lookup table public.city for zip = '1' because its row was rejected"
    ),
    LookupIsAnother(CITY, ("zip", "land")): (
        "lookup table public.city: the row of OLD under this zip, land was rejected, and the row of NEW"
        ' under it is another one (an entry "adopt" says that it is meant)'
    ),
    MappingGap("x"): "no entry in the value mapping for 'x'",
    InvalidByte(0xE9): 'invalid byte sequence for encoding "UTF8": 0xe9',
    NoEquivalent("€", "LATIN1"): (
        'character with byte sequence 0xe2 0x82 0xac in encoding "UTF8" has no equivalent in'
        ' encoding "LATIN1"'
    ),
    NullRefused(
        "name", "city"
    ): 'null value in column "name" of relation "city" violates not-null constraint',
    DomainRefusesNull("name", "short"): "domain short of column name does not allow null values",
    CheckViolated("small", "city"): 'new row for relation "city" violates check constraint "small"',
    EmptyPeriod("days", "lease"): ('empty WITHOUT OVERLAPS value found in column "days" in relation "lease"'),
    NoPartition("city"): 'no partition of relation "city" found for row',
    HeldByNew("city_key", False, '{"id": 1}'): (
        'duplicate key value violates unique constraint "city_key": NEW already holds the row {"id": 1}'
    ),
    HeldBefore('{"id": 1}'): 'NEW held the row {"id": 1} before the run',
    HeldOtherwise('{"id": 1}', ("name", "zip")): (
        'NEW held the row {"id": 1} before the run, with another value in name, zip'
    ),
    HeldByAnother('{"id": 1}'): (
        'NEW held the row {"id": 1} before the run, and an earlier row of OLD stands for it'
    ),
    HeldNoMore("city"): ("NEW held a row of city with its key when the run began, and holds it no longer"),
    NotChangeable('{"id": 1}', ("id",)): (
        'NEW held the row {"id": 1} before the run, and an update does not change id'
    ),
    ComesSecond("parties_pkey", False, '{"id": 1}', "public.customers"): (
        'duplicate key value violates unique constraint "parties_pkey": the row {"id":'
        " 1} of public.customers in OLD comes first"
    ),
    ComesSecond("city_during", True, '{"id": 1}'): (
        'conflicting key value violates exclusion constraint "city_during": the row {"id":'
        " 1} of OLD comes first"
    ),
    SurvivorRejected(): "its survivor was rejected: the row into which it is merged",
    ParentMissing("town", "town_city", ("city",), "(7)", "city", gone=True): (
        'insert or update on table "town" violates foreign key constraint "town_city": '
        'Key (city)=(7) is not present in table "city" because its parent was rejected'
    ),
    ParentMissing("town", "town_city", ("a", "b"), None, "city", gone=False): (
        'insert or update on table "town" violates foreign key constraint "town_city": '
        "MATCH FULL does not allow mixing of null and nonnull key values"
    ),
    ParentIsAnother("town", "town_city", ("city",), "(7)", "city"): (
        'foreign key constraint "town_city" of table "town": the parent with Key (city)=(7) was rejected,'
        ' and the row of "city" under that key is another one (an entry "adopt" says that it is meant)'
    ),
    ParentMerged("town", "town_city", ("city",), "(7)", "city"): (
        'foreign key constraint "town_city" of table "town": the parent with Key (city)=(7) is merged into'
        ' another row of "city" ("repoint_children": true in the merge leads children to it; a SELECT or an expression has to give the key of the row that stays)'
    ),
    ParentElsewhere("town", "town_city", ("city",), "(7)", "city"): (
        'foreign key constraint "town_city" of table "town": NEW held the parent with Key (city)=(7) before'
        ' the run, under another key of "city" ("repoint_children": true leads children to it, unless that'
        " key is NULL)"
    ),
    ParentKeyChanged("town", "town_city", ("city",), "(7)", "city"): (
        'foreign key constraint "town_city" of table "town": the parent with Key (city)=(7) gets another key'
        ' in "city" by decision, and the row keeps OLD\'s (give it the same expression, mapping or lookup, or'
        ' "adopt" the row of NEW under that key)'
    ),
    NoParentInOld("town", "town_city", ("city",), "(7)", "city"): (
        'foreign key constraint "town_city" of table "town": no row that is moved from OLD is the parent'
        ' with Key (city)=(7), and the row of "city" under that key is another one'
        ' (an entry "adopt" says that it is meant)'
    ),
    NoParentInOld("town", "town_city", ("city",), "(7)", "city", left_out=True): (
        'foreign key constraint "town_city" of table "town": the parent with Key (city)=(7) is left out by a'
        ' filter, and the row of "city" under that key counts as another one'
        ' (an entry "adopt" says that it is meant)'
    ),
    ParentNotThere("town_city", CITY): (
        "foreign key town_city: the parent in public.city did not arrive or was deleted"
    ),
}


def test_every_reason_is_tried() -> None:
    assert {type(reason) for reason in REASONS} == set(get_args(Reason))


@pytest.mark.parametrize("reason", REASONS, ids=lambda reason: type(reason).__name__)
def test_words_and_journal(reason: Reason) -> None:
    assert reason_text(reason) == REASONS[reason]
    assert from_journal(journalled(reason)) == reason


def test_an_earlier_journal_holds_the_words_themselves() -> None:
    assert from_journal(b"no partition found") == ServerSaid("no partition found")
    assert from_journal(b'{"a": 1}') == ServerSaid('{"a": 1}')


def test_bytes_of_no_encoding_are_journalled_escaped() -> None:
    assert from_journal(journalled(MappingGap("a\udce9"))) == MappingGap("a\\udce9")
    assert reason_text(MappingGap("a\udce9")) == "no entry in the value mapping for 'a\\udce9'"
