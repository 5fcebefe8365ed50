"""What reading a table's rows once is to answer: built from the plan's hazards, so that a table without hazards is not read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from tranship.execution.probe.questions import Converter, NotAskable, re_encodes
from tranship.execution.probe.reading import Reader
from tranship.execution.probe.references import reference
from tranship.execution.probe.reject_book import Book
from tranship.execution.probe.typed_rows import Typed, typed
from tranship.model.catalog import ForeignKey, Table
from tranship.model.expression import NewDefault
from tranship.model.plan import Hazard, HazardKind, TablePlan
from tranship.planning.printed.names import mentioned
from tranship.sql.new.given_rows import Reference, parent_part, rows_query, verdict_part, within
from tranship.sql.new.unique_indexes import UniqueIndex, existing_part, key_part
from tranship.sql.old.safe_values import foreign_characters, is_null, missing_entry, uncertain
from tranship.sql.quote import ident


class RowCheck(Struct, frozen=True):
    """A CHECK that a row must not break."""

    name: str
    relation: str
    """The table or the partition that declares it."""
    columns: tuple[str, ...]
    expression: str


class Asked(Struct, frozen=True):
    """What is asked of NEW about typed rows, in the order in which a fault is named."""

    checks: tuple[RowCheck, ...] = ()
    routing: bool = False
    generated_nulls: tuple[str, ...] = ()
    generated: tuple[str, ...] = ()
    """Columns whose expression may raise."""
    raising: tuple[str, ...] = ()
    """Expressions of indexes that may raise."""
    existing: tuple[UniqueIndex, ...] = ()
    parents: tuple[tuple[ForeignKey, Reference], ...] = ()
    keys: tuple[UniqueIndex, ...] = ()


class Scan(Struct, frozen=True):
    """One reading of a table plan's rows."""

    gaps: tuple[int, ...]
    encoded: tuple[int, ...]
    converters: Mapping[int, Converter]
    nulls: tuple[int, ...]
    never_filled: tuple[str, ...]
    """NOT NULL columns that nothing fills: every row fails."""
    asked: Asked
    typed: Typed | None
    query: str

    @property
    def positions(self) -> tuple[int, ...]:
        """Mappings whose shipped text is read."""
        typed_positions = self.typed.positions if self.typed is not None else ()
        return tuple(sorted({*self.encoded, *self.converters, *self.nulls, *typed_positions}))

    def only(self, plan: TablePlan, before: Table, *, in_bytes: bool) -> list[str] | None:
        """Predicates of the rows worth reading; None: each row has to be looked at. ``in_bytes``: NEW measures texts in bytes."""
        if self.query or self.never_filled:
            return None
        uncertain_rows = [uncertain(plan, n, before, in_bytes=in_bytes) for n in self.converters]
        known = [rows for rows in uncertain_rows if rows is not None]
        if len(known) < len(uncertain_rows):
            return None
        return [
            *known,
            *(missing_entry(plan, n, before) for n in self.gaps),
            *(foreign_characters(plan, n, before) for n in self.encoded),
            *(is_null(plan, n, before) for n in self.nulls),
        ]

    @property
    def needed(self) -> bool:
        """Something is asked at all."""
        return bool(self.positions or self.gaps or self.never_filled or self.query)


class ScanBuilder:
    """Sorts one plan's hazards into a scan; what cannot be asked is noted in the book.

    Args:
        existing: NEW's indexes that rows already in NEW could block, by constraint.
        keys: indexes whose keys the scan shall render for collisions.
        parents: foreign keys to be asked row by row.
    """

    def __init__(
        self,
        reader: Reader,
        book: Book,
        existing: Sequence[UniqueIndex],
        keys: Sequence[UniqueIndex],
        parents: Sequence[ForeignKey],
    ) -> None:
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
        """The scan."""
        ascii_only = re_encodes(self._reader.job.new)
        nulls = self._askable(HazardKind.NOT_NULL)
        shipped_nulls = [c for c in nulls if self._shipped(c)]
        declared = {c: self._after.column(c) for c in nulls}
        generated = tuple(
            c
            for c in nulls
            if not self._shipped(c) and (d := declared[c]) is not None and d.generation is not None
        )
        asked = Asked(
            checks=self._checks(),
            routing=self._want(
                self._hazards(HazardKind.ROUTING), self._routing_columns(), "partition routing"
            ),
            generated_nulls=generated
            if self._want(generated, set(generated), "NOT NULL of generated columns")
            else (),
            generated=tuple(c for c in self._generated() if self._want(True, {c}, f"{c}: its expression")),
            raising=tuple(self._raising()),
            existing=tuple(i for i in self._existing if self._want_index(i, "rows already in NEW")),
            parents=tuple(self._references()),
            keys=tuple(i for i in self._keys if self._want_index(i, "collisions")),
        )
        rows = (
            typed(self._plan, self._after, self._columns)
            if self._columns or asked.checks or asked.routing
            else None
        )
        return Scan(
            gaps=tuple(self._position[c] for h in self._hazards(HazardKind.GAP) for c in h.columns),
            encoded=tuple(self._position[c] for c in self._askable(HazardKind.ENCODING)),
            converters={
                self._position[c]: Converter(
                    self._plan.columns[self._position[c]].type,
                    ascii_only=ascii_only,
                    zone=self._plan.input_zone,
                )
                for c in self._askable(HazardKind.CONVERSION)
            },
            nulls=tuple(self._position[c] for c in shipped_nulls),
            never_filled=tuple(c for c in nulls if not self._shipped(c) and c not in generated),
            asked=asked,
            typed=rows,
            query=self._query(rows, asked) if rows is not None else "",
        )

    def build_for_existing(self) -> Scan:
        """A scan that asks for rows already in NEW and nothing else."""
        asked = Asked(existing=tuple(i for i in self._existing if self._want_index(i, "rows already in NEW")))
        rows = typed(self._plan, self._after, self._columns)
        return Scan((), (), {}, (), (), asked, rows, self._query(rows, asked))

    def _hazards(self, kind: HazardKind) -> list[Hazard]:
        return [h for h in self._plan.hazards if h.kind is kind]

    def _askable(self, kind: HazardKind) -> list[str]:
        columns = []
        for column in (c for h in self._hazards(kind) for c in h.columns):
            if column in self._unknowable:
                self._book.note(
                    self._plan.flow, f"{column}: the lookup's value will be made by NEW's server ({kind})"
                )
            else:
                columns.append(column)
        return columns

    def _shipped(self, column: str) -> bool:
        return not isinstance(self._plan.columns[self._position[column]].expression, NewDefault)

    def _want(self, wanted: object, columns: set[str], what: str) -> bool:
        """Take columns into the question if every one of them can be asked."""
        if not wanted:
            return False
        try:
            needed = typed(self._plan, self._after, columns)
            lacking = {c.name for c in needed.rows.given} & self._unknowable
            if lacking:
                raise NotAskable(
                    f"{', '.join(sorted(lacking))}: the lookup's value will be made by NEW's server"
                )
        except NotAskable as why:
            self._book.note(self._plan.flow, f"{what}: {why}")
            return False
        self._columns |= columns
        return True

    def _want_index(self, index: UniqueIndex, what: str) -> bool:
        texts = " ".join([*index.expressions, index.predicate or ""])
        return self._want(True, mentioned(texts, self._after), f"{what} ({index.constraint})")

    def _generated(self) -> list[str]:
        return [c for h in self._hazards(HazardKind.GENERATED) for c in h.columns]

    def _raising(self) -> list[str]:
        """Each index as one expression: its keys where its predicate holds."""
        names = {h.constraint for h in self._hazards(HazardKind.INDEX)}
        found = []
        for index in self._after.indexes:
            texts = [key for key, column in zip(index.keys, index.columns, strict=False) if column is None]
            every = [*texts, *([index.predicate] if index.predicate is not None else [])]
            if index.name in names and self._want(
                True, mentioned(" ".join(every), self._after), f"index {index.name}"
            ):
                values = f"ROW({', '.join(texts)})"
                found.append(
                    f"CASE WHEN {index.predicate} THEN {values} END"
                    if index.predicate is not None
                    else values
                )
        return found

    def _checks(self) -> tuple[RowCheck, ...]:
        after = self._after
        names = {h.constraint for h in self._hazards(HazardKind.CHECK)}
        checks = [
            RowCheck(c.name, after.name.name, c.columns, c.expression)
            for c in after.checks
            if c.name in names
        ]
        for leaf in after.partitions:
            checks += [
                RowCheck(c.name, leaf.name.name, c.columns, within(leaf.constraint, c.expression))
                for c in leaf.checks
                if c.enforced
            ]
        checks.sort(key=lambda check: check.name)
        return tuple(
            check
            for check in checks
            if self._can_be_typed(check) and self._want(True, self._read_by(check), f"check {check.name}")
        )

    def _can_be_typed(self, check: RowCheck) -> bool:
        """A row that is only asked about lies nowhere: it has no ``tableoid``."""
        if all(self._after.column(name) is not None for name in check.columns):
            return True
        self._book.note(self._plan.flow, f"check {check.name}: it reads where the row lies")
        return False

    def _read_by(self, check: RowCheck) -> set[str]:
        own = check.relation == self._after.name.name and check.columns
        return set(check.columns) if own else mentioned(check.expression, self._after)

    def _routing_columns(self) -> set[str]:
        return mentioned(" ".join(p.constraint or "" for p in self._after.partitions), self._after)

    def _references(self) -> list[tuple[ForeignKey, Reference]]:
        found = []
        for key in self._parents:
            try:
                asked = reference(self._reader.job, self._after, key)
            except NotAskable as why:
                self._book.note(self._plan.flow, f"foreign key {key.name}: {why}")
                continue
            if self._want(True, set(key.columns), f"foreign key {key.name}"):
                found.append((key, asked))
        return found

    def _query(self, typed_rows: Typed, asked: Asked) -> str:
        rows, after = typed_rows.rows, self._after
        parts = []
        leaves = [p.constraint or "true" for p in after.partitions] if asked.routing else []
        if asked.routing and not leaves:
            leaves = ["false"]
        checks = [check.expression for check in asked.checks]
        computed = [*(ident(name) for name in asked.generated), *asked.raising]
        if leaves or checks or asked.generated_nulls or computed:
            parts.append(verdict_part(rows, checks, leaves, asked.generated_nulls, computed))
        primary = after.primary_key
        for n, index in enumerate(asked.existing):
            shown = (
                primary.columns
                if primary is not None
                else sorted(mentioned(" ".join(index.expressions), after))
            )
            parts.append(existing_part(rows, index, n, shown))
        parts += [parent_part(rows, asked_parent, n) for n, (_, asked_parent) in enumerate(asked.parents)]
        parts += [key_part(rows, index, n, hashed=True) for n, index in enumerate(asked.keys)]
        return rows_query(rows, parts) if parts else ""
