"""Names as words, and how people write the same word differently."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache

_WORD = re.compile(r"[0-9]+|[^\W\d_]+", re.UNICODE)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")

# Only abbreviations that stand for one word in nearly every schema: "no" is a number in a column's name, "st"
# could be a street or a state and is left out.
_ABBREVIATIONS = {
    "addr": "address",
    "amt": "amount",
    "attr": "attribute",
    "auth": "authentication",
    "avg": "average",
    "cat": "category",
    "cfg": "configuration",
    "cnt": "count",
    "config": "configuration",
    "conf": "configuration",
    "ctry": "country",
    "curr": "current",
    "cust": "customer",
    "desc": "description",
    "descr": "description",
    "dept": "department",
    "dob": "birthdate",
    "dt": "date",
    "emp": "employee",
    "fk": "id",
    "fname": "firstname",
    "freq": "frequency",
    "img": "image",
    "info": "information",
    "lang": "language",
    "lat": "latitude",
    "len": "length",
    "lng": "longitude",
    "lon": "longitude",
    "lname": "lastname",
    "loc": "location",
    "max": "maximum",
    "mgr": "manager",
    "min": "minimum",
    "msg": "message",
    "nbr": "number",
    "no": "number",
    "num": "number",
    "org": "organization",
    "organisation": "organization",
    "orig": "original",
    "param": "parameter",
    "passwd": "password",
    "pct": "percent",
    "percentage": "percent",
    "perc": "percent",
    "pic": "picture",
    "pos": "position",
    "postcode": "zip",
    "postal": "zip",
    "prev": "previous",
    "prod": "product",
    "pwd": "password",
    "qty": "quantity",
    "ref": "reference",
    "req": "request",
    "seq": "sequence",
    "spec": "specification",
    "src": "source",
    "stat": "status",
    "tel": "phone",
    "telephone": "phone",
    "temp": "temporary",
    "tmp": "temporary",
    "txt": "text",
    "usr": "user",
    "val": "value",
    "zipcode": "zip",
}


@lru_cache(maxsize=65536)
def words(name: str) -> tuple[str, ...]:
    """Returns the words of a name in lower case, split at separators, at camel case and at digits."""
    parts: list[str] = []
    for run in _WORD.findall(name):
        parts.extend(part.lower() for part in _CAMEL.split(run) if part)
    return tuple(parts)


@lru_cache(maxsize=65536)
def squashed(name: str) -> str:
    """Returns the name without case and separators."""
    return "".join(words(name))


@lru_cache(maxsize=65536)
def numbers(name: str) -> tuple[str, ...]:
    """Returns the runs of digits in a name, in order."""
    return tuple(word for word in words(name) if word.isdigit())


@lru_cache(maxsize=65536)
def singular(word: str) -> str:
    """Returns an English word without its plural ending: good enough to compare, not to print."""
    # The least lengths are for short words: "ties" becomes "tie", not "ty", "uses" is "use", "gas" stays.
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    # The singular of "houses" and "causes" ends in "e", that of "statuses" and "buses" does not.
    if word.endswith(("ouses", "auses")):
        return word[:-1]
    if len(word) > 4 and word.endswith(("sses", "shes", "ches", "xes", "zes", "uses")):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


@lru_cache(maxsize=65536)
def stems(name: str) -> tuple[str, ...]:
    """Returns the words of a name, singular and with common abbreviations written out."""
    return tuple(_ABBREVIATIONS.get(stem, stem) for stem in map(singular, words(name)))


def in_common(before: str, after: str, common: Collection[str]) -> list[str]:
    """Returns in words which ``common`` stems two names have; a stem of which one is written in another
    word altogether, as ``postal`` for ``zip``, is named with both words.
    """
    left, right = (dict(zip(stems(name), words(name), strict=True)) for name in (before, after))
    here = [(word, right.get(stem, word), stem) for stem, word in left.items() if stem in common]
    shared = [stem for word, other, stem in here if _is_same_word(word, other)]
    lines = [f"names share {', '.join(shared)}"] if shared else []
    return lines + [f"{a} and {b} mean the same" for a, b, _ in here if not _is_same_word(a, b)]


def _is_same_word(one: str, other: str) -> bool:
    """Returns whether two words of one stem are alike to the eye: the same, a plural, or an abbreviation."""
    return singular(one)[0] == singular(other)[0]


@lru_cache(maxsize=65536)
def folded(name: str) -> str:
    """Returns the name without case, separators and plural endings."""
    return "".join(map(singular, words(name)))


_SYNONYMS = """
at on date time datetime timestamp when
count total number quantity amount sum counter
type kind category class subtype
name title label caption heading
description summary body text content note comment detail message remark
status state stage condition
user account member person owner author creator customer client profile
url link uri href website homepage
image picture photo avatar logo icon
code identifier key slug symbol ticker reference token
position order rank sort sequence sequential index priority
begin start from opened since
end finish until to expire expiry due close closed
created inserted added published
updated modified changed edited
deleted removed discarded archived
active enabled enable visible public shown
disabled inactive hidden private
email mail
phone mobile cell
language locale
organization company organisation business
parent ancestor
option setting preference configuration
price cost amount fee
surname lastname
value score point
"""

GROUPS = tuple(frozenset(line.split()) for line in _SYNONYMS.split("\n") if line)
"""Words that schemas use for one another.

A word may be in several groups; being synonymous is not transitive.
"""
_GROUPS_OF = {
    word: frozenset(i for i, group in enumerate(GROUPS) if word in group)
    for group in GROUPS
    for word in group
}
_NONE = frozenset[int]()


def synonymous(left: str, right: str) -> bool:
    """Returns whether two different stems are in one group."""
    return left != right and not _GROUPS_OF.get(left, _NONE).isdisjoint(_GROUPS_OF.get(right, _NONE))
