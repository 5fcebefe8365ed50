-- From format 1 (0.1.0) to 2, while no run is unfinished and nothing is off.

-- name: upgrade_1
-- Runs of the earlier format keep it in their row: they have no plan, and their hashes tell nothing here.
CREATE TABLE {journal}.format (
  number integer PRIMARY KEY, tool_version text NOT NULL, since timestamptz NOT NULL DEFAULT pg_catalog.now());
CREATE TABLE {journal}.held (
  run text, position integer, source integer, page bigint, outcome text, rows bytea NOT NULL, PRIMARY KEY (run, position, source, page, outcome));
CREATE TABLE {journal}.image (
  run text, position integer, source integer, page bigint, line integer, item integer, key text, batch integer NOT NULL,
  row_key text NOT NULL, held text NOT NULL, xid bigint NOT NULL, PRIMARY KEY (run, position, source, page, line, item, key));
CREATE TABLE {journal}.lead (
  run text, position integer, columns text NOT NULL, old_key bytea NOT NULL, new_key bytea NOT NULL);
CREATE INDEX ON {journal}.lead USING hash (old_key);
CREATE TABLE {journal}.cluster (
  run text PRIMARY KEY, epoch bigint NOT NULL, tool_version text NOT NULL, old_role text NOT NULL, new_role text NOT NULL, job bytea NOT NULL,
  exports text[] NOT NULL, replica integer[] NOT NULL DEFAULT '{}', new_started timestamptz NOT NULL DEFAULT pg_catalog.pg_postmaster_start_time());
CREATE TABLE {journal}.rolled_back (
  run text PRIMARY KEY, at timestamptz NOT NULL DEFAULT pg_catalog.now(), stays bigint NOT NULL, decided_by bytea);
ALTER TABLE {journal}.heartbeat ADD COLUMN workers integer[] NOT NULL DEFAULT '{}';
REVOKE ALL ON {journal}.format, {journal}.held, {journal}.image, {journal}.lead, {journal}.cluster, {journal}.rolled_back FROM PUBLIC;
ALTER TABLE {journal}.run ADD COLUMN format integer NOT NULL DEFAULT 1, ADD COLUMN plan bytea, ADD COLUMN decided_by bytea, ADD COLUMN depends bytea,
  ADD COLUMN phase text NOT NULL DEFAULT 'copy', ADD COLUMN hashing text;
ALTER TABLE {journal}.task ADD COLUMN next_number integer NOT NULL DEFAULT 0, ADD COLUMN relation text, ADD COLUMN proof bytea,
  ADD COLUMN flow_name text NOT NULL DEFAULT '', ADD COLUMN old_rows bigint, ADD COLUMN rejects_of text;
ALTER TABLE {journal}.batch ADD COLUMN old_rows bigint, ADD COLUMN left_out bigint, ADD COLUMN no_items bigint,
  ADD COLUMN with_parent bigint,
  ADD COLUMN kept bigint, ADD COLUMN updated bigint, ADD COLUMN merged bigint, ADD COLUMN committed timestamptz, ADD COLUMN update_xids bigint[] NOT NULL DEFAULT '{}';
ALTER TABLE {journal}.run ALTER COLUMN format DROP DEFAULT;
ALTER TABLE {journal}.foreseen RENAME TO predicted_reject;
ALTER TABLE {journal}.predicted_reject ADD COLUMN item integer NOT NULL DEFAULT 0, ADD COLUMN key text NOT NULL DEFAULT '',
  DROP CONSTRAINT foreseen_pkey, ADD PRIMARY KEY (run, position, source, page, line, item, key);
ALTER TABLE {journal}.reject ADD COLUMN item integer NOT NULL DEFAULT 0, ADD COLUMN key text NOT NULL DEFAULT '',
  DROP CONSTRAINT reject_pkey, ADD PRIMARY KEY (run, position, source, page, line, item, key);
DELETE FROM {journal}.undo;
ALTER TABLE {journal}.undo DROP COLUMN what, DROP COLUMN sql, DROP COLUMN index,
  ADD COLUMN kind text NOT NULL, ADD COLUMN facts bytea NOT NULL;
