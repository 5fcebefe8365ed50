-- Rejected rows, and the rejects that the data checks predicted.

-- name: rejects
-- $1 run. The rejects in table and physical order, without the old rows.
SELECT position, batch, source, page, line, sqlstate, constraint_name, column_name, message{item_and_key}
FROM {journal}.reject WHERE run = $1 ORDER BY position, source, page, line{item_and_key};

-- name: rejects_of
-- $1 run, $2 position. The rejected rows of a table, in physical order.
SELECT * FROM {journal}.reject WHERE run = $1 AND position = $2 ORDER BY source, page, line{item_and_key};

-- name: rejects_of_lengths
-- $1 run, $2 position. The bytes of the old row of each, in the same order.
SELECT pg_catalog.octet_length(old_row) FROM {journal}.reject WHERE run = $1 AND position = $2 ORDER BY source, page, line{item_and_key};

-- name: rejects_of_batch
-- $1 run, $2 position, $3 batch. The rejects of a batch in physical order, each with an empty text in place of the old row.
SELECT position, batch, source, page, line, old_key, ''::bytea AS old_row, sqlstate, constraint_name, column_name, message{item_and_key}
FROM {journal}.reject WHERE run = $1 AND position = $2 AND batch = $3 ORDER BY source, page, line{item_and_key};

-- name: rejected_in_batch
-- $1 run, $2 position, $3 batch. The places of its rejected rows.
SELECT source, page, line{item_and_key} FROM {journal}.reject WHERE run = $1 AND position = $2 AND batch = $3;

-- name: rejected_rows
-- $1 run, $2 position. OLD's keys of the rejected rows of a table (NULL: it has none) and their places, in physical order.
SELECT old_key, source, page, line{item_and_key} FROM {journal}.reject WHERE run = $1 AND position = $2 ORDER BY source, page, line{item_and_key};

-- name: forget_rejects
-- $1 run, $2 position.
DELETE FROM {journal}.reject WHERE run = $1 AND position = $2;

-- name: predicted_rejects
-- $1 run. The predicted rejects of each table in physical order, behind the rows that NEW held before.
SELECT * FROM {journal}.{predicted} WHERE run = $1
ORDER BY position, sqlstate <> '00000', source, page, line{item_and_key};

-- name: predicted_in
-- $1 run, $2 position, $3 source, $4 page and $5 line from, $6 page and $7 line to. The predicted rejects of a range, in physical order.
SELECT * FROM {journal}.{predicted} WHERE run = $1 AND position = $2 AND source = $3
AND (page, line) >= ($4::bigint, $5::integer) AND (page, line) < ($6::bigint, $7::integer) ORDER BY page, line{item_and_key};

-- name: add_predicted_reject
-- $1 run, $2 position, $3 source, $4 page, $5 line, $6 rank, $7 SQLSTATE, $8 column, $9 constraint, $10 message, $11 item, $12 key.
-- One that is there stays; a row that was to update one of NEW's own is rejected in place of that.
INSERT INTO {journal}.{predicted} AS there VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
ON CONFLICT (run, position, source, page, line, item, key) DO UPDATE
SET rank = EXCLUDED.rank, sqlstate = EXCLUDED.sqlstate, column_name = EXCLUDED.column_name, constraint_name = EXCLUDED.constraint_name, message = EXCLUDED.message
WHERE there.sqlstate = '00000' AND pg_catalog.convert_from(there.message, 'UTF8')::pg_catalog.json ->> 'outcome' = 'updated';

-- name: held
-- $1 run. The rows that no row is added to NEW for, block by block, in physical order.
SELECT * FROM {journal}.held WHERE run = $1 ORDER BY position, source, page;

-- name: held_in
-- $1 run, $2 position, $3 source, $4 first page of the first block, $5 page. The blocks that begin at these pages or between, in physical order.
SELECT * FROM {journal}.held WHERE run = $1 AND position = $2 AND source = $3 AND page BETWEEN $4 AND $5 ORDER BY page;

-- name: forget_held
-- $1 run, $2 position.
DELETE FROM {journal}.held WHERE run = $1 AND position = $2;

-- name: forget_predicted_rejects
-- $1 run, $2 position.
DELETE FROM {journal}.{predicted} WHERE run = $1 AND position = $2;
