"""What server versions and missing objects change for two types that are the same: values that NEW's input
function refuses, or reads otherwise. Pure.
"""

from __future__ import annotations

from tranship.model.builtin_types import Builtin, Family, Refusal
from tranship.model.expression import Conversion, Rule
from tranship.model.types import PgType
from tranship.planning.types.judgement import SAME, no_conversion

_TAKES_EVERY_TEXT = frozenset({"citext"})
"""Types of extensions whose input function is that of text."""


BYTES_PRINTED = 150000
"""From this version on a "char" above 127 is printed and read as ``\\ooo``; before, as a byte that may be no
text.
"""


def single_byte(versions: tuple[int, int]) -> Conversion:
    """Judges two columns of the type "char" of OLD's and NEW's ``server_version_num``."""
    if versions[1] < BYTES_PRINTED:
        return no_conversion(
            'before PostgreSQL 15 no text stands for a "char" above 127: give a transform_sql'
        )
    return SAME if versions[0] >= BYTES_PRINTED else Conversion(Rule.NEW_INPUT, automatic=True)


def may_refuse(old: PgType, new: PgType, versions: tuple[int, int]) -> bool:
    """Returns whether NEW may refuse a value of OLD's type of the same name.

    ``versions`` are OLD's and NEW's ``server_version_num``. The type of an extension counts as changed with
    the major version of the server: ltree takes hyphens from PostgreSQL 16 on, without another version of
    its own.
    """
    row = new.builtin
    if row is not None:
        return _builtin_may_refuse(row, old, versions)
    by_extension = new.extension is not None and new.typname == ""
    takes_all = new.name is not None and new.name.name in _TAKES_EVERY_TEXT
    return by_extension and not takes_all and _majors_differ(versions)


def _builtin_may_refuse(row: Builtin, old: PgType, versions: tuple[int, int]) -> bool:
    if row.refusal is Refusal.MISSING_OBJECT:
        return True
    if row.refusal is Refusal.OTHER_VERSION and _majors_differ(versions):
        return True
    bounded = row.family is Family.NUMERIC and bool(old.modifiers)
    grew = versions[1] < row.grew_in <= versions[0] and not bounded
    return grew or _crosses(row.binary_changed_in, versions)


def _crosses(version: int, versions: tuple[int, int]) -> bool:
    """Bytes that changed their meaning are values that one of the two versions has not."""
    return (versions[0] < version) != (versions[1] < version)


def _majors_differ(versions: tuple[int, int]) -> bool:
    return versions[0] // 10000 != versions[1] // 10000
