"""The text of a row that both servers hash, and its hash.

The text of a value is equal on two servers exactly where whoever reads the value sees the same: 1.0 and 1.00,
0 and -0, NULL and '' differ. It is not the text by which a type's ``=`` compares (``sql/types/values.py``).
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from tranship.model.builtin_types import Family
from tranship.model.digest import HashForm, RowHash
from tranship.model.types import PgType, TypeKind
from tranship.sql.types.family import as_text


def value_text(value: str, pg_type: PgType) -> str:
    """Returns SQL for the text of a value of a type, as a session with pinned settings prints it.

    Values whose printed form depends on a version or a setting that cannot be pinned are printed otherwise:
    floats as their bits, money as its worth, moments in UTC, ``"char"`` as its number.
    """
    leaf = pg_type.leaf
    if leaf.kind is TypeKind.ENUM:
        # A user's own cast to text may say something else than the label that COPY sends.
        return f"pg_catalog.textin(pg_catalog.enum_out({value}))"
    match leaf.family:
        case Family.FLOAT:
            send = "float4send" if leaf.typname == "float4" else "float8send"
            return f"pg_catalog.encode(pg_catalog.{send}({value}), 'hex')"
        case Family.MONEY:
            return as_text(f"CAST({value} AS pg_catalog.numeric)")
        case Family.TIMESTAMP if leaf.builtin is not None and leaf.builtin.zoned:
            return as_text(f"pg_catalog.timezone('UTC', {value})")
        case Family.XML:
            # COPY sends it without its encoding declaration, which the cast to text keeps (xml_out).
            return f"pg_catalog.textin(pg_catalog.xml_out({value}))"
        case Family.STRING if leaf.typname == "char":
            return as_text(f"CAST({value} AS pg_catalog.int4)")
        case _:
            return as_text(value)


def row_text(texts: Sequence[str]) -> str:
    """Returns SQL for one text over the texts of a row's values; a record keeps NULL and '' apart."""
    return f"CAST(ROW({', '.join(texts)}) AS pg_catalog.text)"


class RowTexts(Struct, frozen=True):
    """What is read of single rows to name them."""

    columns: tuple[str, ...]
    """SQL of the text of each copied column."""
    keys: tuple[int, ...]
    """The positions among them of a key of NEW; empty: it has none, and equal rows cannot be told apart."""
    wanted: bool = False
    """Only rows of given keys are read, with the text of every column."""

    @property
    def key(self) -> str:
        """SQL for a row's key as one text; NULL where there is no key."""
        return row_text([self.columns[n] for n in self.keys]) if self.keys else "NULL::pg_catalog.text"

    @property
    def values(self) -> str:
        """SQL for the texts of all columns, where they are wanted."""
        listed = ", ".join(self.columns) if self.wanted else ""
        return f"ARRAY[{listed}]::pg_catalog.text[]"


def row_sums(form: HashForm) -> str:
    """Returns SQL for the columns ``rows``, ``first`` and ``second`` over rows whose text is ``h.r``."""
    first, second = (f"COALESCE(pg_catalog.sum({half}), 0)::pg_catalog.text" for half in _halves(form))
    return f"pg_catalog.count(*) AS rows, {first} AS first, {second} AS second"


def row_hash(form: HashForm) -> str:
    """Returns SQL for the two hashes of one row, ``h.r``, as one text."""
    first, second = _halves(form)
    return f"CAST({first} AS pg_catalog.text) || ' ' || CAST({second} AS pg_catalog.text)"


def _halves(form: HashForm) -> tuple[str, str]:
    if form.how is RowHash.NATIVE:
        # Under "C" the bytes alone count, on every version.
        native = 'pg_catalog.hashtextextended(h.r COLLATE pg_catalog."C", '
        return f"{native}0)", f"{native}1)"
    md5 = f"pg_catalog.md5(pg_catalog.convert_to(h.r, '{form.encoding}'))"
    return _number(f"pg_catalog.substr({md5}, 1, 16)"), _number(f"pg_catalog.substr({md5}, 17, 16)")


def _number(hexadecimal: str) -> str:
    """Returns SQL for 16 hexadecimal digits as a signed 64-bit number."""
    return f"CAST(CAST('x' || {hexadecimal} AS pg_catalog.bit(64)) AS pg_catalog.int8)"
