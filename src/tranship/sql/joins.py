"""The joins that bring what other tables hold to the rows of OLD: lookup tables of either side, and the rows
of NEW that children are led to.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from tranship.model.catalog import Table
from tranship.model.expression import Followed, Lookup, Rekeyed
from tranship.model.names import Side
from tranship.model.plan import TablePlan
from tranship.model.shape import Numbering
from tranship.sql.expression import alias, lookup_values, number_alias
from tranship.sql.new_keys import key_text, numbers
from tranship.sql.quote import ident, literal, relation, text_array

_EQUALS = "OPERATOR(pg_catalog.=)"


class Searched(Struct, frozen=True):
    """The entries of a lookup in arrays of fixed width, in which OLD finds a key by halving.

    To join the same entries, OLD would first put them into a hash table, once for each statement.
    """

    key_type: str
    """Such as ``pg_catalog.int8``; its order is that of the keys."""
    value_type: str
    keys: str
    """The array in the text of array input."""
    values: str
    """Likewise, without a NULL: in an array with one, an element is found by counting."""


FIXED_TEXT = "pg_catalog.name"
"""The type of fixed width for texts of at most 63 bytes; a longer text is cut by the cast to it."""


class LookupContent(Struct, frozen=True):
    """What a lookup table of NEW holds for the distinct old keys of one batch, or which numbers they get."""

    position: int
    """Index of the mapping in ``TablePlan.columns``."""
    keys: tuple[tuple[str, ...], ...]
    """Old keys as :func:`key_texts` renders them, one text per key column; only keys that were found."""
    values: tuple[str | None, ...]
    """Per key the value found, as text for NEW's input; None is NULL."""
    searched: Searched | None = None
    """All entries of the table, in place of keys and values."""
    presence: bool = False
    """Only whether a key has an entry is asked: in place of each value stands one that is not NULL. It needs
    ``searched``, and a server that looks up in lists of constants by their hash (14 and newer).
    """


Bindings = tuple[LookupContent, ...]


def key_texts(lookup: Lookup, kept: Sequence[str] = ()) -> tuple[str, ...]:
    """Returns SQL over ``old`` for each part of a lookup's key, as text; ``kept`` as in
    :func:`lookup_values`.

    The same text is read for a batch's distinct keys and compared in the join, by bytes, whatever the
    collation is.
    """
    return tuple(
        f'CAST({value} AS pg_catalog.text) COLLATE pg_catalog."C"' for value in lookup_values(lookup, kept)
    )


def followed_key(followed: Followed) -> str:
    """Returns SQL over ``old`` for the key of the parent that a row refers to, as :func:`own_key` has it."""
    given = [f"old.{ident(column)}" for column in followed.columns]
    if not followed.operators:
        return _as_array(given)
    own = [f"tranship_parent.{ident(key)}" for key in followed.keys]
    pairs = zip(own, followed.operators, given, strict=True)
    on = " AND ".join(f"{key} {operator} {column}" for key, operator, column in pairs)
    table = f"{'' if followed.partitioned else 'ONLY '}{relation(followed.parent.old)} AS tranship_parent"
    return f"(SELECT {_as_array(own)} FROM {table} WHERE {on} LIMIT 1)"


def own_key(columns: Sequence[str]) -> str:
    """Returns SQL over ``old`` for a row's own key: a JSON array of values, as text."""
    return _as_array([f"old.{ident(column)}" for column in columns])


def _as_array(values: Sequence[str]) -> str:
    whole = f"CAST(pg_catalog.json_build_array({', '.join(values)}) AS pg_catalog.text)"
    return f'{whole} COLLATE pg_catalog."C"'


class Joins(Struct, frozen=True):
    """What the lookups of a plan are joined with."""

    plan: TablePlan
    old: Table
    bindings: Bindings = ()

    def all(self, kept: Sequence[str] = ()) -> str:
        """Returns the LEFT JOINs that the plan's lookups need, one line each; an empty text without lookups.

        The content of a lookup table of NEW is part of the statement, as arrays that hold the batch's own
        keys alone. ``kept`` as in :func:`lookup_values`.
        """
        return "".join(self.of(position, kept) for position in range(len(self.plan.columns)))

    def of(self, position: int, kept: Sequence[str] = ()) -> str:
        """Returns the same for one column."""
        content = next((content for content in self.bindings if content.position == position), None)
        joins = _joins(self, position, content, kept)
        return "".join(f"\n{join}" for join in joins)


def _joins(given: Joins, position: int, content: LookupContent | None, kept: Sequence[str]) -> Iterator[str]:
    name = alias(position)
    match given.plan.columns[position].expression:
        case Lookup(side=Side.OLD) as lookup:
            yield _join_old(lookup, name, given.old, kept)
        case Lookup() as lookup:
            yield _join_new(lookup, name, content, kept)
        case Followed() as followed:
            yield _join_content([followed_key(followed)], name, content)
            if isinstance(followed.of, Rekeyed) and followed.of.numbering is not None:
                yield numbers(followed.of, number_alias(position))
        case Rekeyed(numbering=Numbering()) as rekeyed if content is not None:
            yield _join_numbers(key_text(rekeyed), name, content)
        case Rekeyed(numbering=Numbering()) as rekeyed:
            yield numbers(rekeyed, name)
        case _:
            pass


def _join_old(lookup: Lookup, name: str, old: Table, kept: Sequence[str]) -> str:
    """Returns the join with a lookup table of OLD, in the same snapshot.

    DISTINCT: a key may stand there several times with one value, and must not multiply the old row.
    """
    keys = ", ".join(f"l.{ident(key)} AS k{n}" for n, key in enumerate(lookup.keys))
    collated = [f" COLLATE {collation}" if collation else "" for collation in lookup.collations]
    own = collated or [""] * len(lookup.keys)
    operators = [_join_equality(old, c) for c in lookup.columns] or list(lookup.operators)
    on = " AND ".join(
        f"{name}.k{n}{own[n]} {operators[n] or _EQUALS} {given}"
        for n, given in enumerate(lookup_values(lookup, kept))
    )
    value = f"CAST(l.{ident(lookup.value)} AS pg_catalog.text) AS v"
    distinct = f"SELECT DISTINCT {keys}, {value}, true AS found FROM {relation(lookup.table)} AS l"
    return f"LEFT JOIN ({distinct}) AS {name} ON {on}"


def _join_equality(old: Table, column: str) -> str:
    # A type of an extension or of the user's has its own =, which need not be on the search path.
    declared = old.column(column)
    if declared is None:
        raise ValueError(f"{old.name} has no column {column}")
    return declared.type.own_equality or ""


def _join_new(lookup: Lookup, name: str, content: LookupContent | None, kept: Sequence[str]) -> str:
    """Returns the join with what a lookup table of NEW holds."""
    if content is None or content.searched is None:
        return _join_content(key_texts(lookup, kept), name, content)
    join = _presence if content.presence else _search
    return join(lookup_values(lookup, kept)[0], name, content.searched)


def _join_numbers(term: str, name: str, content: LookupContent) -> str:
    """Returns the join with the numbers of a batch's keys, as ``numbers`` has those of all keys; ``term`` is
    SQL over ``old`` for the key as text.
    """
    arrays = f"pg_catalog.unnest({text_array(key for (key,) in content.keys)})"
    arrays += f", pg_catalog.unnest({text_array(content.values)})"
    read = f"SELECT u.k, CAST(u.n AS pg_catalog.int8) AS n FROM ROWS FROM ({arrays}) AS u(k, n)"
    return f"LEFT JOIN ({read}) AS {name} ON {name}.k = {term}"


def _join_content(terms: Sequence[str], name: str, content: LookupContent | None) -> str:
    """Returns the join with what NEW holds for the batch; without content no key is found.

    ``terms`` are SQL over ``old`` for each part of the key, as text.
    """
    keys = content.keys if content is not None else ()
    values = content.values if content is not None else ()
    arrays = [text_array(key[n] for key in keys) for n in range(len(terms))]
    columns = ", ".join(f"k{n}" for n in range(len(terms)))
    lists = ", ".join(f"pg_catalog.unnest({array})" for array in [*arrays, text_array(values)])
    unnested = f"ROWS FROM ({lists}) AS u({columns}, v)"
    on = " AND ".join(f"{name}.k{n} = {term}" for n, term in enumerate(terms))
    return f"LEFT JOIN (SELECT {columns}, v, true AS found FROM {unnested}) AS {name} ON {on}"


def _search(value: str, name: str, entries: Searched) -> str:
    """Returns a join with the entry of a key, ``value`` over ``old``."""
    key = compared = _compared(value, entries)
    if entries.key_type == FIXED_TEXT:
        # Under the column's own collation the halving would follow another order. A longer text is cut
        # here, and compared as a whole.
        key = f"CAST({compared} AS {FIXED_TEXT})"
    arrays = f"CAST({literal(entries.keys)} AS {entries.key_type}[]) AS k"
    arrays += f", CAST({literal(entries.values)} AS {entries.value_type}[]) AS v"
    place = f"(SELECT pg_catalog.width_bucket({key}, {name}_all.k) AS n OFFSET 0) AS place"
    there = f"{name}_all.k[place.n] {_EQUALS} {compared}"
    found = f"SELECT {name}_all.v[place.n] AS v, true AS found FROM {place} WHERE {there}"
    return (
        f"CROSS JOIN (SELECT {arrays} OFFSET 0) AS {name}_all LEFT JOIN LATERAL ({found}) AS {name} ON true"
    )


def _compared(value: str, entries: Searched) -> str:
    """Returns SQL for a key, ``value`` over ``old``, as it is compared with those of the entries."""
    if entries.key_type == FIXED_TEXT:
        return f'CAST({value} AS pg_catalog.text) COLLATE pg_catalog."C"'
    return f"CAST({value} AS {entries.key_type})"


def _presence(value: str, name: str, entries: Searched) -> str:
    """Returns a join that says whether a key, ``value`` over ``old``, has an entry.

    CASE keeps the planner from estimating how many rows each of the entries finds, which takes longer than
    to look them all up.
    """
    type_ = "pg_catalog.text" if entries.key_type == FIXED_TEXT else entries.key_type
    listed = f"{_compared(value, entries)} {_EQUALS} ANY (CAST({literal(entries.keys)} AS {type_}[]))"
    found = f"SELECT CAST('' AS pg_catalog.text) AS v, CASE WHEN {listed} THEN true END AS found"
    return f"CROSS JOIN LATERAL ({found}) AS {name}"
