"""How fast shaped rows move: ``benchmarks/actions.py [--rows N] [--rounds N] [--jobs N] [--only NAME]``,
tranship beside a ``psql | psql`` pipe of the same SELECT, as ratios within one round.

Two embedded servers, loopback, ``fsync`` off on both. In every round the pipe and then tranship fill the same
emptied table from the same rows, each action with its own decision; the time is that of the whole process,
with verification off. The median of the ratios is shown with the smallest and the largest one: on a machine
that others use, too, only ratios of one round say something.
"""

from __future__ import annotations

from dataclasses import dataclass

from _ground import HEADING, TRANSHIP, Ground, Taken, fetch, ground, line, parser_of

CODES = 100_000
"""Entries of the lookup table."""

OLD = f"""
CREATE TABLE load (id integer PRIMARY KEY, code text, status text, qty integer, price numeric(10,2),
  at timestamp, email text, tags text);
INSERT INTO load SELECT n, 'c' || n % {CODES}, (ARRAY['new', 'paid', 'sent', 'gone'])[1 + n % 4], n % 50,
  (n % 10000) / 100.0, timestamp '2020-01-01' + n * interval '1 second',
  CASE WHEN n % 10 = 0 THEN 'USER' ELSE 'user' END || n - n % 10 / 9 || '@example.org', 'a,b' || n % 7 || ',c'
  FROM generate_series(1, {{rows}}) n;
CREATE TABLE code (id integer PRIMARY KEY, name text UNIQUE);
INSERT INTO code SELECT n, 'c' || n FROM generate_series(0, {CODES - 1}) n;
"""
UUID = "substr(sha256(convert_to(ROW(''::text, 'public'::text, 'load'::text, l.id)::text, 'UTF8')), 1, 16)"
MARKED = "set_byte(set_byte({0}, 6, (get_byte({0}, 6) & 15) | 128), 8, (get_byte({0}, 8) & 63) | 128)"


@dataclass(frozen=True)
class Action:
    """One action: what fills a table of NEW, as a SELECT and as a decision."""

    name: str
    new: str
    select: str
    entries: tuple[dict[str, object], ...]
    flow: str = "load"
    held: bool = False
    """NEW holds all rows already."""
    target: str = "load"
    """The table of NEW."""


def _ignored(*names: str) -> tuple[dict[str, object], ...]:
    return tuple({"action": "ignore", "old_column": name} for name in names)


def _column(name: str, **how: object) -> dict[str, object]:
    return {"action": "transform", "new_column": name, **how}


STATUSES = {"new": "1", "paid": "2", "sent": "3", "gone": "4"}
BASE = "id bigint PRIMARY KEY, qty integer, price numeric(12,2), at timestamp"
REST = _ignored("code", "status", "email", "tags")
ACTIONS = (
    Action("plain (for comparison)", BASE, "SELECT l.id, l.qty, l.price, l.at FROM load l", REST),
    Action(
        "filter",
        BASE,
        "SELECT l.id, l.qty, l.price, l.at FROM load l WHERE l.qty > 4",
        ({"action": "filter", "where": "old.qty > 4"}, *REST),
    ),
    Action(
        "mapping of 4 values",
        f"{BASE}, status integer",
        "SELECT l.id, l.qty, l.price, l.at, CASE l.status WHEN 'new' THEN 1 WHEN 'paid' THEN 2"
        " WHEN 'sent' THEN 3 WHEN 'gone' THEN 4 END FROM load l",
        (_column("status", old_column="status", value_mapping=STATUSES), *_ignored("code", "email", "tags")),
    ),
    Action(
        "lookup of 100 000 entries",
        f"{BASE}, code_id integer",
        "SELECT l.id, l.qty, l.price, l.at, c.id FROM load l LEFT JOIN code c ON c.name = l.code",
        (
            _column(
                "code_id",
                old_column="code",
                lookup_table={"table": "code", "key_column": "name", "value_column": "id"},
            ),
            *_ignored("status", "email", "tags"),
        ),
    ),
    Action(
        "rows (3 of each)",
        "load_id bigint, place integer, tag text, PRIMARY KEY (load_id, place)",
        "SELECT l.id, i.n, i.tag FROM load l"
        " CROSS JOIN LATERAL unnest(string_to_array(l.tags, ',')) WITH ORDINALITY AS i(tag, n)",
        (
            {
                "action": "rows",
                "from": "unnest(string_to_array(old.tags, ',')) WITH ORDINALITY AS item(tag, n)",
            },
            _column("load_id", old_column="id"),
            _column("place", transform_sql="item_number"),
            _column("tag", transform_sql="item.tag"),
            *_ignored("code", "status", "qty", "price", "at", "email"),
        ),
    ),
    Action(
        "merge (1 of 10 is double)",
        f"{BASE}, email text",
        "SELECT DISTINCT ON (lower(l.email)) l.id, l.qty, l.price, l.at, l.email FROM load l"
        " ORDER BY lower(l.email), l.id",
        ({"action": "merge", "key": ["lower(old.email)"]}, *_ignored("code", "status", "tags")),
    ),
    Action(
        "new_key (uuid)",
        BASE.replace("id bigint", "id uuid"),
        f"SELECT encode({MARKED.format(UUID)}, 'hex')::uuid, l.qty, l.price, l.at FROM load l",
        ({"action": "new_key", "column": "id", "as": "uuid"}, *REST),
    ),
    Action(
        "transform_sql",
        f"{BASE}, email text",
        "SELECT l.id, l.qty, l.price, l.at, lower(trim(l.email)) FROM load l",
        (
            _column("email", old_column="email", transform_sql="lower(trim(old.email))"),
            *_ignored("code", "status", "tags"),
        ),
    ),
    Action(
        "existing (update of all)",
        BASE,
        "SELECT l.id, l.qty, l.price, l.at FROM load l",
        ({"action": "existing", "rows": "update"}, *REST),
        held=True,
    ),
    Action(
        "query (GROUP BY)",
        "code text PRIMARY KEY, qty bigint, price numeric",
        "SELECT l.code, sum(l.qty)::bigint AS qty, sum(l.price) AS price FROM load l GROUP BY l.code",
        (
            {
                "action": "query",
                "key": ["code"],
                "sql": "SELECT l.code, sum(l.qty)::bigint AS qty, sum(l.price) AS price FROM public.load AS l"
                " GROUP BY l.code",
            },
        ),
        flow="sums -> sums",
        target="sums",
    ),
)


def pipe(on: Ground, action: Action) -> str:
    """Returns the shell command of the pipe."""
    if not action.held:
        return on.pipe(action.select, action.target)
    same = "qty = i.qty, price = i.price, at = i.at FROM incoming i WHERE i.id = load.id"
    made = "CREATE UNLOGGED TABLE incoming (LIKE load)"
    return f"{on.pipe(action.select, made, 'incoming')} && {on.psql(on.new, f'UPDATE load SET {same}')}"


def tranship(on: Ground, action: Action, jobs: int) -> str:
    """Returns the shell command of the run with so many streams, whose files it writes."""
    on.write("decisions.json", {"resolutions": {action.flow: action.entries}})
    on.configure(tables=[action.target])
    options = f"--resolutions decisions.json --live --verify off --jobs {jobs}"
    return f"{TRANSHIP} migrate config.json {options}"


def measure(
    on: Ground, action: Action, *, rows: int, rounds: int, jobs: int
) -> tuple[list[Taken], list[Taken]]:
    """Returns what pipe and tranship needed per round; both must bring the same rows."""
    taken: tuple[list[Taken], list[Taken]] = ([], [])
    clean = "DROP TABLE IF EXISTS load, sums, incoming"
    made = f"CREATE TABLE {action.target} ({action.new})"
    held = [f"INSERT INTO load SELECT n, 0, 0, NULL FROM generate_series(1, {rows}) n"] if action.held else []
    sums = f"SELECT count(*), sum(hashtext(l::text)) FROM {action.target} l"
    for _ in range(rounds):
        found = []
        for needed, command in zip(taken, (pipe(on, action), tranship(on, action, jobs)), strict=True):
            on.empty(clean, made, *held, f"VACUUM ANALYZE {action.target}")
            needed.append(on.timed(command))
            found.append(fetch(on.new, sums))
        if found[0] != found[1]:
            raise SystemExit(f"{action.name}: {found[1]} instead of {found[0]}")
    return taken


def main() -> int:
    """Measures every action and prints the table."""
    parser = parser_of(__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="of OLD's table")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=1, help="streams of tranship; the pipe is one")
    parser.add_argument("--only", help="actions whose name holds this text")
    asked = parser.parse_args()
    with ground("psql", pair=asked.pair) as on:
        old = [part for part in OLD.format(rows=asked.rows).split(";") if part.strip()]
        small = [part for part in OLD.format(rows=1).split(";") if part.strip()]
        on.databases(old, [*small, "DROP TABLE load"])
        print(f"{on.about(asked.rounds)}, {asked.rows} rows\n\n| action | {HEADING}", flush=True)
        for action in ACTIONS:
            if asked.only is None or asked.only in action.name:
                piped, mine = measure(on, action, rows=asked.rows, rounds=asked.rounds, jobs=asked.jobs)
                print(line(action.name, mine, piped), flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
