"""The hash of a row that both servers compute, and the texts of its values.

The text of a value is equal on two servers exactly where whoever reads the value sees the same: 1.0 and 1.00,
0 and -0, NULL and '' differ. It is not the text by which a type's ``=`` compares (``sql/types/values.py``).

To print a row and hash its text costs more than to copy it. So where both servers' hash functions agree, each
value is hashed by itself, those of common types without being printed, and the hash of a row is the XOR over
its columns, each of which has a seed of its own. What a column hashes is equal exactly where its text is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from msgspec import Struct

from tranship.model.builtin_types import Family
from tranship.model.digest import HashForm, RowHash
from tranship.model.types import PgType, TypeKind
from tranship.sql.quote import literal
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


_BY_VALUE: Mapping[str, str] = MappingProxyType(
    {
        "int2": "pg_catalog.hashint4extended(CAST({value} AS pg_catalog.int4), {seed})",
        "int4": "pg_catalog.hashint4extended({value}, {seed})",
        "bool": "pg_catalog.hashint4extended(CAST({value} AS pg_catalog.int4), {seed})",
        "int8": "(pg_catalog.hashint8extended({value}, {seed}) OPERATOR(pg_catalog.#)"
        " pg_catalog.hashint4extended(CAST({value} OPERATOR(pg_catalog.>>) 32 AS pg_catalog.int4), -{seed}))",
        "uuid": "pg_catalog.uuid_hash_extended({value}, {seed})",
    }
)
"""Hash functions that together take the whole value. Those of ``int8`` and of timestamps first fold 64
bits into 32, so that 1 and 4294967296 have the same hash (hashint8extended in hashfunc.c). The upper half,
hashed with a seed that no column has, tells such numbers apart: with it the folded half gives the lower one
back. That takes a third of the time of the binary form.
"""
_BY_BINARY_FORM: Mapping[str, str] = MappingProxyType(
    {
        "date": "date_send",
        "timestamp": "timestamp_send",
        "timestamptz": "timestamptz_send",
    }
)
"""Types whose binary form is one number on every version, and quicker to write than their text."""


_FORMS: Mapping[str, str] = MappingProxyType(
    {
        "int2": "^(0|-?[1-9][0-9]{0,3})$",
        "int4": "^(0|-?[1-9][0-9]{0,8})$",
        "int8": "^(0|-?[1-9][0-9]{0,17})$",
        "bool": "^(true|false)$",
        "uuid": "^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$",
    }
)
"""Texts that are printed by a value of the type and can be read by it, short of its largest numbers."""


class Value(Struct, frozen=True):
    """What a column holds or should hold."""

    sql: str
    type: PgType | None
    """None: the SQL gives the text of the value."""
    written_as: PgType | None = None
    """The type that the column had when it was written, by which it is hashed; None: the same."""

    @property
    def text(self) -> str:
        """SQL for the text."""
        return self.sql if self.type is None else value_text(self.sql, self.type)

    def hash(self, seed: int) -> str:
        """Returns SQL for a hash in 64 bits; NULL has one, too."""
        found, due = _plain_name(self.type), _plain_name(self.written_as or self.type)
        if due not in _FORMS or found == due:
            # The binary form of a moment is the same with and without a time zone, as its text is in UTC.
            alike = found == due or {found, due} == {"timestamp", "timestamptz"}
            return f"COALESCE({_hash(self, found if alike else '', seed)}, {seed})"
        # Somebody changed the type since: a value that still has the same text still has the same hash.
        again = _hash(Value(f"CAST({self.text} AS pg_catalog.{due})", self.written_as), due, seed)
        like = f'{self.text} COLLATE pg_catalog."C" OPERATOR(pg_catalog.~) {literal(_FORMS[due])}'
        return f"COALESCE(CASE WHEN {like} THEN {again} ELSE {_hash(self, '', seed)} END, {seed})"


def _plain_name(pg_type: PgType | None) -> str:
    """Returns the name of a built-in scalar type, also of one below a domain; empty for others."""
    return pg_type.leaf.typname if pg_type is not None and pg_type.leaf.kind is TypeKind.BASE else ""


def _hash(value: Value, name: str, seed: int) -> str:
    if name in _BY_VALUE:
        return _BY_VALUE[name].format(value=f"CAST({value.sql} AS pg_catalog.{name})", seed=seed)
    text = value.text
    if name in _BY_BINARY_FORM:
        sent = f"pg_catalog.{_BY_BINARY_FORM[name]}(CAST({value.sql} AS pg_catalog.{name}))"
        text = f"pg_catalog.encode({sent}, 'hex')"
    # Under "C" the bytes alone count, on every version.
    return f'pg_catalog.hashtextextended({text} COLLATE pg_catalog."C", {seed})'


def hashed(values: Sequence[Value], form: HashForm) -> str:
    """Returns SQL for what ``row_sums`` and ``row_hash`` read as ``h.r``: one number, or a text, of a row."""
    if form.how is RowHash.MD5:
        return row_text([value.text for value in values])
    # Seeds keep apart rows whose values stand in other columns.
    parts = [value.hash(seed) for seed, value in enumerate(values, start=1)]
    return _xor(parts) if parts else "CAST(0 AS pg_catalog.int8)"


def _xor(parts: Sequence[str]) -> str:
    """Returns SQL for the XOR of numbers, by halves: a chain of 1,600 operators may exceed a server's
    stack.
    """
    if len(parts) == 1:
        return parts[0]
    half = len(parts) // 2
    return f"({_xor(parts[:half])} OPERATOR(pg_catalog.#) {_xor(parts[half:])})"


def row_text(texts: Sequence[str]) -> str:
    """Returns SQL for one text over the texts of a row's values; a record keeps NULL and '' apart."""
    return f"CAST(ROW({', '.join(texts)}) AS pg_catalog.text)"


class Parts(Struct, frozen=True):
    """Some of the parts into which the rows of a batch fall by the hash of their keys, or of their whole
    content where they have no key. Both servers put equal rows into the same part.
    """

    number: int
    """Of all parts; a power of two."""
    chosen: tuple[int, ...]
    """Those whose rows are read, counted from 0."""


class RowValues(Struct, frozen=True):
    """What is read of single rows to name them."""

    columns: tuple[Value, ...]
    """The copied columns."""
    keys: tuple[int, ...]
    """The positions among them of a key of NEW; empty: it has none, and equal rows cannot be told apart."""
    wanted: bool = False
    """Only rows of given keys are read, with the text of every column."""
    parts: Parts | None = None
    """Only rows of these parts are read; None: all."""
    shown: tuple[Value, ...] = ()
    """Columns by which rows without ``keys`` are shown: a key that is not among the copied columns."""

    def in_parts(self, form: HashForm) -> tuple[str, ...]:
        """Returns the condition that a row is in these parts; none where all rows are read."""
        if self.parts is None:
            return ()
        chosen = "'{" + ",".join(map(str, self.parts.chosen)) + "}'::pg_catalog.int8[]"
        return (f"({self.part(form, self.parts.number)}) = ANY ({chosen})",)

    def part(self, form: HashForm, number: int) -> str:
        """Returns SQL for a row's part among so many, counted from 0. No proof depends on it."""
        read = hashed([self.columns[n] for n in self.keys] or self.columns, form)
        if form.how is RowHash.MD5:
            digits = f"pg_catalog.md5(pg_catalog.convert_to({read}, '{form.encoding}'))"
            read = _number(f"pg_catalog.substr({digits}, 1, 16)")
        return f"({read}) OPERATOR(pg_catalog.&) {number - 1}"

    @property
    def key(self) -> str:
        """SQL for a row's key as one text; NULL where there is no key."""
        named = [self.columns[n] for n in self.keys] or self.shown
        return row_text([column.text for column in named]) if named else "NULL::pg_catalog.text"

    @property
    def values(self) -> str:
        """SQL for the texts of all columns, where they are wanted."""
        listed = ", ".join(column.text for column in self.columns) if self.wanted else ""
        return f"ARRAY[{listed}]::pg_catalog.text[]"


def row_sums(form: HashForm) -> str:
    """Returns SQL for the columns ``rows``, ``first`` and ``second`` over rows that ``hashed`` gave
    as ``h.r``.
    """
    first, second = (f"COALESCE(pg_catalog.sum({half}), 0)::pg_catalog.text" for half in _halves(form))
    return f"pg_catalog.count(*) AS rows, {first} AS first, {second} AS second"


def row_hash(form: HashForm) -> str:
    """Returns SQL for the two hashes of one row, ``h.r``, as one text."""
    first, second = _halves(form)
    return f"CAST({first} AS pg_catalog.text) || ' ' || CAST({second} AS pg_catalog.text)"


def _halves(form: HashForm) -> tuple[str, str]:
    if form.how is RowHash.NATIVE:
        # The second is no linear function of the first: an XOR alone would let some exchanges cancel out.
        # Its seed brings in all 64 bits, of which the function itself folds one half into the other.
        return "h.r", "pg_catalog.hashint8extended(h.r, h.r)"
    md5 = f"pg_catalog.md5(pg_catalog.convert_to(h.r, '{form.encoding}'))"
    return _number(f"pg_catalog.substr({md5}, 1, 16)"), _number(f"pg_catalog.substr({md5}, 17, 16)")


def _number(hexadecimal: str) -> str:
    """Returns SQL for 16 hexadecimal digits as a signed 64-bit number."""
    return f"CAST(CAST('x' || {hexadecimal} AS pg_catalog.bit(64)) AS pg_catalog.int8)"
