"""The names that a printed expression mentions."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tranship.model.catalog import Table

_NAME = re.compile(r"""'(?:[^']|'')*'|"((?:[^"]|"")+)"|([^\W\d][\w$]*)""")
"""A literal (no group, so that its words are skipped), a quoted name, a plain name."""
_BEFORE_STAR = re.compile(r"""'(?:[^']|'')*'|("(?:[^"]|"")+"|[^\W\d][\w$]*)(\.\*)?""")
"""A literal, or a name with the star behind it."""


def mentioned(expression: str, table: Table) -> set[str]:
    """Returns the columns of a table that an expression may read.

    A function that has the name of a column counts, too: a column too many costs a little reading, one too
    few would make a data check miss rows.
    """
    if reads_whole_row(expression):
        return {c.name for c in table.columns}
    names = {quoted.replace('""', '"') if quoted else plain for quoted, plain in _NAME.findall(expression)}
    return {c.name for c in table.columns if c.name in names}


def reads_whole_row(expression: str) -> bool:
    """Returns whether an expression reads the row as one value, printed as its table's name and ``.*``."""
    return with_whole_row(expression, "") != expression


def with_whole_row(expression: str, written: str) -> str:
    """Returns a printed expression with another text in place of the row as one value."""

    def one(found: re.Match[str]) -> str:
        name, star = found.groups()
        # An operator of another schema looks alike: OPERATOR(schema.*).
        is_row = name and star and not expression.endswith("OPERATOR(", 0, found.start())
        return written if is_row else found[0]

    return _BEFORE_STAR.sub(one, expression)


def with_columns(expression: str, written: Mapping[str, str]) -> str:
    """Returns a printed expression with other texts in place of columns' names. The names of functions and
    of the types of casts stay.
    """

    def one(found: re.Match[str]) -> str:
        quoted, plain = found.groups()
        name = quoted.replace('""', '"') if quoted else plain
        is_column = not expression.startswith("(", found.end()) and expression[: found.start()][-2:] != "::"
        return written[name] if name in written and is_column else found[0]

    return _NAME.sub(one, expression)
