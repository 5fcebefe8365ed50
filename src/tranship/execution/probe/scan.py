"""What one reading of a table's rows has to answer, by the hazards of its plan.

A table without hazards is not read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from tranship.execution.context import Job
from tranship.execution.probe.known_later import gaps_to_ask, note_domains, note_partition_keys
from tranship.execution.probe.questions import Converter, NotAskable, re_encodes
from tranship.execution.probe.reading import Reader
from tranship.execution.probe.references import reference
from tranship.execution.probe.reject_book import Book
from tranship.execution.probe.row_checks import RowCheck, row_checks, why_unasked
from tranship.execution.probe.typed_rows import Typed, refuse_reader, refuse_unknowable, typed
from tranship.model.catalog import ForeignKey, Table
from tranship.model.expression import Lookup, NewDefault, Sql
from tranship.model.plan import Hazard, HazardKind, TablePlan
from tranship.planning.printed.names import mentioned, reads_whole_row, with_whole_row
from tranship.sql.new.given_rows import (
    GivenRows,
    Reference,
    parent_part,
    rows_query,
    verdict_part,
    whole_row,
)
from tranship.sql.new.matched_key import MatchedKey
from tranship.sql.new.unique_indexes import UniqueIndex, existing_part, key_part
from tranship.sql.old.pushed_checks import breaking
from tranship.sql.old.safe_values import computed, foreign_characters, is_null, missing_entry, uncertain
from tranship.sql.quote import ident


class RowQuestions(Struct, frozen=True):
    """The questions to NEW about typed rows, in the order in which a fault is reported."""

    checks: tuple[RowCheck, ...] = ()
    routing: bool = False
    generated_nulls: tuple[str, ...] = ()
    generated: tuple[str, ...] = ()
    """Generated columns whose expression may raise an error."""
    raising: tuple[str, ...] = ()
    """Expressions of indexes that may raise an error."""
    existing: tuple[UniqueIndex, ...] = ()
    parents: tuple[tuple[ForeignKey, Reference], ...] = ()
    keys: tuple[UniqueIndex, ...] = ()

    @property
    def about_checks(self) -> bool:
        """Whether nothing is asked about whole rows but CHECKs of the table itself."""
        others = (self.generated_nulls, self.generated, self.raising, self.existing, self.parents, self.keys)
        return not (self.routing or any(others))


class Scan(Struct, frozen=True):
    """One reading of a table plan's rows."""

    gaps: tuple[int, ...]
    encoded: tuple[int, ...]
    converters: Mapping[int, Converter]
    nulls: tuple[int, ...]
    never_filled: tuple[str, ...]
    """NOT NULL columns that nothing fills, so that every row fails."""
    questions: RowQuestions
    typed: Typed | None
    query: str
    replaces: bool = False
    """The rows replace rows of NEW; otherwise those are passed over."""

    @property
    def positions(self) -> tuple[int, ...]:
        """The positions of the mappings whose text is read."""
        typed_positions = self.typed.positions if self.typed is not None else ()
        return tuple(sorted({*self.encoded, *self.converters, *self.nulls, *typed_positions}))

    def only(self, job: Job, plan: TablePlan) -> list[str] | None:
        """Returns predicates of the rows that have to be read. None: every row has to."""
        # A predicate over what a lookup finds is computed for rows whose key may raise.
        if self.never_filled or plan.keyed_by_sql or not self.questions.about_checks:
            return None
        before = job.before(plan)
        wanted = [*self._unconverted(job, plan), *self._breaking(job, plan)]
        known = [rows for rows in wanted if rows is not None]
        if len(known) < len(wanted):
            return None
        return [
            *known,
            *(missing_entry(plan, n, before) for n in self.gaps),
            *(foreign_characters(plan, n, before) for n in self.encoded),
            *(is_null(plan, n, before) for n in self.nulls),
        ]

    def about_presence(self, plan: TablePlan) -> bool:
        """Returns whether nobody asks more about what lookups find than whether it is there, or is NULL."""
        typed_positions = self.typed.positions if self.typed is not None else ()
        read = (*self.encoded, *self.converters, *typed_positions)
        return not any(isinstance(plan.columns[n].expression, Lookup) for n in read)

    def _unconverted(self, job: Job, plan: TablePlan) -> Iterator[str | None]:
        """Yields for each column that may not convert which rows have to be judged; None: all of them.

        NEW takes a value of its own type as it is, so that only OLD may refuse a row.
        """
        before, in_bytes = job.before(plan), job.new.counts_bytes and not job.old.counts_bytes
        for n in self.converters:
            match plan.columns[n].expression:
                case Sql(text=text, own=True):
                    yield computed(text)
                case _:
                    yield uncertain(plan, n, before, in_bytes=in_bytes)

    def _breaking(self, job: Job, plan: TablePlan) -> Iterator[str | None]:
        """Yields the same for each CHECK."""
        before, after = job.before(plan), job.after(plan)
        alike = job.old.encoding == job.new.encoding
        for check in self.questions.checks:
            yield breaking(plan, before, after, check.expression) if alike else None

    @property
    def needed(self) -> bool:
        """Whether anything is asked."""
        return bool(self.positions or self.gaps or self.never_filled or self.query)


class ScanBuilder:
    """Makes a scan of one plan's hazards, and notes in the book what cannot be asked.

    Args:
        existing: NEW's indexes that rows already in NEW could block, by constraint.
        keys: indexes whose keys the scan shall render for collisions.
        parents: foreign keys to be asked row by row.
        replaced: the rows replace those of NEW under this key; None: they are added.
    """

    def __init__(
        self,
        reader: Reader,
        book: Book,
        existing: Sequence[UniqueIndex],
        keys: Sequence[UniqueIndex],
        parents: Sequence[ForeignKey],
        *,
        replaced: MatchedKey | None = None,
    ) -> None:
        self._replaced = replaced
        self._reader, self._book = reader, book
        self._plan: TablePlan = reader.plan
        self._after: Table = reader.job.after(reader.plan)
        self._columns: set[str] = set()
        self._existing, self._keys, self._parents = existing, keys, parents
        self._position = {m.column: n for n, m in enumerate(reader.plan.columns)}
        self._unknowable = {
            m.column for n, m in enumerate(reader.plan.columns) if reader.lookups.unknowable(reader.plan, n)
        }

    def build(self) -> Scan:
        """Returns the scan for all hazards of the plan."""
        note_domains(self._reader.job, self._plan, self._book)
        note_partition_keys(self._reader.job, self._plan, self._book)
        nulls = self._askable(HazardKind.NOT_NULL)
        shipped = [column for column in nulls if self._shipped(column)]
        generated = tuple(column for column in nulls if self._is_generated(column))
        questions = self._questions(generated)
        rows = self._typed_rows(questions)
        return Scan(
            gaps=self._positions(gaps_to_ask(self._reader.lookups, self._plan, self._book)),
            encoded=self._positions(self._askable(HazardKind.ENCODING)),
            converters=self._converters(),
            nulls=self._positions(shipped),
            # A row that is replaced has a value there.
            never_filled=()
            if self._replaced is not None
            else tuple(column for column in nulls if column not in {*shipped, *generated}),
            questions=questions,
            typed=rows,
            query=self._query(rows, questions) if rows is not None else "",
            replaces=self._replaced is not None,
        )

    def _typed_rows(self, questions: RowQuestions) -> Typed | None:
        """Returns the typed rows that the questions read. None: nothing is asked about whole rows."""
        # A check or a partition bound may read no column at all.
        if not (self._columns or questions.checks or questions.routing):
            return None
        return self._typed(self._columns)

    def _typed(self, columns: set[str]) -> Typed:
        return typed(self._reader.job, self._plan, columns, replaced=self._replaced)

    def _questions(self, generated_nulls: tuple[str, ...]) -> RowQuestions:
        """Returns what is asked of NEW about typed rows."""
        # Each call adds the columns that its question reads, so `typed` is called after all of them.
        checks = self._checks()
        routed = self._want(
            self._hazards(HazardKind.ROUTING),
            self._routing_columns(),
            "partition routing",
            " ".join(leaf.constraint or "" for leaf in self._after.partitions),
        )
        wants_nulls = self._want(generated_nulls, set(generated_nulls), "NOT NULL of generated columns")
        return RowQuestions(
            checks=checks,
            routing=routed,
            generated_nulls=generated_nulls if wants_nulls else (),
            generated=tuple(c for c in self._generated() if self._want(True, {c}, f"{c}: its expression")),
            raising=tuple(self._raising()),
            existing=tuple(i for i in self._existing if self._want_index(i, "rows already in NEW")),
            parents=tuple(self._references()),
            keys=tuple(i for i in self._keys if self._want_index(i, "collisions")),
        )

    def _positions(self, columns: Sequence[str]) -> tuple[int, ...]:
        return tuple(self._position[column] for column in columns)

    def _is_generated(self, column: str) -> bool:
        """Returns whether NEW computes a column; its NOT NULL is asked about the whole row."""
        declared = self._after.column(column)
        return not self._shipped(column) and declared is not None and declared.generation is not None

    def _converters(self) -> dict[int, Converter]:
        """Returns a converter for each column whose texts NEW's input function has to judge."""
        job, zone = self._reader.job, self._plan.input_zone
        positions = self._positions(self._askable(HazardKind.CONVERSION))
        types = {position: job.without_readers(self._plan.columns[position].type) for position in positions}
        return {
            position: Converter(type_, ascii_only=re_encodes(job.new), zone=zone)
            for position, type_ in types.items()
            if type_ is not None
        }

    def build_for_existing(self) -> Scan:
        """Returns a scan that asks for rows already in NEW and nothing else."""
        wanted = tuple(i for i in self._existing if self._want_index(i, "rows already in NEW"))
        questions = RowQuestions(existing=wanted)
        rows = typed(self._reader.job, self._plan, self._columns)
        return Scan((), (), {}, (), (), questions, rows, self._query(rows, questions))

    def build_for_parents(self) -> Scan:
        """Returns a scan that asks for parents and nothing else."""
        questions = RowQuestions(parents=tuple(self._references()))
        rows = typed(self._reader.job, self._plan, self._columns)
        return Scan((), (), {}, (), (), questions, rows, self._query(rows, questions))

    def _hazards(self, kind: HazardKind) -> list[Hazard]:
        return [h for h in self._plan.hazards if h.kind is kind]

    def _askable(self, kind: HazardKind) -> list[str]:
        columns = []
        for column in (c for h in self._hazards(kind) for c in h.columns):
            if column in self._unknowable:
                self._book.note(
                    self._plan.flow, f"{column}: NEW's server alone will know the lookup's value ({kind})"
                )
            else:
                columns.append(column)
        return columns

    def _shipped(self, column: str) -> bool:
        return not isinstance(self._plan.columns[self._position[column]].expression, NewDefault)

    def _want(self, wanted: object, columns: set[str], what: str, expression: str = "") -> bool:
        """Adds columns to the question if every one of them, and the expression over them, can be asked.

        Returns whether it did.
        """
        if not wanted:
            return False
        try:
            refuse_reader(self._reader.job, "it", expression)
            refuse_unknowable(self._reader, self._typed(columns))
        except NotAskable as why:
            self._book.note(self._plan.flow, f"{what}: {why}")
            return False
        self._columns |= columns
        return True

    def _want_index(self, index: UniqueIndex, what: str) -> bool:
        texts = " ".join([*index.expressions, index.predicate or ""])
        if reads_whole_row(texts):
            self._book.note(self._plan.flow, f"{what} ({index.constraint}): it reads the row as one value")
            return False
        return self._want(True, mentioned(texts, self._after), f"{what} ({index.constraint})", texts)

    def _generated(self) -> list[str]:
        return [c for h in self._hazards(HazardKind.GENERATED) for c in h.columns]

    def _raising(self) -> list[str]:
        """Returns each index as one expression: its keys where its predicate holds."""
        names = {h.constraint for h in self._hazards(HazardKind.INDEX)}
        found = []
        for index in self._after.indexes:
            texts = [key for key, column in zip(index.keys, index.columns, strict=False) if column is None]
            every = " ".join([*texts, *([index.predicate] if index.predicate is not None else [])])
            if index.name in names and self._want(
                True, mentioned(every, self._after), f"index {index.name}", every
            ):
                values = f"ROW({', '.join(texts)})"
                covered = index.predicate
                value = f"CASE WHEN {covered} THEN {values} END" if covered is not None else values
                found.append(with_whole_row(value, whole_row(self._after)))
        return found

    def _checks(self) -> tuple[RowCheck, ...]:
        after = self._after
        names = {h.constraint for h in self._hazards(HazardKind.CHECK)}
        return tuple(
            check
            for check in row_checks(after, names)
            if self._can_be_typed(check)
            and self._want(True, self._read_by(check), f"check {check.name}", check.expression)
        )

    def _can_be_typed(self, check: RowCheck) -> bool:
        """Returns whether a check can be asked of a row that lies nowhere."""
        why = why_unasked(check, self._after)
        if why:
            self._book.note(self._plan.flow, f"check {check.name}: {why}")
        return not why

    def _read_by(self, check: RowCheck) -> set[str]:
        own = check.relation == self._after.name.name and check.columns
        return set(check.columns) if own else mentioned(check.expression, self._after)

    def _routing_columns(self) -> set[str]:
        return mentioned(" ".join(p.constraint or "" for p in self._after.partitions), self._after)

    def _references(self) -> list[tuple[ForeignKey, Reference]]:
        found = []
        for key in self._parents:
            try:
                question = reference(self._reader.job, self._after, key)
            except NotAskable as why:
                self._book.note(self._plan.flow, f"foreign key {key.name}: {why}")
                continue
            if self._want(True, set(key.columns), f"foreign key {key.name}"):
                found.append((key, question))
        return found

    def _query(self, typed_rows: Typed, questions: RowQuestions) -> str:
        """Returns the one statement that puts all questions; empty when there are none."""
        rows = typed_rows.rows
        parts = [
            *self._verdict(rows, questions),
            *(existing_part(rows, i, n, self._shown(i)) for n, i in enumerate(questions.existing)),
            *(parent_part(rows, parent, n) for n, (_, parent) in enumerate(questions.parents)),
            *(key_part(rows, index, n, hashed=True) for n, index in enumerate(questions.keys)),
        ]
        return rows_query(rows, parts) if parts else ""

    def _verdict(self, rows: GivenRows, questions: RowQuestions) -> list[str]:
        """Returns the question about faults that a row has by itself."""
        # A partitioned table without partitions takes no row at all.
        bounds = [leaf.constraint or "true" for leaf in self._after.partitions] or ["false"]
        leaves = bounds if questions.routing else []
        checks = [check.expression for check in questions.checks]
        computed = [*(ident(name) for name in questions.generated), *questions.raising]
        if not (leaves or checks or questions.generated_nulls or computed):
            return []
        return [verdict_part(rows, checks, leaves, questions.generated_nulls, computed)]

    def _shown(self, index: UniqueIndex) -> Sequence[str]:
        """Returns the columns by which a row of NEW is named: its primary key, else those of the index."""
        primary = self._after.primary_key
        if primary is not None:
            return primary.columns
        return sorted(mentioned(" ".join(index.expressions), self._after))
