"""The sums over the rows of a batch as NEW should hold them."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Sequence

import asyncpg
from msgspec import Struct

from tranship.execution.context import Job
from tranship.execution.probe.reading import Reader
from tranship.execution.probe.typed_rows import ask, json_rows, typed
from tranship.execution.probe.within import lookups_of
from tranship.execution.proof.rows import Row
from tranship.model.builtin_types import Family
from tranship.model.catalog import Catalog, Column
from tranship.model.digest import HashForm, RowHash, Sums
from tranship.model.locator import Locator
from tranship.model.plan import TablePlan
from tranship.model.progress import Batch
from tranship.model.types import PgType
from tranship.sql.digest import RowValues, Value
from tranship.sql.expression import shipped
from tranship.sql.joins import Bindings
from tranship.sql.new.digest import digest_part
from tranship.sql.new.given_rows import rows_query
from tranship.sql.old.digest import BatchRead, batch_sums, computed_values
from tranship.sql.queries import query
from tranship.sql.quote import ident
from tranship.sql.session import RELEASE, SAVEPOINT, TO_SAVEPOINT

OLD_CANNOT = (
    asyncpg.DataError,
    asyncpg.SyntaxOrAccessError,
    asyncpg.FeatureNotSupportedError,
    asyncpg.StatementTooComplexError,
    asyncpg.TooManyColumnsError,
    asyncpg.TooManyArgumentsError,
)
"""What OLD raises where it does not read a text that NEW reads: a later version knows more forms."""

TOO_LARGE = (asyncpg.ProgramLimitExceededError, asyncpg.OutOfMemoryError)
"""What a server raises for a row whose text would pass 1 GB: it travels all the same, in COPY's own form."""
_NO_MEMORY = "invalid memory alloc request size"
"""How a server says the same of a single value, under the SQLSTATE of internal errors (palloc in mcxt.c)."""


class NewHasToPrint(Exception):
    """OLD cannot compute what NEW will print of a row."""


def is_too_large(error: asyncpg.PostgresError) -> bool:
    """Returns whether a server could not print a row because its text is too large."""
    return isinstance(error, TOO_LARGE) or (error.message or "").startswith(_NO_MEMORY)


class Hashing(Struct, frozen=True):
    """How both sides of a run hash rows."""

    how: RowHash = RowHash.NATIVE
    rendered: bool = False
    """OLD prints some values otherwise than NEW, or a person asked: NEW computes both sides' texts."""
    sample: str | None = None
    """``P%`` of the batches, which alone are hashed; None: all are."""

    def takes(self, batch: Batch) -> bool:
        """Returns whether a batch is hashed. Of a sample this follows from its number alone, so that every
        process decides alike; the first batch is always one of it.
        """
        if self.sample is None or batch.number == 0:
            return True
        drawn = zlib.crc32(str(batch.number).encode()) / 2**32
        return drawn < float(self.sample[:-1]) / 100

    def form(self, side: Catalog) -> HashForm:
        """Returns how one side hashes; a SQL_ASCII database has no bytes in UTF-8 but its own."""
        return HashForm(self.how, "SQL_ASCII" if side.encoding == "SQL_ASCII" else "UTF8")

    def __str__(self) -> str:
        """Returns the text that the journal keeps."""
        words = [str(self.how), "rendered" if self.rendered else "", self.sample or ""]
        return " ".join(filter(None, words))

    @classmethod
    def of(cls, kept: str) -> Hashing:
        """Returns what a text of the journal says."""
        how, *more = kept.split(" ")
        sample = next((word for word in more if word.endswith("%")), None)
        return cls(RowHash(how), "rendered" in more, sample)


async def agreed(old: asyncpg.Connection, new: asyncpg.Connection, job: Job, *, rendered: bool) -> Hashing:
    """Returns how rows are hashed: both servers are asked for the texts and hashes of fixed values."""
    texts = {await side.fetchval(query("hash_vector"), False) for side in (old, new)}
    if rendered or len(texts) > 1:
        return Hashing(rendered=True)
    hashes = {await side.fetchval(query("hash_vector"), True) for side in (old, new)}
    alike = len(hashes) == 1 and job.old.encoding == job.new.encoding
    return Hashing(RowHash.NATIVE if alike else RowHash.MD5)


def copied_columns(job: Job, plan: TablePlan) -> tuple[Column, ...]:
    """Returns the columns of NEW whose values a plan brings, in NEW's order."""
    after = job.after(plan)
    found = [after.column(plan.columns[n].column) for n in shipped(plan)]
    return tuple(column for column in found if column is not None)


def held_values(job: Job, plan: TablePlan, alias: str) -> tuple[Value, ...]:
    """Returns the copied columns of a row of NEW, which may have other types now than when it was written."""
    written_as = {mapping.column: mapping.type for mapping in plan.columns}
    return tuple(
        Value(f"{alias}.{ident(column.name)}", column.type, written_as[column.name])
        for column in copied_columns(job, plan)
    )


def printed_by_old(job: Job, plan: TablePlan, hashing: Hashing) -> bool:
    """Returns whether OLD computes the texts of all columns that NEW should hold."""
    return _values_on_old(job, plan, hashing) is not None


def _values_on_old(job: Job, plan: TablePlan, hashing: Hashing) -> tuple[Value, ...] | None:
    """Returns the columns as OLD computes them; None: NEW has to print them."""
    if hashing.rendered:
        return None
    # Characters on one side, bytes on the other: the limit of a type cuts spaces elsewhere.
    otherwise = job.old.counts_bytes != job.new.counts_bytes
    if otherwise and any(_has_limit(mapping.type) for mapping in plan.columns):
        return None
    return computed_values(plan, job.before(plan))


def _has_limit(pg_type: PgType) -> bool:
    """Returns whether a type, or a part of it, is a string of a greatest length."""
    leaf = pg_type.leaf
    parts = [attribute.type for attribute in leaf.attributes]
    parts += [leaf.element] if leaf.element is not None else []
    return (leaf.family is Family.STRING and bool(leaf.modifiers)) or any(map(_has_limit, parts))


class Expecting(Struct, frozen=True):
    """Computes what NEW should hold of a batch."""

    job: Job
    plan: TablePlan
    hashing: Hashing
    old: asyncpg.Connection
    """A READ ONLY transaction on the run's snapshot, in the zone of the plan."""
    new: asyncpg.Connection
    """In a transaction."""

    @property
    def printed_by_old(self) -> bool:
        """Whether OLD computes the texts of all columns that NEW should hold."""
        return self.values is not None

    @property
    def values(self) -> tuple[Value, ...] | None:
        """The columns as OLD computes them; None: NEW has to print them."""
        return _values_on_old(self.job, self.plan, self.hashing)

    async def sums(
        self, batch: Batch, excluded: Sequence[Locator] = (), bindings: Bindings = ()
    ) -> Sums | None:
        """Returns the sums over a batch's rows without the excluded ones, which are not copied.

        None: a row is too large to be printed, so that the batch is copied without a proof.
        """
        sides = (self.old, self.new)
        for side in sides:
            await side.execute(SAVEPOINT)
        sums = None
        try:
            sums = await self._sums(batch, excluded, bindings)
        except asyncpg.PostgresError as error:
            if not is_too_large(error):
                raise
            for side in sides:
                await side.execute(TO_SAVEPOINT)
        for side in sides:
            await side.execute(RELEASE)
        return sums

    async def sums_by_old(
        self, batch: Batch, excluded: Sequence[Locator] = (), bindings: Bindings = ()
    ) -> Sums | None:
        """Returns the same without a question to NEW. Its transaction on OLD may be aborted afterwards.

        Raises:
            NewHasToPrint: OLD cannot compute the texts.
        """
        try:
            found = await self._by_old(batch, excluded, bindings)
        except asyncpg.PostgresError as error:
            if not is_too_large(error):
                raise
            return None
        if found is None:
            raise NewHasToPrint
        return found

    async def _by_old(self, batch: Batch, excluded: Sequence[Locator], bindings: Bindings) -> Sums | None:
        """Returns the sums as OLD computes them; None where it cannot."""
        values = self.values
        if values is None:
            return None
        read = BatchRead(self.plan, self.job.before(self.plan), batch, tuple(excluded), bindings)
        row = await self.asked(batch_sums(read, values, self.hashing.form(self.job.old)))
        return sums_of(row[0]) if row is not None else None

    async def _sums(self, batch: Batch, excluded: Sequence[Locator], bindings: Bindings) -> Sums:
        by_old = await self._by_old(batch, excluded, bindings)
        if by_old is not None:
            return by_old
        found = Sums()
        async for one in self.rendered(batch, excluded, keys=()):
            first, second = one.digest.split(" ")
            found += Sums(1, int(first), int(second))
        return found

    async def asked(self, statement: str, *arguments: object) -> list[asyncpg.Record] | None:
        """Returns OLD's answer; None where it cannot read a text that NEW reads."""
        await self.old.execute(SAVEPOINT)
        answer = None
        try:
            answer = list(await self.old.fetch(statement, *arguments))
        except OLD_CANNOT:
            await self.old.execute(TO_SAVEPOINT)
        # Not in a `finally`: in a transaction that another error ended, its own error would hide that one.
        await self.old.execute(RELEASE)
        return answer

    async def rendered(
        self,
        batch: Batch,
        excluded: Sequence[Locator],
        *,
        keys: tuple[int, ...],
        values: bool = False,
        only: tuple[str, ...] = (),
    ) -> AsyncIterator[Row]:
        """Yields a batch's rows by sending them to NEW, which prints them as it would hold them."""
        columns = copied_columns(self.job, self.plan)
        question = typed(self.job, self.plan, [c.name for c in columns], written=True)
        shown = RowValues(held_values(self.job, self.plan, ident(self.plan.new.name)), keys, values)
        part = digest_part(question.rows, shown, self.hashing.form(self.job.new))
        asked = rows_query(question.rows, [part])
        reader = Reader(self.job, self.plan, self.old, self.new, lookups_of(self.job), {})
        gone = frozenset(excluded)
        chosen = [" AND ".join(only)] if only else None
        async for chunk in reader.chunks([batch], question.positions, only=chosen):
            rows = json_rows(
                chunk, question.positions, (n for n, row in enumerate(chunk.rows) if row not in gone)
            )
            for answer in await ask(reader, asked, rows):
                if answer.kind == "digest" and isinstance(answer.detail, list):
                    key, digest, *rest = answer.detail
                    yield Row(key, str(digest), tuple(rest))


def sums_of(row: asyncpg.Record) -> Sums:
    """Returns the sums that a query of ``row_sums`` gave."""
    return Sums(row["rows"], int(row["first"]), int(row["second"]))
