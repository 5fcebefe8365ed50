"""Columns that NEW fills by itself are compared where it is known what they should hold, and are named else."""

from __future__ import annotations

from pathlib import Path

from support import MakePair
from support.observe import Observe
from support.runs import migrate, verify
from tranship.model.difference import DifferenceKind
from tranship.report.verification import coverage

OLD = "CREATE TABLE item (id int PRIMARY KEY, n int); INSERT INTO item SELECT g, g FROM generate_series(1, 300) g"
NEW = """
CREATE DOMAIN flag AS text DEFAULT 'on';
CREATE TABLE item (id int PRIMARY KEY, n int, note text, status text DEFAULT 'new', price numeric(6, 2) DEFAULT 1 + 0.5,
  flag flag, due timestamptz DEFAULT '2024-01-01 12:00+01', twice int GENERATED ALWAYS AS (n * 2) STORED,
  made timestamptz DEFAULT now(), day date DEFAULT CURRENT_DATE, number bigint GENERATED ALWAYS AS IDENTITY,
  code int DEFAULT nextval('codes'), drawn float8 DEFAULT random());
"""
APART = (
    "except public.item.made (NEW's default now()), public.item.day (NEW's default CURRENT_DATE), "
    "public.item.number (identity), public.item.code (NEW's sequence), public.item.drawn (NEW's default random())"
)
COMPARED = 8


async def test_they_are_compared_in_the_run_and_later(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(OLD, "CREATE SEQUENCE codes;" + NEW)
    result = await migrate(pair, tmp_path)
    (table,) = result.tables
    assert (result.status, result.exit_status, table.verified) == ("done", 0, APART), table
    assert (table.cells, table.cells_verified) == (300 * COMPARED, 300 * COMPARED)
    assert coverage(result.tables) == f"Verified 2 400 of 2 400 cells; {APART}"
    # Neither another default since, nor a row written anew, makes a difference.
    await pair.new.run(
        "ALTER TABLE item ALTER status SET DEFAULT 'later'; UPDATE item SET note = note WHERE id < 9"
    )
    later = await verify(pair, tmp_path)
    assert (later.status, later.exit_status, later.tables[0].verified) == ("verified", 0, APART)
    await pair.new.run("""
        UPDATE item SET status = 'later' WHERE id = 7; UPDATE item SET note = '' WHERE id = 8;
        UPDATE item SET n = 0, price = 1.51 WHERE id = 9; UPDATE item SET made = made - interval '1 day' WHERE id = 10;
    """)
    later = await verify(pair, tmp_path, show_values=True)
    assert (later.status, later.exit_status) == ("differs", 5)
    assert {(d.key and d.key["id"], d.columns, d.expected, d.found) for d in later.tables[0].differences} == {
        ("7", ("status",), ("new",), ("later",)),
        ("8", ("note",), (None,), ("",)),
        ("9", ("n", "price"), ("9", "1.50"), ("0", "1.51")),
    }
    assert {d.kind for d in later.tables[0].differences} == {DifferenceKind.CHANGED}


async def test_they_are_compared_without_a_key(make_pair: MakePair, tmp_path: Path, observe: Observe) -> None:
    """Rows that others add are told as such, whatever they hold."""
    old = "CREATE TABLE log (line text); INSERT INTO log SELECT 'line ' || g FROM generate_series(1, 300) g"
    pair = await make_pair(old, "CREATE TABLE log (line text, seen boolean DEFAULT false)")
    passed = 0

    async def strike(place: str) -> None:
        nonlocal passed
        passed += place == "phase.entered"
        if place == "phase.entered" and passed == 2:
            await pair.new.run(
                "UPDATE log SET seen = true WHERE line < 'line 12'; INSERT INTO log VALUES ('theirs', true)"
            )

    observe(strike)
    result = await migrate(pair, tmp_path)
    assert (result.status, result.exit_status) == ("differs", 5)
    seen = {(d.kind, d.columns, d.rows) for d in result.tables[0].differences}
    assert seen == {(DifferenceKind.CHANGED, ("seen",), 23), (DifferenceKind.ADDED, (), 1)}
