"""Rows as NEW would have them: the columns that a question reads, each copied, by a default, or generated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from tranship.execution.context import Job
from tranship.execution.probe.questions import (
    BLOCK,
    Answer,
    GivenRow,
    NotAskable,
    blocks_of,
    put,
    put_text,
    re_encodes,
)
from tranship.execution.probe.reading import Chunk, Reader
from tranship.model.catalog import Column, Table
from tranship.model.expression import NewDefault
from tranship.model.plan import TablePlan
from tranship.model.types import PgType
from tranship.planning.printed.names import mentioned
from tranship.sql.new.given_rows import GivenRows, rendered_part, rows_query
from tranship.sql.new.matched_key import MatchedKey
from tranship.sql.new.probe import guarded
from tranship.sql.quote import ident
from tranship.sql.types.values import canonical


class Typed(Struct, frozen=True):
    """The columns of typed rows, and the mappings from which their values come."""

    rows: GivenRows
    positions: tuple[int, ...]
    """The positions of the mappings of ``rows.given``."""


def typed(
    job: Job,
    plan: TablePlan,
    columns: Iterable[str],
    *,
    replaced: MatchedKey | None = None,
    written: bool = False,
) -> Typed:
    """Returns rows with these columns and those from which they are generated.

    ``replaced``: they replace rows of NEW under this key, whose values stay in columns that the plan does not
    fill. ``written``: NEW holds the rows, and so all that its domains read.

    Raises:
        NotAskable: a column gets its value from a sequence, a volatile default, or a function that may read
            tables which this run fills.
    """
    after = job.after(plan)
    wanted = _with_origins(after, {*columns, *(replaced.columns if replaced is not None else ())})
    given, positions, computed, generated, staying = [], [], [], [], []
    for position, mapping in enumerate(plan.columns):
        declared = after.column(mapping.column)
        if declared is None or declared.name not in wanted:
            continue
        if declared.generation is not None:
            refuse_reader(job, declared.name, declared.generation)
            generated.append(_askable(job, declared, written=written))
        elif not isinstance(mapping.expression, NewDefault):
            given.append(_askable(job, declared, written=written))
            positions.append(position)
        elif replaced is not None:
            staying.append(declared.name)
        else:
            default = _default(declared)
            refuse_reader(job, declared.name, default)
            computed.append((declared.name, default, _askable(job, declared, written=written).type))
    rows = GivenRows(
        after, tuple(given), tuple(computed), tuple(generated), replaced=replaced, staying=tuple(staying)
    )
    return Typed(rows, tuple(positions))


def _with_origins(after: Table, columns: Iterable[str]) -> set[str]:
    """Returns those of some columns that the table has, and those from which they are generated."""
    wanted = {name for name in columns if after.column(name) is not None}
    for column in after.columns:
        if column.name in wanted and column.generation is not None:
            wanted |= mentioned(column.generation, after) - {column.name}
    return wanted


def _askable(job: Job, column: Column, *, written: bool) -> Column:
    """Returns a column without the domains whose checks may read tables that this run fills.

    Raises:
        NotAskable: such a domain is the type of a part of it.
    """
    asked = column.type if written else job.without_readers(column.type)
    if asked is None:
        raise NotAskable(f"{column.name}: a domain inside its type may read tables that this run fills")
    return column if asked is column.type else replace(column, type=asked)


def refuse_reader(job: Job, what: str, expression: str) -> None:
    """Refuses an expression of NEW that may read tables which this run fills.

    Raises:
        NotAskable: it calls such a function; ``what`` names the expression.
    """
    function = job.reader_of_filled(expression)
    if function is not None:
        raise NotAskable(f"{what} calls {function}, which may read tables that this run fills")


def refuse_unknowable(reader: Reader, question: Typed) -> None:
    """Refuses rows of which NEW's server makes a value that a lookup takes.

    Raises:
        NotAskable: such a value is among those that the question reads.
    """
    columns = reader.plan.columns
    unknown = [p for p in question.positions if reader.lookups.unknowable(reader.plan, p)]
    if unknown:
        names = ", ".join(sorted(columns[position].column for position in unknown))
        raise NotAskable(f"{names}: NEW's server alone will know the lookup's value")


def json_rows(chunk: Chunk, positions: Sequence[int], numbers: Iterable[int]) -> list[GivenRow]:
    """Returns rows of a chunk as they are sent to NEW."""
    columns = [chunk.texts[p] for p in positions]
    return [{"i": n, **{f"c{k}": column[n] for k, column in enumerate(columns)}} for n in numbers]


def sendable(text: str | None) -> bool:
    """Returns whether a text can be sent in a question; undecodable bytes of a SQL_ASCII database cannot."""
    return text is None or text.isascii() or not any("\ud800" <= c <= "\udfff" for c in text)


class Renderer:
    """Asks NEW for the canonical key that some columns of a row will have there.

    Raises:
        NotAskable: a column's type has no canonical text, or NEW makes the value itself.
    """

    def __init__(self, reader: Reader, columns: Sequence[str]) -> None:
        self._reader = reader
        after = reader.job.after(reader.plan)
        self._typed = typed(reader.job, reader.plan, columns)
        texts = [_canonical(after, name) for name in columns]
        self._query = rows_query(self._typed.rows, [rendered_part(self._typed.rows, columns, texts)])

    @property
    def positions(self) -> tuple[int, ...]:
        """The positions of the mappings to read."""
        return self._typed.positions

    async def render(self, chunk: Chunk) -> Mapping[int, str]:
        """Returns canonical keys by row number of the chunk.

        Rows that NEW refuses, or whose key is partly NULL, have none.
        """
        rows = json_rows(chunk, self.positions, range(len(chunk.rows)))
        answers = await ask(self._reader, self._query, rows)
        return {a.row: a.detail for a in answers if a.kind == "key" and isinstance(a.detail, str)}


async def ask(reader: Reader, query: str, rows: Sequence[GivenRow], *, block: int = BLOCK) -> list[Answer]:
    """Puts a question about a plan's rows to NEW, in the time zone of the plan's conversions."""
    return await put(
        reader.new,
        guarded(query),
        rows,
        ascii_only=re_encodes(reader.job.new),
        zone=reader.plan.input_zone,
        block=block,
    )


async def ask_objects(reader: Reader, query: str, chunk: Chunk) -> list[Answer]:
    """Does the same with a chunk of a reader that makes objects."""
    if not chunk.rows:
        return []
    given = blocks_of(chunk.objects)
    return await put_text(reader.new, guarded(query), given, zone=reader.plan.input_zone)


def _canonical(after: Table, name: str) -> str:
    column = after.column(name)
    text = canonical(ident(name), column.type, column.collation) if column is not None else None
    if text is None:
        raise NotAskable(f"equality of {after.name}.{name} cannot be told outside the server")
    return text


def _default(column: Column) -> str:
    if column.identity or column.volatile_default:
        raise NotAskable(f"{column.name} is filled by NEW's server")
    return default_of(column)


def default_of(column: Column) -> str:
    """Returns the expression of NEW that fills a column which is not written: its own, or its domain's."""
    inner: PgType | None = column.type
    while column.default is None and inner is not None:
        if inner.default is not None:
            return inner.default
        inner = inner.element if inner.kind == "domain" else None
    return column.default if column.default is not None else "NULL"
