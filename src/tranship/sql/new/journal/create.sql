-- The tables of format 2. Nothing is granted to anybody: rejected rows lie here whole.

-- name: create_schema
-- Makes the schema, for its maker alone.
CREATE SCHEMA {journal}; REVOKE ALL ON SCHEMA {journal} FROM PUBLIC;

-- name: create_tables
-- format: one row per format that this journal had, the greatest is its own.
-- run: state is running, stopped or finished; plan and decided_by are JSON in UTF-8 (the whole plan as it was decided, and by whom),
-- likewise depends (what its values depend on beside the rows of its tables, in OLD and in NEW).
-- phase is the part of the run that it is in: copy, prove, verify or end. hashing: how rows are hashed, NULL where they are not.
-- heartbeat: a table of its own, since batches hold a share lock on the row of their run. backends are those of the coordinator, workers those of
-- other processes that copy batches for it.
-- cluster: what these processes need of the run beside the plan: the coordinator's version and roles, the snapshot's exports, the job (JSON in UTF-8), and
-- the positions of the tasks whose batches run under session_replication_role = replica; new_started is when the server of NEW started on which the
-- coordinator found all that it saw committed.
-- batch: state is todo, done or rolling back; xids are the transactions that wrote its rows, those of savepoints included; update_xids are
-- the savepoints that changed rows of NEW's own, which belong to none of xids. committed: when it was counted, moments before its COMMIT.
-- hash0 and hash1 are the sums of the hashes of its rows as NEW should hold them.
-- task: next_number is the last number that was taken for a part of a batch, plus one; proof is JSON of what a verification says. flow_name is JSON, empty for a plain pair of tables.
-- rejects_of is the run whose rejected rows a rejects-only run moves, NULL in every other run.
-- row_count: rows that the flow makes. old_rows, left_out, no_items, with_parent: the old rows behind them, where it does not make one row of each.
-- page, line: where an old row lies; item: which of the rows made of it, from 1; key: instead of a place, that of a query's row.
-- predicted_reject: rows that batches do not add; SQLSTATE 00000 marks those that NEW held before the run, whose message says what becomes of them.
-- held: likewise, of which nothing but the outcome is on record: those of 256 pages from the given one on. rows: 4 bytes for each, lowest first: the
-- line, and from the 17th bit on the page after the given one.
-- image: rows of NEW's own as they were before the run changed them, found by the row of OLD whose values they got; row_key (what found the
-- row) and held (what was changed) are JSON objects of column to text, in NEW's encoding; xid is the savepoint that changed the row: 32 bits,
-- which its xmin shows as long as nobody else changes it.
-- lead: rows of NEW's own that have another key than the row of OLD that found them; columns are those of OLD (JSON), old_key is a JSON array of
-- their values, new_key a JSON object of NEW's column to text, both in UTF-8.
-- rolled_back: runs of which nothing else is on record any more; stays: rows of their tables that others wrote or changed since and that stayed.
-- undo: facts is JSON in UTF-8 of what is off and how it was; SQL is composed from it and never stored.
CREATE TABLE {journal}.format (
  number integer PRIMARY KEY, tool_version text NOT NULL, since timestamptz NOT NULL DEFAULT pg_catalog.now());
CREATE TABLE {journal}.run (
  id text PRIMARY KEY, format integer NOT NULL, old_identity text NOT NULL, new_identity text NOT NULL, plan_hash text NOT NULL,
  epoch bigint NOT NULL, host text NOT NULL, pid integer NOT NULL, state text NOT NULL,
  snapshot text NOT NULL, mixed boolean NOT NULL DEFAULT false, left_out text NOT NULL DEFAULT '{}',
  tool_version text NOT NULL, started timestamptz NOT NULL DEFAULT pg_catalog.now(), finished timestamptz,
  plan bytea, decided_by bytea, depends bytea, phase text NOT NULL DEFAULT 'copy', hashing text);
CREATE TABLE {journal}.heartbeat (
  run text PRIMARY KEY, at timestamptz NOT NULL DEFAULT pg_catalog.now(), backends integer[] NOT NULL DEFAULT '{}',
  workers integer[] NOT NULL DEFAULT '{}');
CREATE TABLE {journal}.cluster (
  run text PRIMARY KEY, epoch bigint NOT NULL, tool_version text NOT NULL, old_role text NOT NULL, new_role text NOT NULL, job bytea NOT NULL,
  exports text[] NOT NULL, replica integer[] NOT NULL DEFAULT '{}', new_started timestamptz NOT NULL DEFAULT pg_catalog.pg_postmaster_start_time());
CREATE TABLE {journal}.task (
  run text, position integer, old_table text NOT NULL, new_table text NOT NULL, plan_hash text NOT NULL, state text NOT NULL,
  row_count bigint NOT NULL, digest text NOT NULL, findings bytea, format text NOT NULL, lookups text, relation text, proof bytea,
  next_number integer NOT NULL DEFAULT 0, flow_name text NOT NULL DEFAULT '', old_rows bigint, rejects_of text, PRIMARY KEY (run, position));
CREATE TABLE {journal}.batch (
  run text, position integer, number integer, source integer NOT NULL, lo text, hi text, row_count bigint NOT NULL,
  state text NOT NULL, read bigint, written bigint, rejected bigint, kept bigint, updated bigint, merged bigint, bytes bigint, seconds double precision,
  hash0 numeric, hash1 numeric, xids bigint[] NOT NULL DEFAULT '{}', update_xids bigint[] NOT NULL DEFAULT '{}',
  old_rows bigint, left_out bigint, no_items bigint, with_parent bigint, committed timestamptz,
  PRIMARY KEY (run, position, number));
CREATE TABLE {journal}.predicted_reject (
  run text, position integer, source integer, page bigint, line integer, rank integer NOT NULL, sqlstate text NOT NULL,
  column_name text, constraint_name text, message bytea NOT NULL, item integer NOT NULL DEFAULT 0, key text NOT NULL DEFAULT '',
  PRIMARY KEY (run, position, source, page, line, item, key));
CREATE TABLE {journal}.reject (
  run text, position integer, batch integer NOT NULL, source integer, page bigint, line integer, old_key bytea, old_row bytea NOT NULL,
  sqlstate text NOT NULL, constraint_name text, column_name text, message bytea NOT NULL, item integer NOT NULL DEFAULT 0,
  key text NOT NULL DEFAULT '', PRIMARY KEY (run, position, source, page, line, item, key));
CREATE TABLE {journal}.held (
  run text, position integer, source integer, page bigint, outcome text, rows bytea NOT NULL, PRIMARY KEY (run, position, source, page, outcome));
CREATE TABLE {journal}.image (
  run text, position integer, source integer, page bigint, line integer, item integer, key text, batch integer NOT NULL,
  row_key text NOT NULL, held text NOT NULL, xid bigint NOT NULL, PRIMARY KEY (run, position, source, page, line, item, key));
CREATE TABLE {journal}.lead (
  run text, position integer, columns text NOT NULL, old_key bytea NOT NULL, new_key bytea NOT NULL);
CREATE INDEX ON {journal}.lead USING hash (old_key);
CREATE TABLE {journal}.undo (
  run text, seq integer, kind text NOT NULL, facts bytea NOT NULL, done boolean NOT NULL DEFAULT false, PRIMARY KEY (run, seq));
CREATE TABLE {journal}.sequence (
  run text, name text, before_value text NOT NULL, before_called boolean NOT NULL, after_value text NOT NULL, after_called boolean NOT NULL,
  PRIMARY KEY (run, name));
CREATE TABLE {journal}.rolled_back (
  run text PRIMARY KEY, at timestamptz NOT NULL DEFAULT pg_catalog.now(), stays bigint NOT NULL, decided_by bytea);
REVOKE ALL ON {tables} FROM PUBLIC;

-- name: insert_format
-- $1 number, $2 version of tranship.
INSERT INTO {journal}.format (number, tool_version) VALUES ($1, $2);
