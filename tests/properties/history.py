"""A shop whose schema evolves by random steps, with the truth on record: which column of the first day is which one of the last."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from tranship.model.catalog import Table
from tranship.model.names import TableName
from tranship.model.types import PgType
from unit.build import column, enum, pg_type, table

_WORDS = """
account area badge basket batch bonus branch campaign carrier channel clerk colour contract courier coupon currency dealer delivery depot
device discount district driver event factory feature folder format garage guest hotel invoice island journal kitchen label lane ledger
license lobby machine margin market medal member merchant museum notice office outlet package palace parcel partner payment picture pilot
planet player policy printer profile project promise quarter queue rank receipt region report reserve route sample season sector server
shelf shipment signal station stock street studio supplier survey tariff team ticket token tool tower track trailer treaty vehicle vendor
venue village visitor voucher wagon
"""
WORDS = _WORDS.split()
TYPES = ("integer", "bigint", "text", "character varying(40)", "boolean", "date", "timestamp without time zone", "numeric(10,2)", "jsonb")
RETYPED = {"integer": "bigint", "character varying(40)": "text", "text": "character varying(40)", "numeric(10,2)": "numeric(14,2)", "date": "text"}


@dataclass
class Cell:
    """A column for as long as it lives, whatever it is called."""

    born: int
    name: str
    type: PgType
    number: int


@dataclass
class Room:
    """A table for as long as it lives."""

    oid: int
    name: str
    cells: list[Cell]
    next_number: int = 1

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
        cell = Cell(self.born, name or self.word(), type_ or pg_type(self.chance.choice(TYPES)), room.next_number)
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
        made = table(room.name, *(column(c.name, c.type, attnum=c.number, not_null=c.name == "id") for c in cells), key=["id"], oid=room.oid)
        numbered = tuple(column(c.name, c.type, attnum=c.number, not_null=c.name == "id") for c in cells)
        return Table(made.name, "r", numbered, oid=room.oid, keys=made.keys, privileges=made.privileges)

    def truth(self) -> dict[int, tuple[TableName, str]]:
        """Where every living column is."""
        return {c.born: (TableName("public", room.name), c.name) for room in self.rooms for c in room.cells}

    def creation(self) -> str:
        """The statements that make today's schema from nothing."""
        made = []
        for room in self.rooms:
            made.append(f"CREATE TABLE {room.name} ({', '.join(f'{c.name} {c.type.text}' for c in room.cells)}, PRIMARY KEY (id));")
        return "\n".join(made)


def _any_cell(shop: Shop) -> tuple[Room, Cell] | None:
    room = shop.chance.choice(shop.rooms)
    cells = [c for c in room.cells if c.name != "id"]
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
        shop.statements.append(f"ALTER TABLE {room.name} ALTER {cell.name} TYPE {cell.type.text};")


def to_enum(shop: Shop) -> None:
    """A text becomes an enum."""
    if (found := _any_cell(shop)) is not None and found[1].type.text == "text":
        room, cell = found
        name = f"{cell.name}_kind"
        cell.type = enum(name, "a", "b")
        shop.statements.append(f"CREATE TYPE {name} AS ENUM ('a', 'b');")
        shop.statements.append(f"ALTER TABLE {room.name} ALTER {cell.name} TYPE {name} USING {cell.name}::{name};")


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
    if (found := _any_cell(shop)) is not None:
        room, cell = found
        parts = [shop.add_cell(room, pg_type("text"), f"{word}_{cell.name}") for word in ("first", "last") if f"{word}_{cell.name}" not in shop.names]
        shop.names += [p.name for p in parts]
        room.cells.remove(cell)
        shop.statements += [f"ALTER TABLE {room.name} ADD {p.name} text;" for p in parts]
        shop.statements.append(f"ALTER TABLE {room.name} DROP {cell.name};")


def lookup(shop: Shop) -> None:
    """A text gives way to the key of a table of its own."""
    if (found := _any_cell(shop)) is not None and found[1].type.text == "text":
        room, cell = found
        made = Room(16384 + 8 * (len(shop.names) + 1), shop.word(), [])
        shop.rooms.append(made)
        for name, type_ in (("id", "integer"), ("label", "text")):
            shop.add_cell(made, pg_type(type_), name)
        key = shop.add_cell(room, pg_type("integer"), f"{made.name}_id")
        room.cells.remove(cell)
        shop.statements.append(f"CREATE TABLE {made.name} (id integer PRIMARY KEY, label text);")
        shop.statements.append(f"ALTER TABLE {room.name} ADD {key.name} integer;")
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
    """A table goes."""
    if len(shop.rooms) > 3:
        room = shop.chance.choice(shop.rooms)
        shop.rooms.remove(room)
        shop.statements.append(f"DROP TABLE {room.name};")


def add_table(shop: Shop) -> None:
    """A new table."""
    room = shop.add_room()
    shop.statements.append(f"CREATE TABLE {room.name} ({', '.join(f'{c.name} {c.type.text}' for c in room.cells)}, PRIMARY KEY (id));")


Step = Callable[[Shop], None]
STEPS: tuple[Step, ...] = (rename, rename, rename, retype, to_enum, add, add, drop, split, lookup, rename_table, drop_table, add_table)


@dataclass(frozen=True)
class History:
    """The first day, the last day, and what became of every column."""

    old: tuple[Table, ...]
    new: tuple[Table, ...]
    before: dict[int, tuple[TableName, str]]
    after: dict[int, tuple[TableName, str]]
    creation: str
    statements: tuple[str, ...]


def history(seed: int, steps: int = 30, *, swaps: bool) -> History:
    """A shop of five tables after so many random steps."""
    shop = Shop(random.Random(seed))
    for _ in range(5):
        shop.add_room()
    old, before, creation = tuple(shop.tables()), shop.truth(), shop.creation()
    choices = (*STEPS, swap) if swaps else STEPS
    for _ in range(steps):
        shop.chance.choice(choices)(shop)
    return History(old, tuple(shop.tables()), before, shop.truth(), creation, tuple(shop.statements))
