"""The names that a printed expression mentions."""

from __future__ import annotations

import re

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
