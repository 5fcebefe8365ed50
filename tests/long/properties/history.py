"""A shop whose schema evolves by random steps, with the truth on record: which column of the first day is
which one of the last, what became of its values, and the decisions that a person
who knows all this would write down.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from support.build import column, enum, pg_type, table
from tranship.model.catalog import Table
from tranship.model.names import TableName
from tranship.model.types import PgType

_WORDS = """
account area badge basket batch bonus branch campaign carrier channel clerk colour contract courier coupon
currency dealer delivery depot device discount district driver event factory feature folder format garage
guest hotel invoice island journal kitchen label lane ledger license lobby machine margin market medal
member merchant museum notice office outlet package palace parcel partner payment picture pilot planet
player policy printer profile project promise quarter queue rank receipt region report reserve route sample
season sector server shelf shipment signal station stock street studio supplier survey tariff team ticket
token tool tower track trailer treaty vehicle vendor venue village visitor voucher wagon
"""
WORDS = _WORDS.split()
TYPES = (
    "integer",
    "bigint",
    "text",
    "character varying(40)",
    "boolean",
    "date",
    "timestamp without time zone",
    "numeric(10,2)",
    "jsonb",
)
VALUES = {
    "integer": "{n} * 37",
    "bigint": "{n} * 100003",
    "text": "'w' || {n} % 11 || ' of ' || {n} % 5",
    "character varying(40)": "'x' || {n} % 13 || ' ' || {n} % 3",
    "boolean": "{n} % 2 = 0",
    "date": "date '2020-01-30' + {n}::int",
    "timestamp without time zone": "timestamp '2021-03-27 23:30' + {n} * interval '1 hour'",
    "numeric(10,2)": "{n} * 1.25",
    "jsonb": "jsonb_build_object('n', {n})",
}
"""By type, from a number."""
RETYPED = {
    "integer": "bigint",
    "character varying(40)": "text",
    "text": "character varying(40)",
    "numeric(10,2)": "numeric(14,2)",
    "date": "text",
}


@dataclass
class Cell:
    """A column for as long as it lives, whatever it is called."""

    born: int
    name: str
    type: PgType
    number: int
    origin: str | None = None
    """The column of the first day that its values come from; None: it came later and is empty."""
    sql: str = ""
    """Its value as an expression over a row of the first day."""
    labels: Room | None = None
    """It holds keys of this table, found by the origin's text."""
    touched: bool = False
    """Its values are no longer those of its origin as they were."""


@dataclass
class Room:
    """A table for as long as it lives."""

    oid: int
    name: str
    cells: list[Cell]
    next_number: int = 1
    origin: str | None = None
    """Its name on the first day."""
    reference: bool = False
    """It came later and holds keys and their texts."""

    def cell(self, name: str) -> Cell:
        """The column of this name today."""
        return next(c for c in self.cells if c.name == name)


@dataclass
class Shop:
    """The schema today, and the statements that led to it."""

    chance: random.Random
    rooms: list[Room] = field(default_factory=list)
    statements: list[str] = field(default_factory=list)
    """Since the first day ended."""
    names: list[str] = field(default_factory=list)
    born: int = 0

    def word(self) -> str:
        """A name nobody has used before."""
        while True:
            name = "_".join(self.chance.sample(WORDS, 2))
            if name not in self.names:
                self.names.append(name)
                return name

    def add_cell(self, room: Room, type_: PgType | None = None, name: str | None = None) -> Cell:
        """Appended, as servers do."""
        self.born += 1
        cell = Cell(
            self.born, name or self.word(), type_ or pg_type(self.chance.choice(TYPES)), room.next_number
        )
        room.next_number += 1
        room.cells.append(cell)
        return cell

    def add_room(self) -> Room:
        """A table with its key and three to nine columns."""
        room = Room(16384 + 8 * (len(self.names) + 1), self.word(), [])
        self.rooms.append(room)
        self.add_cell(room, pg_type("integer"), "id")
        for _ in range(self.chance.randint(3, 9)):
            self.add_cell(room)
        return room

    def tables(self) -> list[Table]:
        """As a catalog would show them."""
        return [self._table(room) for room in self.rooms]

    def _table(self, room: Room) -> Table:
        cells = sorted(room.cells, key=lambda c: c.number)
        made = table(
            room.name,
            *(column(c.name, c.type, attnum=c.number, not_null=c.name == "id") for c in cells),
            key=["id"],
            oid=room.oid,
        )
        numbered = tuple(column(c.name, c.type, attnum=c.number, not_null=c.name == "id") for c in cells)
        return Table(made.name, "r", numbered, oid=room.oid, keys=made.keys, privileges=made.privileges)

    def open(self) -> None:
        """The first day ends: what is there now is where everything comes from."""
        for room in self.rooms:
            room.origin = room.name
            for cell in room.cells:
                cell.origin, cell.sql = cell.name, f"old.{cell.name}"

    def rows(self, number: int) -> str:
        """The statements that fill today's tables."""
        made = []
        for room in self.rooms:
            values = [
                f"CASE WHEN {'false' if c.name == 'id' else f'(n + {at}) % 7 = 0'} THEN NULL ELSE"
                f" {VALUES[c.type.text].format(n=f'(n + {at})')} END"
                for at, c in enumerate(room.cells)
            ]
            made.append(
                f"INSERT INTO {room.name} SELECT {', '.join(values)} FROM generate_series(1, {number}) n;"
            )
        return "\n".join(made)

    def truth(self) -> dict[int, tuple[TableName, str]]:
        """Where every living column is."""
        return {c.born: (TableName("public", room.name), c.name) for room in self.rooms for c in room.cells}

    def creation(self) -> str:
        """The statements that make today's schema from nothing."""
        made = []
        for room in self.rooms:
            made.append(
                f"CREATE TABLE {room.name}"
                f" ({', '.join(f'{c.name} {c.type.text}' for c in room.cells)}, PRIMARY KEY (id));"
            )
        return "\n".join(made)


def _any_cell(shop: Shop) -> tuple[Room, Cell] | None:
    room = shop.chance.choice(shop.rooms)
    cells = [c for c in room.cells if c.name not in ("id", LABEL)]
    return (room, shop.chance.choice(cells)) if len(cells) > 1 else None


def rename(shop: Shop) -> None:
    """A column gets another name: a new one, or its own with a word more."""
    if (found := _any_cell(shop)) is not None:
        room, cell = found
        after = shop.word() if shop.chance.random() < 0.5 else f"{cell.name}_{shop.chance.choice(WORDS)}"
        if after not in {c.name for c in room.cells}:
            shop.statements.append(f"ALTER TABLE {room.name} RENAME {cell.name} TO {after};")
            shop.names.append(after)
            cell.name = after


def retype(shop: Shop) -> None:
    """A column's type changes."""
    if (found := _any_cell(shop)) is not None and found[1].type.text in RETYPED:
        room, cell = found
        cell.type = pg_type(RETYPED[cell.type.text])
        cell.sql = f"({cell.sql})::{cell.type.text}"
        cell.touched = True
        shop.statements.append(f"ALTER TABLE {room.name} ALTER {cell.name} TYPE {cell.type.text};")


def to_enum(shop: Shop) -> None:
    """A text becomes an enum."""
    if (found := _any_cell(shop)) is not None and found[1].type.text == "text":
        room, cell = found
        name = f"{cell.name}_kind"
        cell.type = enum(name, "a", "b")
        label = "CASE length({0}) % 2 WHEN 0 THEN 'a' WHEN 1 THEN 'b' END"
        cell.sql = label.format(cell.sql)
        cell.touched = True
        shop.statements.append(f"CREATE TYPE {name} AS ENUM ('a', 'b');")
        shop.statements.append(
            f"ALTER TABLE {room.name} ALTER {cell.name} TYPE {name}"
            f" USING ({label.format(cell.name)})::{name};"
        )


def add(shop: Shop) -> None:
    """A new column."""
    room = shop.chance.choice(shop.rooms)
    cell = shop.add_cell(room)
    shop.statements.append(f"ALTER TABLE {room.name} ADD {cell.name} {cell.type.text};")


def drop(shop: Shop) -> None:
    """A column goes."""
    if (found := _any_cell(shop)) is not None:
        room, cell = found
        room.cells.remove(cell)
        shop.statements.append(f"ALTER TABLE {room.name} DROP {cell.name};")


def split(shop: Shop) -> None:
    """One column gives way to two."""
    if (found := _any_cell(shop)) is not None and found[1].labels is None:
        room, cell = found
        parts = [
            shop.add_cell(room, pg_type("text"), f"{word}_{cell.name}")
            for word in ("first", "last")
            if f"{word}_{cell.name}" not in shop.names
        ]
        shop.names += [p.name for p in parts]
        room.cells.remove(cell)
        for at, part in enumerate(parts, 1):
            shop.statements.append(f"ALTER TABLE {room.name} ADD {part.name} text;")
            shop.statements.append(
                f"UPDATE {room.name} SET {part.name} = split_part({cell.name}::text, ' ', {at});"
            )
            if cell.origin is not None:
                part.origin, part.sql, part.touched = (
                    cell.origin,
                    f"split_part(({cell.sql})::text, ' ', {at})",
                    True,
                )
        shop.statements.append(f"ALTER TABLE {room.name} DROP {cell.name};")


def lookup(shop: Shop) -> None:
    """A text gives way to the key of a table of its own."""
    if (found := _any_cell(shop)) is not None and found[1].type.text == "text" and not found[1].touched:
        room, cell = found
        made = Room(16384 + 8 * (len(shop.names) + 1), shop.word(), [])
        made.reference = True
        shop.rooms.append(made)
        for name, type_ in (("id", "integer"), (LABEL, "text")):
            shop.add_cell(made, pg_type(type_), name)
        key = shop.add_cell(room, pg_type("integer"), f"{made.name}_id")
        room.cells.remove(cell)
        shop.statements.append(f"CREATE TABLE {made.name} (id integer PRIMARY KEY, label text);")
        key.origin, key.sql, key.labels, key.touched = (
            cell.origin,
            cell.sql,
            made if cell.origin is not None else None,
            True,
        )
        shop.statements.append(
            f"INSERT INTO {made.name} SELECT row_number() OVER (ORDER BY v),"
            f" v FROM (SELECT DISTINCT {cell.name} AS v FROM {room.name}) d"
        )
        shop.statements[-1] += " WHERE v IS NOT NULL;"
        shop.statements.append(f"ALTER TABLE {room.name} ADD {key.name} integer;")
        shop.statements.append(
            f"UPDATE {room.name} SET {key.name} = (SELECT id FROM {made.name} WHERE label = {cell.name});"
        )
        shop.statements.append(f"ALTER TABLE {room.name} DROP {cell.name};")


def swap(shop: Shop) -> None:
    """Two columns exchange their names."""
    if (found := _any_cell(shop)) is not None:
        room, one = found
        two = shop.chance.choice([c for c in room.cells if c is not one and c.name != "id"])
        for before, after in ((one.name, "swapping"), (two.name, one.name), ("swapping", two.name)):
            shop.statements.append(f"ALTER TABLE {room.name} RENAME {before} TO {after};")
        one.name, two.name = two.name, one.name


def rename_table(shop: Shop) -> None:
    """A table gets another name."""
    room = shop.chance.choice(shop.rooms)
    after = shop.word()
    shop.statements.append(f"ALTER TABLE {room.name} RENAME TO {after};")
    room.name = after


def drop_table(shop: Shop) -> None:
    """A table goes, unless others hold its keys."""
    needed = [c.labels for room in shop.rooms for c in room.cells]
    free = [room for room in shop.rooms if room not in needed]
    if len(free) > 3:
        room = shop.chance.choice(free)
        shop.rooms.remove(room)
        shop.statements.append(f"DROP TABLE {room.name};")


def add_table(shop: Shop) -> None:
    """A new table."""
    room = shop.add_room()
    shop.statements.append(
        f"CREATE TABLE {room.name}"
        f" ({', '.join(f'{c.name} {c.type.text}' for c in room.cells)}, PRIMARY KEY (id));"
    )


ROWS = 40
"""Of each table on the first day."""

LABEL = "label"
"""Of a table of reference; it stays as it is."""

Step = Callable[[Shop], None]
STEPS: tuple[Step, ...] = (
    rename,
    rename,
    rename,
    retype,
    to_enum,
    add,
    add,
    drop,
    split,
    lookup,
    rename_table,
    drop_table,
    add_table,
)


@dataclass(frozen=True)
class History:
    """The first day, the last day, and what became of every column."""

    old: tuple[Table, ...]
    new: tuple[Table, ...]
    before: dict[int, tuple[TableName, str]]
    after: dict[int, tuple[TableName, str]]
    creation: str
    rows: str
    statements: tuple[str, ...]
    decisions: dict[str, list[dict[str, object]]]
    """Everything that differs, as a person who was there would answer it."""
    tables: tuple[str, ...]
    """Of the last day."""
    reference: tuple[str, ...]
    """Those of them that came later and hold rows: keys and their texts."""


def history(seed: int, steps: int = 30, *, swaps: bool) -> History:
    """A shop of five tables after so many random steps."""
    shop = Shop(random.Random(seed))
    for _ in range(5):
        shop.add_room()
    shop.open()
    old, before, creation, rows = tuple(shop.tables()), shop.truth(), shop.creation(), shop.rows(ROWS)
    choices = (*STEPS, swap) if swaps else STEPS
    for _ in range(steps):
        shop.chance.choice(choices)(shop)
    new, after = tuple(shop.tables()), shop.truth()
    reference = tuple(room.name for room in shop.rooms if room.reference)
    return History(
        old,
        new,
        before,
        after,
        creation,
        rows,
        tuple(shop.statements),
        _decisions(old, shop),
        tuple(r.name for r in shop.rooms),
        reference,
    )


def _decisions(old: tuple[Table, ...], shop: Shop) -> dict[str, list[dict[str, object]]]:
    today = {room.origin: room for room in shop.rooms if room.origin is not None}
    return {
        t.name.name: _of_room(t, today[t.name.name]) if t.name.name in today else [{"action": "drop_table"}]
        for t in old
    }


def _of_room(before: Table, room: Room) -> list[dict[str, object]]:
    entries: list[dict[str, object]] = []
    if room.name != before.name.name:
        entries.append({"action": "rename_table", "new_table": room.name})
    for cell in room.cells:
        if cell.origin is None or (cell.name == cell.origin and not cell.touched):
            continue
        entry: dict[str, object] = {"action": "transform", "old_column": cell.origin, "new_column": cell.name}
        if cell.labels is not None:
            entry["lookup_table"] = {"table": cell.labels.name, "key_column": LABEL, "value_column": "id"}
        elif cell.touched:
            entry["transform_sql"] = cell.sql
        else:
            entry["action"] = "rename"
        entries.append(entry)
    fed = {cell.origin for cell in room.cells}
    return entries + [{"action": "ignore", "old_column": c.name} for c in before.columns if c.name not in fed]
