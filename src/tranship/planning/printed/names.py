"""The names that a printed expression mentions."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tranship.model.catalog import Table

_NAME = re.compile(r"""'(?:[^']|'')*'|"((?:[^"]|"")+)"|([^\W\d][\w$]*)""")
"""A literal (no group, so that its words are skipped), a quoted name, a plain name."""


def mentioned(expression: str, table: Table) -> set[str]:
    """Returns the columns of a table that an expression may read.

    A function that has the name of a column counts, too: a column too many costs a little reading, one too
    few would make a data check miss rows.
    """
    names = {quoted.replace('""', '"') if quoted else plain for quoted, plain in _NAME.findall(expression)}
    return {c.name for c in table.columns if c.name in names}


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
