-- The batches of a table.

-- name: insert_batch
-- $1 run, $2 position, $3 number, $4 source, $5 lo, $6 hi, $7 rows, $8 old rows, $9 of these left out, $10 of these without items,
-- $11 left out with their parent.
INSERT INTO {journal}.batch (run, position, number, source, lo, hi, row_count, state, old_rows, left_out, no_items, with_parent)
VALUES ($1, $2, $3, $4, $5, $6, $7, 'todo', $8, $9, $10, $11);

-- name: insert_uncounted
-- $1 run, $2 position, $3 number, $4 source, $5 lo, $6 rows by an estimate: the rest of a source, from a place on.
INSERT INTO {journal}.batch (run, position, number, source, lo, row_count, state) VALUES ($1, $2, $3, $4, $5, $6, 'uncounted');

-- name: shorten_uncounted
-- $1 run, $2 position, $3 number, $4 lo so far, $5 lo, $6 rows by an estimate: the rest begins later. No row: it was shortened before.
UPDATE {journal}.batch SET lo = $5, row_count = $6
WHERE run = $1 AND position = $2 AND number = $3 AND lo = $4 AND state = 'uncounted' RETURNING number;

-- name: end_uncounted
-- $1 run, $2 position, $3 number, $4 lo so far: nothing is left to be counted. No row: it was ended before.
DELETE FROM {journal}.batch WHERE run = $1 AND position = $2 AND number = $3 AND lo = $4 AND state = 'uncounted' RETURNING number;

-- name: reserve_number
-- $1 run, $2 position. A number that no batch of the table has, nor any other session gets.
UPDATE {journal}.task SET next_number = 1 + GREATEST(next_number,
  (SELECT pg_catalog.max(number) + 1 FROM {journal}.batch WHERE run = $1 AND position = $2))
WHERE run = $1 AND position = $2 RETURNING next_number - 1;

-- name: reserve_numbers
-- $1 run, $2 position, $3 how many. The first of so many numbers that follow each other, which no other session gets either.
UPDATE {journal}.task SET next_number = $3::integer + GREATEST(next_number,
  (SELECT pg_catalog.max(number) + 1 FROM {journal}.batch WHERE run = $1 AND position = $2))
WHERE run = $1 AND position = $2 RETURNING next_number - $3::integer;

-- name: batches
-- $1 run. All its batches by table and number.
SELECT * FROM {journal}.batch WHERE run = $1 ORDER BY position, number;

-- name: batch
-- $1 run, $2 position, $3 number. One batch.
SELECT * FROM {journal}.batch WHERE run = $1 AND position = $2 AND number = $3;

-- name: batch_from
-- $1 run, $2 position, $3 source, $4 lo. The batch that begins at a place.
SELECT * FROM {journal}.batch WHERE run = $1 AND position = $2 AND source = $3 AND lo = $4;

-- name: anything_done
-- $1 run. Whether rows of a batch are in NEW, or something is switched off.
SELECT EXISTS (SELECT FROM {journal}.batch WHERE run = $1 AND state NOT IN ('todo', 'uncounted')) OR EXISTS (SELECT FROM {journal}.undo WHERE run = $1 AND NOT done);

-- name: any_batch_done
-- $1 run. Whether a batch was committed.
SELECT EXISTS (SELECT FROM {journal}.batch WHERE run = $1 AND state = 'done');

-- name: shorten_batch
-- $1 run, $2 position, $3 number, $4 rows so far, $5 hi, $6 rows, $7 to $10 old rows as insert_batch has them: a batch that is still to do ends
-- earlier. No row: it is done, or was shortened before.
UPDATE {journal}.batch SET hi = $5, row_count = $6, old_rows = $7, left_out = $8, no_items = $9, with_parent = $10
WHERE run = $1 AND position = $2 AND number = $3 AND row_count = $4 AND state = 'todo' RETURNING number;

-- name: claim_batch
-- $1 run, $2 position, $3 number, $4 lo, $5 hi. Marks a batch done inside its own transaction. No row: it is done already, or NEW has lost
-- that it was journalled or divided, and its number may be that of other rows.
UPDATE {journal}.batch SET state = 'done'
WHERE run = $1 AND position = $2 AND number = $3 AND lo IS NOT DISTINCT FROM $4 AND hi IS NOT DISTINCT FROM $5 AND state = 'todo' RETURNING number;

-- name: claim_batches
-- $1 run, $2 positions, $3 numbers. Likewise several batches that share a transaction; a row for each that was still to do.
UPDATE {journal}.batch b SET state = 'done' FROM ROWS FROM (pg_catalog.unnest($2::integer[]), pg_catalog.unnest($3::integer[])) AS m (position, number)
WHERE b.run = $1 AND b.position = m.position AND b.number = m.number AND b.state = 'todo' RETURNING b.position;

-- name: own_xid
-- The number of the transaction, 64 bits.
SELECT pg_catalog.txid_current();

-- name: count_batch
-- $1 run, $2 position, $3 number, $4 hi, $5 rows, $6 read, $7 written, $8 rejected, $9 kept, $10 updated, $11 bytes, $12 seconds,
-- $13 xids of savepoints that hold rows, $14 xids of savepoints that hold updates, $15 to $18 old rows as insert_batch has them,
-- $19 and $20 the sums of row hashes, $21 rows merged into others: what became of the batch, in its transaction.
UPDATE {journal}.batch SET hi = $4, row_count = $5, read = $6, written = $7, rejected = $8, kept = $9, updated = $10, bytes = $11, seconds = $12,
  old_rows = $15, left_out = $16, no_items = $17, with_parent = $18, hash0 = $19, hash1 = $20, merged = $21, committed = pg_catalog.clock_timestamp(),
  xids = ARRAY[pg_catalog.txid_current()] OPERATOR(pg_catalog.||) $13::bigint[], update_xids = $14
WHERE run = $1 AND position = $2 AND number = $3 RETURNING xids;

-- name: lost_batches
-- $1 run, $2 positions, $3 numbers. How many of these batches are not done.
SELECT count(*) FROM ROWS FROM (pg_catalog.unnest($2::integer[]), pg_catalog.unnest($3::integer[])) AS m (position, number)
WHERE NOT EXISTS (SELECT FROM {journal}.batch b WHERE b.run = $1 AND b.position = m.position AND b.number = m.number AND b.state = 'done');

-- name: sums
-- $1 run, $2 position. Batches of a table that are not done (open), and what the others read, wrote and rejected.
SELECT count(*) FILTER (WHERE state <> 'done') AS open, COALESCE(pg_catalog.sum(read), 0)::bigint AS read,
  COALESCE(pg_catalog.sum(written), 0)::bigint AS written, COALESCE(pg_catalog.sum(rejected), 0)::bigint AS rejected,
  COALESCE(pg_catalog.sum({kept}), 0)::bigint AS kept, COALESCE(pg_catalog.sum({updated}), 0)::bigint AS updated,
  COALESCE(pg_catalog.sum({merged}), 0)::bigint AS merged
FROM {journal}.batch WHERE run = $1 AND position = $2;

-- name: shift_counts
-- $1 run, $2 position, $3 number, $4 rows that were written and are rejected after all, $5 and $6 the sums of their hashes.
UPDATE {journal}.batch SET written = written - $4, rejected = rejected + $4, hash0 = hash0 - $5, hash1 = hash1 - $6 WHERE run = $1 AND position = $2 AND number = $3;

-- name: shift_merged
-- $1 run, $2 position, $3 number, $4 rows that were counted as merged and are rejected after all.
UPDATE {journal}.batch SET merged = merged - $4, rejected = rejected + $4 WHERE run = $1 AND position = $2 AND number = $3;

-- name: mark_savepoint
-- $1 run, $2 position, $3 number. A write inside the savepoint whose xmin is the savepoint's own transaction id.
UPDATE {journal}.batch SET state = state WHERE run = $1 AND position = $2 AND number = $3;

-- name: savepoint_xid
-- $1 run, $2 position, $3 number. The 32 bits of the transaction id that last wrote the batch's row.
SELECT xmin::text::bigint FROM {journal}.batch WHERE run = $1 AND position = $2 AND number = $3;

-- name: forget_batches
-- $1 run, $2 position: before a table starts over.
DELETE FROM {journal}.batch WHERE run = $1 AND position = $2;

-- name: xids_beside
-- $1 run, $2 table of NEW. The transactions in which other runs wrote it in this server, savepoints and updates included.
SELECT COALESCE(pg_catalog.array_agg(x.xid), '{}') FROM {journal}.run mine
JOIN {journal}.run r ON r.new_identity = mine.new_identity AND r.id <> mine.id
JOIN {journal}.task t ON t.run = r.id AND t.new_table = $2
JOIN {journal}.batch b ON b.run = t.run AND b.position = t.position
CROSS JOIN LATERAL pg_catalog.unnest(b.xids OPERATOR(pg_catalog.||) b.update_xids) AS x(xid)
WHERE mine.id = $1;

-- name: xids_of_table
-- $1 NEW's identity, $2 table of NEW. The transactions in which runs wrote it in this server, savepoints and updates included.
SELECT COALESCE(pg_catalog.array_agg(x.xid), '{}') FROM {journal}.run r
JOIN {journal}.task t ON t.run = r.id AND t.new_table = $2
JOIN {journal}.batch b ON b.run = t.run AND b.position = t.position
CROSS JOIN LATERAL pg_catalog.unnest(b.xids OPERATOR(pg_catalog.||) b.update_xids) AS x(xid)
WHERE r.new_identity = $1;
