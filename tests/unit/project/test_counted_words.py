"""The words of a message agree with the number that it gives."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from string import Formatter
from typing import get_type_hints

import pytest

from tranship.errors import table
from tranship.errors.codes.entries import WrongKeyCount
from tranship.errors.codes.privileges import SequenceExhausted
from tranship.errors.codes.scope import ColumnsUnreadable
from tranship.errors.codes.start import TooManyRejects
from tranship.errors.codes.stops import OthersRefer, RowsGone
from tranship.errors.message import Counted, Message
from tranship.model.names import TableName

SALE = TableName("public", "sale")
SHOP = TableName("public", "shop")
MESSAGES = [one for code in table.rows() for one in table.messages(code)]
NO_NOUN = {"accounted", "and", "has"}
"""The words that follow a number and say nothing of several things."""
NOUNS = "row|value|column|run|stream|second|byte|relation"


def templates(what: type[Message]) -> Iterator[str]:
    yield from (what.message, what.hint, what.about)


def counted(what: type[Message]) -> dict[str, object]:
    """Returns the fields that are numbers or lists, with their types."""
    types = get_type_hints(what)
    names = {name for name in what.__struct_fields__ if types[name] is int or "tuple[" in str(types[name])}
    return {name: types[name] for name in names}


def read(what: type[Message], template: str, number: int) -> str:
    """Returns a template with ``number`` in place of every number, and so many elements in every list."""
    lists = ", ".join(f"<{place}>" for place in range(number))
    values: Mapping[str, object] = {
        name: Counted(number, str(number) if of is int else lists) for name, of in counted(what).items()
    }
    text = ""
    for words, field, form, _ in Formatter().parse(template):
        text += words
        if field is not None:
            text += format(values[field], form or "") if field in values else f"<{field}>"
    return text


@pytest.mark.parametrize("what", MESSAGES, ids=lambda what: what.__name__)
def test_a_noun_after_a_number_has_both_forms(what: type[Message]) -> None:
    """A template that names several things after a bare number would say "1 rows"."""
    for template in templates(what):
        parts = list(Formatter().parse(template))
        for (_, field, form, _), (words, *_) in pairwise(parts):
            noun = re.match(r" ([a-z]+)", words)
            if field in counted(what) and not form and noun and counted(what)[field] is int:
                assert noun[1] in NO_NOUN, f"{what.__name__}: {template}"


@pytest.mark.parametrize("what", MESSAGES, ids=lambda what: what.__name__)
def test_only_numbers_and_lists_have_two_forms(what: type[Message]) -> None:
    for template in templates(what):
        for _, field, form, _ in Formatter().parse(template):
            if form and "|" in form:
                assert field in counted(what), f"{what.__name__}: {field}"
                assert form.count("|") == 1
        assert not re.search(rf"\b1 ([a-z]+ )?({NOUNS})s\b", read(what, template, 1))
        assert not re.search(rf"\b2 ((?:rejected|key|old) )?({NOUNS})\b", read(what, template, 2))


@pytest.mark.parametrize(
    ("what", "words"),
    [
        (TooManyRejects(1, "0"), "1 row would be rejected, --max-rejects allows 0"),
        (TooManyRejects(0, "0"), "0 rows would be rejected, --max-rejects allows 0"),
        (WrongKeyCount(1, 2), "lookup_table has 1 key column, the entry names 2 old columns"),
        (SequenceExhausted(SALE, 1, 2), "sequence public.sale of NEW has 1 value left, 2 rows need one each"),
        (RowsGone(SALE, 1, 0), "public.sale: the run wrote 1 row, and NEW holds at most 0: "),
        (
            OthersRefer(SALE, 1, SHOP, "sale_shop"),
            "1 row of public.sale that others wrote refers to rows of public.shop that have to leave again ",
        ),
        (
            OthersRefer(SALE, 3, SHOP, "sale_shop"),
            "3 rows of public.sale that others wrote refer to rows of public.shop that have to leave again ",
        ),
        (
            ColumnsUnreadable(SALE, "ann", "shop", "GRANT", ("id",)),
            "column id of table public.sale may not be read by 'ann'",
        ),
        (
            ColumnsUnreadable(SALE, "ann", "shop", "GRANT", ("id", "at")),
            "columns id, at of table public.sale may not be read by 'ann'",
        ),
    ],
)
def test_noun_and_verb_agree_with_the_number(what: Message, words: str) -> None:
    assert what.problem().message.startswith(words)


def test_a_word_about_one_thing_in_the_hint_agrees_too() -> None:
    assert OthersRefer(SALE, 1, SHOP, "k").problem().hint.startswith("delete it or give it another parent")
    assert (
        OthersRefer(SALE, 2, SHOP, "k").problem().hint.startswith("delete them or give them another parent")
    )
