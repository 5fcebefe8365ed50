"""Values that NEW's input function refuses although both types are the same: other versions, other objects.
Pure.
"""

from __future__ import annotations

from tranship.model.builtin_types import Builtin, Family, Refusal
from tranship.model.types import PgType

_TAKES_EVERY_TEXT = frozenset({"citext"})
"""Types of extensions whose input function is that of text."""


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
