-- Runs and their heartbeats.

-- name: runs
-- $1 OLD's identity; NULL: from any OLD. Runs, oldest first.
SELECT r.id, {run_format} AS format, r.old_identity, r.new_identity, r.plan_hash, r.epoch, r.host, r.pid, r.state, r.snapshot, r.mixed, r.left_out,
  r.tool_version, r.started, r.finished, {decided_by} AS decided_by, {phase} AS phase, {hashing} AS hashing, COALESCE(h.backends || {workers}, '{}') AS backends,
  COALESCE(EXTRACT(epoch FROM pg_catalog.now() - h.at), 0)::pg_catalog.float8 AS silent_seconds
FROM {journal}.run r LEFT JOIN {journal}.heartbeat h ON h.run = r.id
WHERE $1::pg_catalog.text IS NULL OR r.old_identity = $1 ORDER BY r.started, r.id;

-- name: plan_of_run
-- $1 run. Its plan as JSON; NULL for a run of format 1.
SELECT plan FROM {journal}.run WHERE id = $1;

-- name: keep_plan
-- $1 run, $2 its plan (JSON), whose restriction to rejected rows was found anew.
UPDATE {journal}.run SET plan = $2 WHERE id = $1;

-- name: depends_of_run
-- $1 run. What its values depend on in OLD, as JSON.
SELECT depends FROM {journal}.run WHERE id = $1;

-- name: keep_depends
-- $1 run, $2 what its values depend on in OLD (JSON).
UPDATE {journal}.run SET depends = $2 WHERE id = $1;

-- name: keep_hashing
-- $1 run, $2 how its rows are hashed; NULL: not at all.
UPDATE {journal}.run SET hashing = $2 WHERE id = $1;

-- name: lock_runs
-- Until the transaction ends nobody enters a run or changes one; batches go on.
LOCK TABLE {journal}.run IN SHARE ROW EXCLUSIVE MODE;

-- name: insert_run
-- $1 id, $2 format, $3 OLD, $4 NEW, $5 plan hash, $6 host, $7 pid, $8 snapshot, $9 left out (JSON), $10 version, $11 plan (JSON), $12 decided by (JSON).
INSERT INTO {journal}.run (id, format, old_identity, new_identity, plan_hash, epoch, host, pid, state, snapshot, left_out, tool_version, plan, decided_by)
VALUES ($1, $2, $3, $4, $5, 1, $6, $7, 'running', $8, $9, $10, $11, $12);

-- name: insert_heartbeat
-- $1 run, $2 backends.
INSERT INTO {journal}.heartbeat (run, backends) VALUES ($1, $2);

-- name: beat
-- $1 run, $2 backends, $3 epoch: still alive. No row: another run took over.
UPDATE {journal}.heartbeat SET at = pg_catalog.now(), backends = $2
WHERE run = $1 AND EXISTS (SELECT FROM {journal}.run WHERE id = $1 AND epoch = $3) RETURNING run;

-- name: take_run
-- $1 id, $2 host, $3 pid, $4 snapshot, $5 mixed, $6 epoch: this process resumes the run, and the workers of the earlier one are ended. No row:
-- another took over.
WITH ended AS (
  UPDATE {journal}.heartbeat SET workers = '{}' WHERE run = $1 AND EXISTS (SELECT FROM {journal}.run WHERE id = $1 AND epoch = $6)
)
UPDATE {journal}.run SET host = $2, pid = $3, state = 'running', snapshot = $4, mixed = mixed OR $5 WHERE id = $1 AND epoch = $6 RETURNING epoch;

-- name: raise_epoch
-- $1 run. Shuts out every older session of the run; waits for its open batch.
UPDATE {journal}.run SET epoch = epoch + 1 WHERE id = $1 RETURNING epoch;

-- name: end_run
-- $1 run, $2 epoch, $3 state.
UPDATE {journal}.run SET state = $3, finished = CASE WHEN $3 = 'finished' THEN pg_catalog.now() END WHERE id = $1 AND epoch = $2 RETURNING epoch;

-- name: fence
-- $1 run, $2 epoch. No row: another run took over.
SELECT epoch FROM {journal}.run WHERE id = $1 AND epoch = $2 FOR SHARE;

-- name: enter_phase
-- $1 run, $2 epoch, $3 phase that the run is in from now on.
UPDATE {journal}.run SET phase = $3 WHERE id = $1 AND epoch = $2;

-- name: new_snapshot
-- $1 run, $2 snapshot: unfinished tables are read in another snapshot than the finished ones.
UPDATE {journal}.run SET snapshot = $2, mixed = true, phase = 'copy' WHERE id = $1;

-- name: unfinished
-- Runs that are not finished, with the version that wrote them, oldest first.
SELECT id, tool_version, started FROM {journal}.run WHERE state <> 'finished' ORDER BY started, id;
