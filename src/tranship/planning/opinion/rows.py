"""Which columns of NEW can be computed from a plan's meaning, and their values for one old row."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple, assert_never

from msgspec import Struct

from tranship.model.builtin_types import Family
from tranship.model.catalog import Column, Table
from tranship.model.expression import (
    Coalesce,
    Constant,
    Followed,
    Lookup,
    MapValues,
    NewDefault,
    Rekeyed,
    Rule,
    Sql,
    Take,
)
from tranship.model.names import Side
from tranship.model.plan import ColumnMapping, TablePlan
from tranship.model.shape import KeyKind
from tranship.model.types import PgType, TypeKind
from tranship.planning.opinion.texts import Refused, Unsure, canonical
from tranship.planning.opinion.values import Reading, given, reading

REFUSED = "a value that NEW refuses"
"""What is said to be expected where no value of NEW's type is."""


class Part(NamedTuple):
    """A column of OLD as it is read."""

    column: str
    as_moment: bool = False
    """A wall-clock time is read with the offset that OLD's time zone has then."""


class Entries(Struct, frozen=True):
    """What a lookup's table holds for some keys."""

    values: Mapping[tuple[str, ...], str | None]
    twice: frozenset[tuple[str, ...]] = frozenset()
    """Keys of several rows, or of a value too long to be read: what counts is not known here."""


NO_ENTRIES = Entries({})
Texts = Mapping[Part, str | None]
_Compute = Callable[[Texts, Entries], str | None]


class Computable(Struct, frozen=True):
    """A column of NEW that can be computed."""

    name: str
    type: PgType
    parts: tuple[Part, ...]
    """The columns of OLD from which it is."""
    compute: _Compute
    lookup: Lookup | None = None
    """Where its value is looked up."""
    mapped: tuple[str, ...] = ()
    """The values of the first part that a mapping names."""

    def expected(self, texts: Texts, entries: Entries = NO_ENTRIES) -> str | None:
        """Returns what NEW should hold, as `canonical` has it.

        Raises:
            Refused: NEW should have refused the value.
            Unsure: nothing is known of this value.
        """
        found = self.compute(texts, entries)
        return None if found is None else canonical(found, self.type)

    def seen(self, text: str | None) -> str | None:
        """Returns what NEW holds in the same form.

        Raises:
            Unsure: Python cannot read the document that NEW holds.
        """
        try:
            return None if text is None else canonical(text, self.type)
        except Unsure:
            if self.type.leaf.family is Family.JSON:
                raise
            return text


class Opinion(Struct, frozen=True):
    """What can be said of a flow."""

    columns: tuple[Computable, ...] = ()
    apart: tuple[str, ...] = ()
    """What cannot be computed, each with the reason."""

    def without_lookups(self, plan: TablePlan, kept: Collection[Side]) -> Opinion:
        """Returns it where somebody changed what was looked up, but for that in databases where it is
        ``kept``.
        """
        left = [one for one in self.columns if one.lookup is None or one.lookup.side in kept]
        gone = {one.name for one in self.columns if one not in left}
        return self.without(plan, gone, "its lookup table changed since")

    def without(
        self, plan: TablePlan, names: Collection[str], why: str = "NEW's column is another one by now"
    ) -> Opinion:
        """Returns it without some columns, for a reason."""
        left = tuple(one for one in self.columns if one.name not in names)
        said = (f"{plan.new}.{one.name} ({why})" for one in self.columns if one.name in names)
        return Opinion(left, (*self.apart, *said))


def opinion_of(
    plan: TablePlan, old: Table, lookups: Mapping[int, Table], recast: Collection[str] = ()
) -> Opinion:
    """Returns which copied columns of a flow can be computed. ``lookups`` are the tables in which values are
    looked up, by the position of the column. ``recast`` are the types that a user casts to text otherwise
    than they are printed.
    """
    why = _why_none(plan)
    if why:
        return Opinion(apart=(f"{plan.flow}: {why}",))
    columns, apart, led = list[Computable](), list[str](), _led(plan)
    for position, mapping in enumerate(plan.columns):
        if isinstance(mapping.expression, NewDefault):
            continue
        reader = _Columns(plan, old, lookups.get(position))
        found = reader.of(mapping)
        if not isinstance(found, str):
            found = reader.doubt(found, led, recast) or found
        if isinstance(found, str):
            apart.append(f"{plan.new}.{mapping.column} ({found})")
        else:
            columns.append(found)
    return Opinion(tuple(columns), tuple(apart))


def _why_none(plan: TablePlan) -> str:
    """Returns why no row of a flow can be computed; empty: its rows are old rows, one for one."""
    shape = plan.shape
    if shape.query is not None:
        return "the rows are those of a query"
    if shape.items is not None:
        return "the rows are items of old rows"
    if shape.left_with:
        return "rows are left out with their parents"
    return "" if all(source.pageable for source in plan.sources) else "it is read from a foreign table"


def _led(plan: TablePlan) -> frozenset[str]:
    """Returns the columns that refer to rows that may be merged or left out: everything of a row is computed
    from where they lead then, and not from what OLD's row holds.
    """
    merged = plan.repointing.parents if plan.repointing is not None else ()
    parents = [one.columns for one in merged] + [one.becoming_null for one in plan.shape.null_with]
    return frozenset(name for columns in parents for name in columns)


class _Columns(NamedTuple):
    plan: TablePlan
    old: Table
    looked_up: Table | None

    def of(self, mapping: ColumnMapping) -> Computable | str:
        """Returns a column, or why it cannot be computed."""
        name, new = mapping.column, mapping.type
        match mapping.expression:
            case Take() as take:
                return self._take(name, take, new)
            case Constant(value=value):
                read = _given(new, value)
                return read if isinstance(read, str) else Computable(name, new, (), lambda _, __: read(value))
            case MapValues() as mapped:
                return self._mapped(name, mapped, new)
            case Coalesce(of=take, for_null=constant):
                return self._coalesce(name, take, constant, new)
            case Lookup() as lookup:
                return self._lookup(name, lookup, new)
            case Rekeyed() as rekeyed:
                return self._rekeyed(name, rekeyed, new)
            case Followed():
                return "its parents may be rows that NEW held before"
            case Sql():
                return "transform_sql"
            case NewDefault():
                raise ValueError(f"{name} is filled by the server")
            case _ as unreachable:
                assert_never(unreachable)

    def doubt(self, found: Computable, led: Collection[str], recast: Collection[str]) -> str:
        """Returns why a column that could be computed is not; empty: it is."""
        if any(part.column in led for part in found.parts):
            return "references lead elsewhere"
        read = [self._type(part.column) for part in found.parts]
        held = self.looked_up.column(found.lookup.value) if found.lookup and self.looked_up else None
        types = {one.leaf.text for one in (found.type, *read, *([held.type] if held is not None else []))}
        return f"{min(types & set(recast))} has a cast of its own" if types & set(recast) else ""

    def _take(self, name: str, take: Take, new: PgType) -> Computable | str:
        old = self._type(take.column)
        read = reading(old, new, take.conversion.rule)
        if read is None:
            return f"{old.text} to {new.text}"
        part = _part(take, old)
        return Computable(name, new, (part,), lambda texts, _: _through(read, texts[part]))

    def _coalesce(self, name: str, take: Take, constant: Constant, new: PgType) -> Computable | str:
        inner = self._take(name, take, new)
        read = _given(new, constant.value)
        if isinstance(inner, str):
            return inner
        if isinstance(read, str):
            return read

        def compute(texts: Texts, entries: Entries) -> str | None:
            found = inner.compute(texts, entries)
            return read(constant.value) if found is None else found

        return Computable(name, new, inner.parts, compute)

    def _mapped(self, name: str, mapped: MapValues, new: PgType) -> Computable | str:
        old = self._old_column(mapped.column)
        read, same = given(new), _key_form(old)
        if read is None or same is None:
            return f"a mapping from {old.type.text} to {new.text}"
        try:
            results = {same(key): result for key, result in reversed(mapped.pairs)}
        except (Refused, Unsure):
            return f"a key of its mapping is no plain {old.type.text}"
        part = Part(mapped.column)

        def compute(texts: Texts, _: Entries) -> str | None:
            value = texts[part]
            if value is None:
                return _constant(read, mapped.for_null)
            if same(value) in results:
                return _through(read, results[same(value)])
            if mapped.otherwise is None:
                raise Refused
            return _constant(read, mapped.otherwise)

        return Computable(name, new, (part,), compute, mapped=tuple(key for key, _ in mapped.pairs))

    def _lookup(self, name: str, lookup: Lookup, new: PgType) -> Computable | str:
        if lookup.key_sql:
            return "key_sql"
        if lookup.within:
            return "it is looked up in a table that the run fills"
        read = given(new)
        if read is None or not self._compares_by_text(lookup):
            return f"looked up in {lookup.table}"
        parts = tuple(map(Part, lookup.columns))
        return Computable(name, new, parts, _looking_up(lookup, parts, read), lookup)

    def _compares_by_text(self, lookup: Lookup) -> bool:
        """Returns whether equal keys have equal texts, and the value has a text that is known."""
        held = (
            {column.name: column for column in self.looked_up.columns} if self.looked_up is not None else {}
        )
        if not {*lookup.keys, lookup.value} <= set(held) or given(held[lookup.value].type) is None:
            return False
        pairs = zip(lookup.columns, lookup.keys, strict=True)
        return all(_same_key(self._old_column(column), held[key]) for column, key in pairs)

    def _rekeyed(self, name: str, rekeyed: Rekeyed, new: PgType) -> Computable | str:
        old = self._type(rekeyed.column)
        read = reading(old, new, Rule.NEW_INPUT)
        whole = old.leaf.family is Family.INTEGER
        if rekeyed.key.kind is not KeyKind.OFFSET or not whole or read is None:
            return f"new_key {rekeyed.key.kind}"
        part, offset = Part(rekeyed.column), rekeyed.key.offset

        def compute(texts: Texts, _: Entries) -> str | None:
            value = texts[part]
            return None if value is None else read(str(int(value) + offset))

        return Computable(name, new, (part,), compute)

    def _type(self, column: str) -> PgType:
        return self._old_column(column).type

    def _old_column(self, column: str) -> Column:
        declared = self.old.column(column)
        if declared is None:
            raise ValueError(f"{self.old.name} has no column {column}")
        return declared


def _part(take: Take, old: PgType) -> Part:
    wall = old.leaf.typname in ("date", "timestamp")
    return Part(take.column, as_moment=wall and take.conversion.rule is Rule.ZONE)


def _through(read: Reading, text: str | None) -> str | None:
    return None if text is None else read(text)


def _looking_up(lookup: Lookup, parts: Sequence[Part], read: Reading) -> _Compute:
    def compute(texts: Texts, entries: Entries) -> str | None:
        key = tuple(text for part in parts if (text := texts[part]) is not None)
        if len(key) < len(parts):
            return _constant(read, lookup.for_null)
        if key in entries.twice:
            raise Unsure
        if key in entries.values:
            return _through(read, entries.values[key])
        if lookup.otherwise is None:
            raise Refused
        return _constant(read, lookup.otherwise)

    return compute


def _constant(read: Reading, constant: Constant | None) -> str | None:
    return None if constant is None else _through(read, constant.value)


def _given(new: PgType, value: str | None) -> Callable[[str | None], str | None] | str:
    """Returns how a constant is read, or why it cannot be."""
    read = given(new)
    if read is None and value is not None:
        return f"a constant of {new.text}"
    return lambda text: None if text is None or read is None else read(text)


def _key_form(old: Column) -> Reading | None:
    """Returns what is equal for equal values of a column, of which a person may have written one otherwise
    than it is printed; None: its equality is not known here.
    """
    leaf = old.type.leaf
    if leaf.kind is TypeKind.ENUM or leaf.typname in ("text", "varchar", "name"):
        return lambda text: text
    if leaf.family in (Family.INTEGER, Family.BOOLEAN, Family.UUID):
        return given(leaf)
    return (lambda text: canonical(text, leaf)) if leaf.typname == "bpchar" and _bytewise(old) else None


def _same_key(one: Column, other: Column) -> bool:
    """Returns whether equal values of two columns have equal texts."""
    pair = (one.type.leaf, other.type.leaf)
    exact = all(leaf.typname in ("text", "varchar") for leaf in pair) and _bytewise(one) and _bytewise(other)
    whole = all(leaf.family is Family.INTEGER for leaf in pair)
    return exact or whole or all(leaf.typname == "uuid" for leaf in pair)


def _bytewise(column: Column) -> bool:
    """Returns whether a text column's collation is known to call equal only what is the same bytes, as the
    database's own and all of ``pg_catalog`` do (PostgreSQL documentation, "Nondeterministic Collations").
    """
    named = column.collation or column.type.collation or column.type.leaf.collation
    return named is None or named.startswith(("pg_catalog.", '"pg_catalog".'))
