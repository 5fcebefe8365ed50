-- Rows of NEW's own as they were before the run changed them.

-- name: image
-- $1 run, $2 position. One of them, for the names of its columns.
SELECT row_key, held FROM {journal}.image WHERE run = $1 AND position = $2 LIMIT 1;

-- name: image_keys
-- $1 run, $2 position, $3 most. The number of rows that are not restored, and the keys of the first of them.
SELECT pg_catalog.count(*) AS rows, ARRAY(SELECT row_key FROM {journal}.image WHERE run = $1 AND position = $2 ORDER BY row_key COLLATE "C" LIMIT $3) AS keys
FROM {journal}.image WHERE run = $1 AND position = $2;

-- name: images_after
-- $1 run, $2 position, $3 source, $4 page, $5 line, $6 item and $7 key of the last one that was looked at, $8 most. The places of the next ones.
SELECT source, page, line, item, key FROM {journal}.image
WHERE run = $1 AND position = $2 AND (source, page, line, item, key) > ($3::integer, $4::bigint, $5::integer, $6::integer, $7::text)
ORDER BY source, page, line, item, key LIMIT $8;
