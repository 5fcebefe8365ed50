"""Measures how long it takes to match and compare two large schemas.

    benchmarks/matching.py [TABLES [COLUMNS]]     by default 5,000 tables of 20 columns

The schemas are random, from a fixed seed. Seconds are CPU seconds without reading the catalogs; memory is the
process's greatest so far.
"""

from __future__ import annotations

import argparse
import random
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "src"))

from tranship.model.catalog import Catalog, Column, ForeignKey, Key, Table  # noqa: E402
from tranship.model.names import TableName  # noqa: E402
from tranship.model.types import PgType, TypeKind  # noqa: E402
from tranship.planning.deciding.data_questions import provisional_comparison  # noqa: E402
from tranship.planning.matching.scope import make_scope  # noqa: E402

_WORDS = """
account area bank batch bill branch brand buyer card check city code color cost count date depth end fee
file flag grade group height image index invoice item kind label level line lot mail maker mark model
name note number order owner page part path payer phone piece place point price rank rate right role
score seal seller serial shelf side sign size sort start state stock street sum tax text time title total
type unit url user value weight width word zip zone
"""
WORDS = _WORDS.split()
TYPES = tuple(
    PgType(base, base, TypeKind.BASE)
    for base in ("integer", "text", "date", "boolean", "numeric", "timestamp with time zone")
)
Shape = dict[str, dict[str, PgType]]
"""Table → column → type."""


def words(chance: random.Random, most: int) -> str:
    """A name."""
    return "_".join(chance.sample(WORDS, chance.randint(1, most)))


def shape(chance: random.Random, tables: int, columns: int) -> Shape:
    """A schema in which some columns stand in every table."""
    made: Shape = {}
    for number in range(tables):
        named: dict[str, PgType] = {"id": TYPES[0]}
        while len(named) < columns - 2:
            named[words(chance, 3) + (f"_{len(named)}" if columns > 200 else "")] = chance.choice(TYPES)
        made[f"{words(chance, 2)}_{number}"] = {**named, "created_at": TYPES[5], "updated_at": TYPES[5]}
    return made


def catalog(made: Shape, seed: int) -> Catalog:
    """The catalog of a shape, every integer column but the first few a foreign key to some table."""
    chance, names = random.Random(seed), list(made)
    tables = []
    for name, columns in made.items():
        listed = tuple(Column(c, n, type_) for n, (c, type_) in enumerate(columns.items(), 1))
        keys = [c.name for c in listed[1:] if c.type is TYPES[0]][:2]
        foreign = tuple(
            ForeignKey(f"fk_{c}", (c,), TableName("public", names[chance.randrange(len(names))]), ("id",))
            for c in keys
        )
        tables.append(
            Table(
                TableName("public", name), "r", listed, keys=(Key("pk", True, ("id",)),), foreign_keys=foreign
            )
        )
    return Catalog(
        database="bench",
        server_version=180000,
        schemas=("public",),
        tables=tuple(sorted(tables, key=lambda t: t.name)),
        user="bench",
    )


def evolve(chance: random.Random, made: Shape, *, tables: float, columns: float) -> Shape:
    """Returns the schema later: these shares of its tables and columns, from 0 to 1, have other names."""
    later: Shape = {}
    for name, named in made.items():
        common = {"id", "created_at", "updated_at"}
        kept = {
            c if c in common or chance.random() >= columns else f"{words(chance, 2)}_{n}": t
            for n, (c, t) in enumerate(named.items())
        }
        later[f"{chance.choice(WORDS)}_{name}" if chance.random() < tables else name] = kept
    return later


def measure(title: str, before: Shape, change: Callable[[Shape], Shape]) -> None:
    """One row of the table."""
    old, new = catalog(before, 1), catalog(change(before), 1)
    scope, _ = make_scope(old, new, None)
    started = time.process_time()
    told = provisional_comparison(old, new, scope)
    seconds = time.process_time() - started
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    counts = (
        len(old.tables),
        sum(len(t.columns) for t in old.tables),
        len(told.matching.proposals),
        len(told.comparison.changes),
    )
    print(f"| {title} | " + " | ".join(map(str, counts)) + f" | {seconds:.1f} | {megabytes} |", flush=True)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("tables", nargs="?", type=int, default=5000)
    parser.add_argument("columns", nargs="?", type=int, default=20)
    arguments = parser.parse_args()
    print("| schema | tables | columns | renamed tables proposed | changes | seconds | MB |")
    print("|---|---|---|---|---|---|---|")
    for wide in (300, 1500):
        made = shape(random.Random(3), 1, wide)
        measure(
            "one table, every column renamed",
            made,
            lambda old: evolve(random.Random(4), old, tables=0, columns=1),
        )
    made = shape(random.Random(5), arguments.tables, arguments.columns)
    measure(
        "one column in ten renamed", made, lambda old: evolve(random.Random(6), old, tables=0, columns=0.1)
    )
    measure(
        "and half of the tables", made, lambda old: evolve(random.Random(6), old, tables=0.5, columns=0.1)
    )


if __name__ == "__main__":
    main()
