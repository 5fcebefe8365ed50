"""What the proof costs: ``benchmarks/verify.py [--rows N] [--rounds N] [--naming]``, as ratios within one
round.

The servers and tables of ``benchmarks/speed.py``. In every round, one after the other, the same rows are
moved into the emptied table by ``psql | psql`` (the copy), by ``migrate --verify off`` and by ``migrate
--verify hash``; then ``tranship verify`` compares them once more. The proof's cost is the difference of the
two runs. It is divided by that of the copy, and the bar is 0.35; the run with the proof is divided by the one
without, and the bar is 1.35. Medians of both are shown by wall time, by the CPU of both servers and by that
of all processes: CPU depends less on what else the machine does.

``--naming`` measures something else: the narrow table is moved once, then ``tranship verify`` looks at it as
it is, after one row has changed, after one of every batch has, and after all have. The seconds are those of
its own profile: NEW's hashes, and from then on until the rows are named, which the bar bounds by 5 s for one
row in 10 million. Beside them stand the CPU of the client and both servers, from which that of the first line
is to be taken off, and the largest memory of the client's processes so far.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Iterator
from functools import partial
from resource import RUSAGE_CHILDREN, getrusage

from _ground import CPU, TRANSHIP, WALL, Ground, Measure, Taken, execute, ground
from speed import NARROW, WIDE, Load, options

COPY, OFF, HASH, LATER = "psql to psql", "migrate --verify off", "migrate --verify hash", "tranship verify"
SERVERS: Measure = lambda taken: taken.old + taken.new  # noqa: E731
Round = dict[str, Taken]


def commands(on: Ground, load: Load) -> dict[str, str]:
    """Returns the contenders of a round, in their order."""
    return {
        COPY: load.pipe(on),
        OFF: f"{TRANSHIP} migrate config.json --live --verify off",
        HASH: f"{TRANSHIP} migrate config.json --live --verify hash",
        LATER: f"{TRANSHIP} verify config.json",
    }


def measure(on: Ground, load: Load, rows: int, rounds: int) -> list[Round]:
    """Returns what every contender needed in every round."""
    load.prepare(on, rows)
    taken = []
    for _ in range(rounds):
        needed = {}
        for name, command in commands(on, load).items():
            # The last one compares the rows of the one before.
            if name != LATER:
                on.empty("TRUNCATE load")
            needed[name] = on.timed(command)
        taken.append(needed)
    return taken


def table(load: Load, rows: int, taken: list[Round]) -> str:
    """Returns the medians as a Markdown table."""

    def line(what: str, value: Callable[[Round, Measure], float]) -> str:
        middle = (statistics.median(value(one, by) for one in taken) for by in (WALL, SERVERS, CPU))
        return f"| {what} | {' | '.join(f'{number:.2f}' for number in middle)} |"

    def seconds(name: str, one: Round, by: Measure) -> float:
        return by(one[name])

    def divided(dividend: str, divisor: str, one: Round, by: Measure) -> float:
        return by(one[dividend]) / by(one[divisor])

    def cost(one: Round, by: Measure) -> float:
        return (by(one[HASH]) - by(one[OFF])) / by(one[COPY])

    lines = [
        f"| {load.name}, {rows} rows | wall | CPU of both servers | CPU of all |",
        "|---|---:|---:|---:|",
    ]
    lines += [line(f"{name}, s", partial(seconds, name)) for name in (COPY, OFF, HASH, LATER)]
    lines.append(line("proof / copy (bar 0.35)", cost))
    lines.append(line("with / without (bar 1.35)", partial(divided, HASH, OFF)))
    lines.append(line("verified later / copy", partial(divided, LATER, COPY)))
    return "\n".join(lines)


CHANGES = {
    "as it is": "SELECT 1",
    "one row differs": "UPDATE load SET sku = 'changed' WHERE id = {middle}",
    "one row of 50 000 differs": "UPDATE load SET price = price + 1 WHERE id % 50000 = 7",
    "every row differs": "UPDATE load SET qty = qty + 1",
}
"""What ``tranship verify`` is to find, in its order: what happens before."""


def naming(on: Ground, rows: int) -> Iterator[str]:
    """Yields what it takes to name rows that differ, as the lines of a Markdown table."""
    NARROW.prepare(on, rows)
    on.timed(f"{TRANSHIP} migrate config.json --live")
    named_by = "hashes of NEW, s | named after, s | whole, s | CPU of all, s | memory, MB"
    yield f"| {NARROW.name}, {rows} rows | {named_by} |"
    yield "|---|---:|---:|---:|---:|---:|"
    for number, (name, change) in enumerate(CHANGES.items()):
        execute(on.new, change.format(middle=rows // 2), "VACUUM load", "CHECKPOINT")
        status = 5 if number else 0
        taken = on.timed(f"{TRANSHIP} verify config.json --profile --prefix {number}; test $? = {status}")
        hashed, named = profiled(on, str(number))
        memory = getrusage(RUSAGE_CHILDREN).ru_maxrss // 1024
        yield f"| {name} | {hashed:.1f} | {named:.1f} | {taken.wall:.1f} | {taken.cpu:.1f} | {memory} |"


def profiled(on: Ground, prefix: str) -> tuple[float, float]:
    """Returns the seconds that a verification needed for the sums of NEW, and then until all was named."""
    found = on.folder.glob(f"results/{prefix}_verification_*.json")
    (path,) = (one for one in found if not one.stem.endswith("certificate"))
    profile = json.loads(path.read_text())["profile"]
    seconds = {one["question"]: one["seconds"] for one in profile}
    return seconds["sums of public.load"], seconds.get("name the rows that differ", 0.0)


def main() -> int:
    """Measures both loads and prints their tables."""
    asked = options(__doc__, naming="how long it takes to name rows that differ")
    with ground("psql", pair=asked.pair) as on:
        print(on.about(asked.rounds), end="\n\n")
        if asked.naming:
            for line in naming(on, asked.rows):
                print(line, flush=True)
            return 0
        for load in (NARROW, WIDE):
            rows = int(asked.rows * load.share)
            print(table(load, rows, measure(on, load, rows, asked.rounds)), end="\n\n", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
