"""Which names an expression mentions, as the server printed it."""

from __future__ import annotations

import re

from tranship.model.catalog import Table

_NAME = re.compile(r"""'(?:[^']|'')*'|"((?:[^"]|"")+)"|([^\W\d][\w$]*)""")
"""A literal (no group), a quoted name, a plain name."""


def mentioned(expression: str, table: Table) -> set[str]:
    """Columns that an expression printed by NEW may read: every name in it that is a column's, function names included."""
    names = {quoted.replace('""', '"') if quoted else plain for quoted, plain in _NAME.findall(expression)}
    return {c.name for c in table.columns if c.name in names}
