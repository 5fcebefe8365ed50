-- The rollback of a run: batches keep their transactions until the last row is gone, and a finished run is finished no longer.

-- name: roll_back_batches
-- $1 run, $2 positions: from here on the rows of these tables are on their way out, whoever ends it.
UPDATE {journal}.batch SET state = {rolling_back} WHERE run = $1 AND position = ANY ($2::integer[]) AND state = 'done';

-- name: roll_back_tasks
-- $1 run, $2 positions.
UPDATE {journal}.task SET state = 'todo' WHERE run = $1 AND position = ANY ($2::integer[]);

-- name: roll_back_run
-- $1 run.
UPDATE {journal}.run SET state = 'stopped', finished = NULL{copied_again} WHERE id = $1;

-- name: rolled_back_rows
-- $1 run, $2 position, $3 rows that are gone. They are taken off the table's first batch, since only the table's sum means anything now.
UPDATE {journal}.batch SET written = written - $3 WHERE run = $1 AND position = $2
AND number = (SELECT pg_catalog.min(number) FROM {journal}.batch WHERE run = $1 AND position = $2 AND state = {rolling_back});

-- name: mark_restoring
-- $1 run, $2 position. A write inside a savepoint that restores rows, whose xmin is the savepoint's own transaction id.
UPDATE {journal}.batch SET state = state WHERE run = $1 AND position = $2
AND number = (SELECT pg_catalog.min(number) FROM {journal}.batch WHERE run = $1 AND position = $2 AND state = {rolling_back});

-- name: keep_restoring
-- $1 run, $2 position, after mark_restoring: the rows that this savepoint restores are none that others changed, if the rollback is interrupted.
UPDATE {journal}.batch SET update_xids = update_xids OPERATOR(pg_catalog.||) CAST(CAST(xmin AS pg_catalog.text) AS pg_catalog.int8) WHERE run = $1 AND position = $2
AND number = (SELECT pg_catalog.min(number) FROM {journal}.batch WHERE run = $1 AND position = $2 AND state = {rolling_back});

-- name: rolled_back_table
-- $1 run, $2 position: nothing of the table is in NEW any more; its batches are to do again.
UPDATE {journal}.batch SET state = 'todo', read = NULL, written = NULL, rejected = NULL, xids = '{}'{no_updates} WHERE run = $1 AND position = $2 AND state <> 'uncounted';

-- name: keep_rolled_back
-- $1 run, $2 rows of its tables that others wrote or changed since and that stay: what is known of the run once the rest is removed.
INSERT INTO {journal}.rolled_back (run, stays, decided_by) SELECT r.id, $2, r.decided_by FROM {journal}.run r WHERE r.id = $1;

-- name: rolled_back
-- Runs that were rolled back and are otherwise forgotten, in the order of their rollbacks.
SELECT run AS id, at, stays, decided_by FROM {journal}.rolled_back ORDER BY at, run;
