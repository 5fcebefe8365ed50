-- The tables of a run.

-- name: insert_task
-- $1 run, $2 position, $3 old table, $4 new table, $5 plan hash, $6 rows, $7 digest, $8 findings (JSON), $9 COPY format,
-- $10 flow's name (JSON), $11 old rows, $12 run whose rejected rows the task moves, or NULL.
INSERT INTO {journal}.task (run, position, old_table, new_table, plan_hash, state, row_count, digest, findings, format, flow_name, old_rows, rejects_of)
VALUES ($1, $2, $3, $4, $5, 'todo', $6, $7, $8, $9, $10, $11, $12);

-- name: tasks
-- $1 run. Its tables in plan order.
SELECT position, old_table, new_table, plan_hash, state = 'done' AS done, row_count AS rows, digest, findings, format, lookups, {relation} AS relation, {flow_name} AS flow_name,
  {old_rows} AS old_rows, {proof} AS proof, {rejects_of} AS rejects_of
FROM {journal}.task WHERE run = $1 ORDER BY position;

-- name: keep_count
-- $1 run, $2 position, $3 rows as far as they are counted, the others by an estimate, $4 digest of what is counted, $5 findings.
UPDATE {journal}.task SET row_count = $3, digest = $4, findings = $5 WHERE run = $1 AND position = $2;

-- name: takers
-- $1 run. The rejects-only runs that moved rows which it rejected.
SELECT DISTINCT t.run FROM {journal}.task t WHERE {rejects_of} = $1 ORDER BY 1;

-- name: fix_lookups
-- $1 run, $2 position, $3 content hash of the table's lookups, kept from the first time on. Returns what is kept.
UPDATE {journal}.task SET lookups = COALESCE(lookups, $3) WHERE run = $1 AND position = $2 RETURNING lookups;

-- name: fix_relations
-- $1 run, $2 positions, $3 NEW's relations (JSON), kept from the first time on. Rows: position, and what is kept.
UPDATE {journal}.task t SET relation = COALESCE(t.relation, m.relation)
FROM ROWS FROM (pg_catalog.unnest($2::integer[]), pg_catalog.unnest($3::text[])) AS m (position, relation)
WHERE t.run = $1 AND t.position = m.position RETURNING t.position, t.relation;

-- name: keep_proof
-- $1 run, $2 position, $3 what a verification says of the rows (JSON).
UPDATE {journal}.task SET proof = $3 WHERE run = $1 AND position = $2;

-- name: end_task
-- $1 run, $2 position.
UPDATE {journal}.task SET state = 'done' WHERE run = $1 AND position = $2 AND state <> 'done';

-- name: end_tasks
-- $1 run, $2 positions.
UPDATE {journal}.task SET state = 'done' WHERE run = $1 AND position = ANY ($2::integer[]) AND state <> 'done';

-- name: forget_task
-- $1 run, $2 position: the table starts over in a new snapshot.
DELETE FROM {journal}.task WHERE run = $1 AND position = $2;

-- name: lost_ends
-- $1 run, $2 positions. How many of these tables are not ended.
SELECT count(*) FROM {journal}.task WHERE run = $1 AND position = ANY ($2::integer[]) AND state <> 'done';
