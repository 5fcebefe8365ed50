-- From format 1 (0.1.0) to 2, while no run is unfinished and nothing is off.

-- name: upgrade_1
-- Runs of the earlier format keep it in their row: they have no plan, and their hashes tell nothing here.
CREATE TABLE {journal}.format (
  number integer PRIMARY KEY, tool_version text NOT NULL, since timestamptz NOT NULL DEFAULT pg_catalog.now());
REVOKE ALL ON {journal}.format FROM PUBLIC;
ALTER TABLE {journal}.run ADD COLUMN format integer NOT NULL DEFAULT 1, ADD COLUMN plan bytea, ADD COLUMN decided_by bytea, ADD COLUMN depends bytea,
  ADD COLUMN phase text NOT NULL DEFAULT 'copy';
ALTER TABLE {journal}.task ADD COLUMN next_number integer NOT NULL DEFAULT 0, ADD COLUMN relation text;
ALTER TABLE {journal}.run ALTER COLUMN format DROP DEFAULT;
ALTER TABLE {journal}.foreseen RENAME TO predicted_reject;
DELETE FROM {journal}.undo;
ALTER TABLE {journal}.undo DROP COLUMN what, DROP COLUMN sql, DROP COLUMN index,
  ADD COLUMN kind text NOT NULL, ADD COLUMN facts bytea NOT NULL;
