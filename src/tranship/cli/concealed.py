"""Passwords that a person typed in a place where no URL belongs: no message repeats them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePath

from msgspec.structs import replace

from tranship.model.resolution import Problem

_WITH_PASSWORD = re.compile(r":(?!//)(?!\$\{\w+\}@)[^:]*@|\bpassword\s*=")
"""A URL, or one with a slip of the pen, that holds a password, or a connection string of libpq that does. A
variable of the environment in its place is none.
"""
_SCHEME = re.compile(r"^[a-z]+://")


def concealed(problems: Sequence[Problem], words: Sequence[str]) -> tuple[Problem, ...]:
    """Returns problems in which dots stand for the words of a command line that hold a password."""
    secret = {part for word in words for part in _parts(word) if _WITH_PASSWORD.search(part)}
    # The longest first: one may be a part of another.
    written = sorted({form for one in secret for form in _forms(one)}, key=len, reverse=True)
    return tuple(_without(one, written) for one in problems) if written else tuple(problems)


def _parts(word: str) -> Sequence[str]:
    """Returns a word, or what an option is given in the same word."""
    name, equal, value = word.partition("=")
    return (value, word) if equal and name.startswith("-") else (word,)


def _forms(word: str) -> Sequence[str]:
    """Returns how messages write a word: as it is, quoted, or as the path of a file."""
    return (word, repr(word)[1:-1], str(PurePath(word)))


def _without(problem: Problem, written: Sequence[str]) -> Problem:
    texts = {"object": problem.object, "message": problem.message, "hint": problem.hint}
    for form in written:
        scheme = _SCHEME.match(form)
        dots = f"{scheme[0] if scheme else ''}…"
        texts = {name: text.replace(form, dots) for name, text in texts.items()}
    return replace(problem, **texts)
