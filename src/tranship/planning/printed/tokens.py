"""The tokens of printed expressions, and names in the form in which two expressions are compared."""

from __future__ import annotations

import re
from functools import lru_cache

from tranship.planning.printed.one_spelling import one_spelling

_TOKEN = re.compile(
    r"""(?P<quoted>"(?:[^"]|"")*")|(?P<string>'(?:[^']|'')*')"""
    r"""|(?P<word>[^\W\d][\w$]*)|(?P<space>\s+)|(?P<number>\d[\w.]*)|(?P<cast>::)|(?P<sign>.)""",
    re.DOTALL,
)
_PLAIN = re.compile(r"[a-z_][a-z0-9_$]*\Z")
KEYWORDS = frozenset(
    re.findall(
        r"\w+",
        """
        all analyse analyze and any array as asc asymmetric authorization between bigint binary bit
        boolean both case cast char character check coalesce collate collation column concurrently
        constraint create cross current_catalog current_date current_role current_schema current_time
        current_timestamp current_user dec decimal default deferrable desc distinct do else end except
        exists extract false fetch float for foreign freeze from full grant greatest group grouping
        having ilike in initially inner inout int integer intersect interval into is isnull join json
        json_array json_arrayagg json_exists json_object json_objectagg json_query json_scalar
        json_serialize json_table json_value lateral leading least left like limit localtime
        localtimestamp merge_action national natural nchar none normalize not notnull null nullif
        numeric offset on only or order out outer overlaps overlay placing position precision primary
        real references returning right row select session_user setof similar smallint some substring
        symmetric system_user table tablesample then time timestamp to trailing treat trim true union
        unique user using values varchar variadic verbose when where window with xmlattributes xmlconcat
        xmlelement xmlexists xmlforest xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable
        """,
    )
)
"""Names that servers print in quotes although their letters are plain: all but the unreserved keywords.

PostgreSQL 18, appendix C of its manual ("SQL Key Words"); a keyword that an older server does not have does
no harm.
"""


@lru_cache(maxsize=4096)
def tokens(text: str) -> tuple[str, ...]:
    """Returns the words, literals and signs of a printed expression; white space becomes one blank."""
    return tuple(" " if match.lastgroup == "space" else match.group() for match in _TOKEN.finditer(text))


def unquoted(token: str) -> str | None:
    """Returns the name that an identifier token stands for; None for any other token."""
    if token.startswith('"'):
        return token[1:-1].replace('""', '"')
    return token if token[:1].isalpha() or token[:1] == "_" else None


def as_identifier(name: str) -> str:
    """Returns a name as an identifier that a server reads: with quotes only where it needs them."""
    return name if _PLAIN.match(name) and name not in KEYWORDS else '"' + name.replace('"', '""') + '"'


def canonical(text: str | None) -> str | None:
    """Returns a printed expression of NEW in the form that compares with a translated one of OLD; None for
    None.
    """
    if text is None:
        return None
    return "".join(canonical_token(token) for token in tokens(one_spelling(text))).strip()


def canonical_token(token: str) -> str:
    """Returns one token as it compares: identifiers lose the quotes that they do not need."""
    name = unquoted(token) if token.startswith('"') else None
    return token if name is None else as_identifier(name)
