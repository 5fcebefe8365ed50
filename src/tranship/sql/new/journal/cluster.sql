-- What the coordinator of a run and the workers of a cluster tell each other.

-- name: share_run
-- $1 run, $2 epoch, $3 version, $4 OLD's role, $5 NEW's role, $6 job (JSON), $7 the snapshot's exports. For workers of this epoch.
INSERT INTO {journal}.cluster (run, epoch, tool_version, old_role, new_role, job, exports) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (run) DO UPDATE SET epoch = $2, tool_version = $3, old_role = $4, new_role = $5, job = $6, exports = $7, replica = '{}',
  new_started = pg_catalog.pg_postmaster_start_time();

-- name: shared_run
-- $1 run, $2 epoch. No row: another run took over.
SELECT r.format, r.old_identity, r.new_identity, r.hashing, r.snapshot, c.tool_version, c.old_role, c.new_role, c.job
FROM {journal}.run r JOIN {journal}.cluster c ON c.run = r.id WHERE r.id = $1 AND r.epoch = $2 AND c.epoch = $2;

-- name: share_present
-- $1 run, $2 epoch, $3 exports, $4 positions under replica; through a session that found in NEW all that was committed. No row: another run took over.
UPDATE {journal}.cluster SET exports = $3, replica = $4, new_started = pg_catalog.pg_postmaster_start_time() WHERE run = $1 AND epoch = $2 RETURNING run;

-- name: shared_task
-- $1 run, $2 epoch, $3 position. No row: another run took over.
SELECT t.old_table, t.new_table, t.flow_name, t.position = ANY (c.replica) AS replica, c.exports
FROM {journal}.run r JOIN {journal}.cluster c ON c.run = r.id JOIN {journal}.task t ON t.run = r.id
WHERE r.id = $1 AND r.epoch = $2 AND c.epoch = $2 AND t.position = $3;

-- name: enter_worker
-- $1 run, $2 epoch, $3 backend. Whether NEW is still the server that the coordinator knows. No row: another run took over.
UPDATE {journal}.heartbeat SET workers = pg_catalog.array_append(pg_catalog.array_remove(workers, $3::pg_catalog.int4), $3::pg_catalog.int4)
WHERE run = $1 AND EXISTS (SELECT FROM {journal}.run WHERE id = $1 AND epoch = $2)
RETURNING (SELECT c.new_started = pg_catalog.pg_postmaster_start_time() FROM {journal}.cluster c WHERE c.run = $1 AND c.epoch = $2);

-- name: leave_worker
-- $1 run, $2 backend.
UPDATE {journal}.heartbeat SET workers = pg_catalog.array_remove(workers, $2::pg_catalog.int4) WHERE run = $1;

-- name: workers_of_run
-- $1 run. Backends of NEW that work for it in other processes than its coordinator.
SELECT workers FROM {journal}.heartbeat WHERE run = $1;
