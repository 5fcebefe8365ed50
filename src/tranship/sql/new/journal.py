"""The journal in NEW: its tables and every statement on them. What is done is what these tables say, nothing else."""

from __future__ import annotations

from tranship.sql.quote import ident, literal

_TABLES = """
CREATE TABLE IF NOT EXISTS {j}.run (
  id text PRIMARY KEY, old_identity text NOT NULL, new_identity text NOT NULL, plan_hash text NOT NULL,
  epoch bigint NOT NULL, host text NOT NULL, pid integer NOT NULL, state text NOT NULL,
  snapshot text NOT NULL, mixed boolean NOT NULL DEFAULT false, left_out text NOT NULL DEFAULT '{{}}',
  tool_version text NOT NULL, started timestamptz NOT NULL DEFAULT now(), finished timestamptz);
CREATE TABLE IF NOT EXISTS {j}.heartbeat (
  run text PRIMARY KEY, at timestamptz NOT NULL DEFAULT now(), backends integer[] NOT NULL DEFAULT '{{}}');
CREATE TABLE IF NOT EXISTS {j}.task (
  run text, position integer, old_table text NOT NULL, new_table text NOT NULL, plan_hash text NOT NULL, state text NOT NULL,
  row_count bigint NOT NULL, digest text NOT NULL, findings bytea, format text NOT NULL, lookups text,
  PRIMARY KEY (run, position));
CREATE TABLE IF NOT EXISTS {j}.batch (
  run text, position integer, number integer, source integer NOT NULL, lo text, hi text, row_count bigint NOT NULL,
  state text NOT NULL, read bigint, written bigint, rejected bigint, bytes bigint, seconds double precision,
  hash0 numeric, hash1 numeric, xids bigint[] NOT NULL DEFAULT '{{}}', PRIMARY KEY (run, position, number));
CREATE TABLE IF NOT EXISTS {j}.foreseen (
  run text, position integer, source integer, page bigint, line integer, rank integer NOT NULL, sqlstate text NOT NULL,
  column_name text, constraint_name text, message bytea NOT NULL, PRIMARY KEY (run, position, source, page, line));
CREATE TABLE IF NOT EXISTS {j}.reject (
  run text, position integer, batch integer NOT NULL, source integer, page bigint, line integer, old_key bytea, old_row bytea NOT NULL,
  sqlstate text NOT NULL, constraint_name text, column_name text, message bytea NOT NULL, PRIMARY KEY (run, position, source, page, line));
CREATE TABLE IF NOT EXISTS {j}.undo (
  run text, seq integer, what text NOT NULL, sql text NOT NULL, index bytea, done boolean NOT NULL DEFAULT false, PRIMARY KEY (run, seq));
CREATE TABLE IF NOT EXISTS {j}.sequence (
  run text, name text, before_value text NOT NULL, before_called boolean NOT NULL, after_value text NOT NULL, after_called boolean NOT NULL,
  PRIMARY KEY (run, name));
"""

_MARKS = {
    "run": "old_identity",
    "heartbeat": "backends",
    "task": "old_table",
    "batch": "xids",
    "foreseen": "rank",
    "reject": "old_row",
    "undo": "index",
    "sequence": "before_value",
}
"""The journal's tables, each with a column by which it is known."""
_NAMES = ", ".join(f"{{j}}.{name}" for name in _MARKS)


class JournalSql:
    """Every statement on the journal, for one journal schema."""

    def __init__(self, schema: str) -> None:
        self.schema = schema
        self._j = ident(schema)

    def _text(self, template: str) -> str:
        return template.format(j=self._j)

    @property
    def create_schema(self) -> str:
        """Makes the schema, for its maker alone."""
        return self._text("CREATE SCHEMA {j}; REVOKE ALL ON SCHEMA {j} FROM PUBLIC")

    @property
    def create_tables(self) -> str:
        """Makes what tables are missing; nothing is granted to anybody."""
        return self._text(f"{_TABLES}REVOKE ALL ON {_NAMES} FROM PUBLIC")

    @property
    def granted(self) -> str:
        """Roles, quoted, that default privileges let into the schema or its tables: it holds rejected rows."""
        both = "SELECT * FROM pg_catalog.aclexplode(n.nspacl) UNION ALL SELECT * FROM pg_catalog.aclexplode(c.relacl)"
        return (
            "SELECT DISTINCT a.grantee::pg_catalog.regrole::text AS role FROM pg_catalog.pg_namespace n LEFT JOIN pg_catalog.pg_class c"
            f" ON c.relnamespace = n.oid CROSS JOIN LATERAL ({both}) a WHERE n.nspname = {literal(self.schema)} AND a.grantee NOT IN (0, n.nspowner)"
        )

    def revoke_from(self, role: str) -> str:
        """``role`` is quoted, as `granted` has it."""
        return f"REVOKE ALL ON ALL TABLES IN SCHEMA {self._j} FROM {role}; REVOKE ALL ON SCHEMA {self._j} FROM {role}"

    @property
    def state_of_schema(self) -> str:
        """One row where the schema exists: may_use, may_create, has_tables, strangers (relations not the journal's)."""
        marks = ", ".join(f"({literal(table)}, {literal(column)})" for table, column in _MARKS.items())
        return (
            "SELECT pg_catalog.has_schema_privilege(n.oid, 'USAGE') AS may_use, pg_catalog.has_schema_privilege(n.oid, 'CREATE') AS may_create,"
            f" count(*) FILTER (WHERE c.ours) = {len(_MARKS)} AS has_tables,"
            " COALESCE(array_agg(c.relname::text ORDER BY c.relname) FILTER (WHERE NOT c.ours), '{}') AS strangers"
            " FROM pg_catalog.pg_namespace n LEFT JOIN LATERAL (SELECT c.relname, EXISTS (SELECT FROM pg_catalog.pg_attribute a"
            f" WHERE a.attrelid = c.oid AND c.relkind = 'r' AND (c.relname, a.attname) IN ({marks})) AS ours"
            " FROM pg_catalog.pg_class c WHERE c.relnamespace = n.oid AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')) c ON true"
            f" WHERE n.nspname = {literal(self.schema)} GROUP BY n.oid"
        )

    @property
    def drop_tables(self) -> str:
        """Removes the journal's tables and nothing else."""
        return self._text(f"DROP TABLE {_NAMES}")

    @property
    def lock_out(self) -> str:
        """Until the transaction ends no run uses the journal."""
        return self._text("LOCK TABLE {j}.run IN ACCESS EXCLUSIVE MODE")

    @property
    def drop_schema(self) -> str:
        """Removes the schema; fails where it holds anything."""
        return self._text("DROP SCHEMA {j}")

    @property
    def runs(self) -> str:
        """$1 OLD's identity. All runs from that OLD, oldest first."""
        return self._text(
            "SELECT r.*, h.at AS heartbeat, COALESCE(h.backends, '{{}}') AS backends, pg_catalog.now() - h.at AS silent"
            " FROM {j}.run r LEFT JOIN {j}.heartbeat h ON h.run = r.id WHERE r.old_identity = $1 ORDER BY r.started, r.id"
        )

    @property
    def all_runs(self) -> str:
        """All runs of the journal, oldest first."""
        return self._text(
            "SELECT r.*, h.at AS heartbeat, COALESCE(h.backends, '{{}}') AS backends, pg_catalog.now() - h.at AS silent"
            " FROM {j}.run r LEFT JOIN {j}.heartbeat h ON h.run = r.id ORDER BY r.started, r.id"
        )

    @property
    def lock_runs(self) -> str:
        """Until the transaction ends nobody enters a run or changes one; batches go on."""
        return self._text("LOCK TABLE {j}.run IN SHARE ROW EXCLUSIVE MODE")

    @property
    def insert_run(self) -> str:
        """id, OLD, NEW, plan hash, host, pid, snapshot, left out (JSON), version."""
        return self._text(
            "INSERT INTO {j}.run (id, old_identity, new_identity, plan_hash, epoch, host, pid, state, snapshot, left_out, tool_version)"
            " VALUES ($1, $2, $3, $4, 1, $5, $6, 'running', $7, $8, $9)"
        )

    @property
    def insert_heartbeat(self) -> str:
        """id, backends."""
        return self._text("INSERT INTO {j}.heartbeat (run, backends) VALUES ($1, $2)")

    @property
    def beat(self) -> str:
        """id, backends, epoch: still alive; no row: another run took over."""
        return self._text(
            "UPDATE {j}.heartbeat SET at = pg_catalog.now(), backends = $2"
            " WHERE run = $1 AND EXISTS (SELECT FROM {j}.run WHERE id = $1 AND epoch = $3) RETURNING run"
        )

    @property
    def take_run(self) -> str:
        """id, host, pid, snapshot, mixed, epoch: the run goes on in this process; no row: another took over."""
        return self._text(
            "UPDATE {j}.run SET host = $2, pid = $3, state = 'running', snapshot = $4, mixed = mixed OR $5"
            " WHERE id = $1 AND epoch = $6 RETURNING epoch"
        )

    @property
    def raise_epoch(self) -> str:
        """id: shuts out every older session of the run; waits for its open batch."""
        return self._text("UPDATE {j}.run SET epoch = epoch + 1 WHERE id = $1 RETURNING epoch")

    @property
    def end_run(self) -> str:
        """id, epoch, state."""
        return self._text(
            "UPDATE {j}.run SET state = $3, finished = CASE WHEN $3 = 'finished' THEN pg_catalog.now() END"
            " WHERE id = $1 AND epoch = $2 RETURNING epoch"
        )

    @property
    def fence(self) -> str:
        """id, epoch: no row means that another run took over."""
        return self._text("SELECT epoch FROM {j}.run WHERE id = $1 AND epoch = $2 FOR SHARE")

    @property
    def insert_task(self) -> str:
        """run, position, old table, new table, plan hash, rows, digest, findings, format."""
        return self._text(
            "INSERT INTO {j}.task (run, position, old_table, new_table, plan_hash, state, row_count, digest, findings, format)"
            " VALUES ($1, $2, $3, $4, $5, 'todo', $6, $7, $8, $9)"
        )

    @property
    def tasks(self) -> str:
        """$1 run. Its tables in plan order."""
        return self._text("SELECT * FROM {j}.task WHERE run = $1 ORDER BY position")

    @property
    def fix_lookups(self) -> str:
        """run, position, content of the table's lookups: kept from the first time on. Returns what is kept."""
        return self._text(
            "UPDATE {j}.task SET lookups = COALESCE(lookups, $3) WHERE run = $1 AND position = $2 RETURNING lookups"
        )

    @property
    def end_task(self) -> str:
        """run, position."""
        return self._text(
            "UPDATE {j}.task SET state = 'done' WHERE run = $1 AND position = $2 AND state <> 'done'"
        )

    @property
    def forget_task(self) -> str:
        """run, position: the table starts over under a new snapshot."""
        return self._text("DELETE FROM {j}.task WHERE run = $1 AND position = $2")

    @property
    def new_snapshot(self) -> str:
        """id, snapshot: the unfinished tables are read in another snapshot than the finished ones."""
        return self._text("UPDATE {j}.run SET snapshot = $2, mixed = true WHERE id = $1")

    @property
    def insert_batch(self) -> str:
        """run, position, number, source, lo, hi, rows."""
        return self._text(
            "INSERT INTO {j}.batch (run, position, number, source, lo, hi, row_count, state) VALUES ($1, $2, $3, $4, $5, $6, $7, 'todo')"
        )

    @property
    def batches(self) -> str:
        """$1 run. All its batches by table and number."""
        return self._text("SELECT * FROM {j}.batch WHERE run = $1 ORDER BY position, number")

    @property
    def batch_from(self) -> str:
        """run, position, source, lo: the batch that begins at a place."""
        return self._text(
            "SELECT * FROM {j}.batch WHERE run = $1 AND position = $2 AND source = $3 AND lo = $4"
        )

    @property
    def anything_done(self) -> str:
        """$1 run: whether rows of a batch are in NEW, or something is switched off."""
        return self._text(
            "SELECT EXISTS (SELECT FROM {j}.batch WHERE run = $1 AND state <> 'todo') OR EXISTS (SELECT FROM {j}.undo WHERE run = $1 AND NOT done)"
        )

    @property
    def any_batch_done(self) -> str:
        """$1 run: whether a batch was committed."""
        return self._text("SELECT EXISTS (SELECT FROM {j}.batch WHERE run = $1 AND state = 'done')")

    @property
    def shorten_batch(self) -> str:
        """run, position, number, rows so far, hi, rows: a batch that is still to do ends earlier; no row: it is done, or was shortened before."""
        return self._text(
            "UPDATE {j}.batch SET hi = $5, row_count = $6"
            " WHERE run = $1 AND position = $2 AND number = $3 AND row_count = $4 AND state = 'todo' RETURNING number"
        )

    @property
    def claim_batch(self) -> str:
        """run, position, number: marks a batch done inside its own transaction; no row: it is done already."""
        return self._text(
            "UPDATE {j}.batch SET state = 'done' WHERE run = $1 AND position = $2 AND number = $3 AND state = 'todo' RETURNING number"
        )

    @property
    def batch(self) -> str:
        """run, position, number: one batch."""
        return self._text("SELECT * FROM {j}.batch WHERE run = $1 AND position = $2 AND number = $3")

    @property
    def count_batch(self) -> str:
        """run, position, number, hi, rows, read, written, rejected, bytes, seconds, further xids: what became of the batch, in its transaction."""
        return self._text(
            "UPDATE {j}.batch SET hi = $4, row_count = $5, read = $6, written = $7, rejected = $8, bytes = $9, seconds = $10,"
            " xids = ARRAY[pg_catalog.txid_current()] OPERATOR(pg_catalog.||) $11::bigint[]"
            " WHERE run = $1 AND position = $2 AND number = $3 RETURNING xids"
        )

    @property
    def lost_batches(self) -> str:
        """run, positions, numbers: how many of these batches are not done."""
        return self._text(
            "SELECT count(*) FROM ROWS FROM (pg_catalog.unnest($2::integer[]), pg_catalog.unnest($3::integer[])) AS m (position, number)"
            " WHERE NOT EXISTS (SELECT FROM {j}.batch b WHERE b.run = $1 AND b.position = m.position AND b.number = m.number AND b.state = 'done')"
        )

    @property
    def lost_ends(self) -> str:
        """run, positions: how many of these tables are not ended."""
        return self._text(
            "SELECT count(*) FROM {j}.task WHERE run = $1 AND position = ANY ($2::integer[]) AND state <> 'done'"
        )

    @property
    def sums(self) -> str:
        """run, position: batches of a table that are not done (``open``), and what the others read, wrote and rejected."""
        sums = ", ".join(
            f"COALESCE(pg_catalog.sum({name}), 0)::bigint AS {name}"
            for name in ("read", "written", "rejected")
        )
        return self._text(
            f"SELECT count(*) FILTER (WHERE state <> 'done') AS open, {sums} FROM {{j}}.batch WHERE run = $1 AND position = $2"
        )

    @property
    def shift_counts(self) -> str:
        """run, position, number, rows: rows of a batch that were written and are rejected after all."""
        return self._text(
            "UPDATE {j}.batch SET written = written - $4, rejected = rejected + $4 WHERE run = $1 AND position = $2 AND number = $3"
        )

    @property
    def mark_savepoint(self) -> str:
        """run, position, number: a write inside the savepoint whose xmin is the savepoint's own transaction id."""
        return self._text(
            "UPDATE {j}.batch SET state = state WHERE run = $1 AND position = $2 AND number = $3"
        )

    @property
    def savepoint_xid(self) -> str:
        """run, position, number: the 32 bits of the transaction id that last wrote the batch's row."""
        return self._text(
            "SELECT xmin::text::bigint FROM {j}.batch WHERE run = $1 AND position = $2 AND number = $3"
        )

    @property
    def forget_batches(self) -> str:
        """run, position: before a table starts over."""
        return self._text("DELETE FROM {j}.batch WHERE run = $1 AND position = $2")

    @property
    def forget_rejects(self) -> str:
        """run, position."""
        return self._text("DELETE FROM {j}.reject WHERE run = $1 AND position = $2")

    @property
    def forget_foreseen(self) -> str:
        """run, position."""
        return self._text("DELETE FROM {j}.foreseen WHERE run = $1 AND position = $2")

    @property
    def rejects(self) -> str:
        """$1 run. The rejected rows in table and physical order."""
        return self._text("SELECT * FROM {j}.reject WHERE run = $1 ORDER BY position, source, page, line")

    @property
    def reasons(self) -> str:
        """$1 run. Rejects per table and SQLSTATE, constraint, column."""
        return self._text(
            "SELECT position, sqlstate, constraint_name, column_name, count(*) AS rows FROM {j}.reject WHERE run = $1"
            " GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4"
        )

    @property
    def foreseen(self) -> str:
        """$1 run. The rejects that asking found."""
        return self._text("SELECT * FROM {j}.foreseen WHERE run = $1 ORDER BY position, source, page, line")

    @property
    def insert_undo(self) -> str:
        """run, what, undo SQL, the index that is gone (JSON or NULL): recorded in the transaction that makes the change. Returns its number."""
        return self._text(
            "INSERT INTO {j}.undo (run, seq, what, sql, index)"
            " SELECT $1, COALESCE(pg_catalog.max(seq), 0) + 1, $2, $3, $4 FROM {j}.undo WHERE run = $1 RETURNING seq"
        )

    @property
    def undo_there(self) -> str:
        """run, what, undo SQL: whether it is open."""
        return self._text(
            "SELECT EXISTS (SELECT FROM {j}.undo WHERE run = $1 AND what = $2 AND sql = $3 AND NOT done)"
        )

    @property
    def open_undo(self) -> str:
        """Everything that is switched off, latest first."""
        return self._text(
            "SELECT run, seq, what, sql, index FROM {j}.undo WHERE NOT done ORDER BY run, seq DESC"
        )

    @property
    def undone(self) -> str:
        """run, seq."""
        return self._text(
            "UPDATE {j}.undo SET done = true WHERE run = $1 AND seq = $2 AND NOT done RETURNING seq"
        )

    @property
    def insert_sequence(self) -> str:
        """run, name, before, called, after, called."""
        return self._text(
            "INSERT INTO {j}.sequence VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (run, name) DO UPDATE SET after_value = $5, after_called = $6"
        )

    @property
    def sequences(self) -> str:
        """$1 run."""
        return self._text("SELECT * FROM {j}.sequence WHERE run = $1 ORDER BY name")

    @property
    def going_back(self) -> tuple[str, str, str]:
        """Statements with run, positions (the third: run alone): from here on the tables' rows are on their way out, whoever ends it.

        The batches keep their transactions until the last row is gone; a run that was finished is not any more.
        """
        return (
            self._text(
                "UPDATE {j}.batch SET state = 'back' WHERE run = $1 AND position = ANY ($2::integer[]) AND state = 'done'"
            ),
            self._text(
                "UPDATE {j}.task SET state = 'todo' WHERE run = $1 AND position = ANY ($2::integer[])"
            ),
            self._text("UPDATE {j}.run SET state = 'stopped', finished = NULL WHERE id = $1"),
        )

    @property
    def took_back(self) -> str:
        """run, position, rows: so many of the table's rows are gone; kept with its first batch, since only the table's sum means anything now."""
        return self._text(
            "UPDATE {j}.batch SET written = written - $3 WHERE run = $1 AND position = $2"
            " AND number = (SELECT pg_catalog.min(number) FROM {j}.batch WHERE run = $1 AND position = $2 AND state = 'back')"
        )

    @property
    def taken_back(self) -> str:
        """run, position: nothing of the table is in NEW any more; its batches are to do again."""
        return self._text(
            "UPDATE {j}.batch SET state = 'todo', read = NULL, written = NULL, rejected = NULL, xids = '{{}}' WHERE run = $1 AND position = $2"
        )

    @property
    def forget_run(self) -> tuple[str, ...]:
        """Statements with $1 run that forget one run wholly."""
        return tuple(
            self._text(f"DELETE FROM {{j}}.{n} WHERE {'id' if n == 'run' else 'run'} = $1") for n in _MARKS
        )
