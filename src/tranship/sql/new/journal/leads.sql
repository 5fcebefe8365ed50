-- Where children of rows are led that NEW holds under another key.

-- name: leads
-- $1 run, $2 position, $3 columns (JSON), $4 most. Some of them.
SELECT old_key, new_key FROM {journal}.lead WHERE run = $1 AND position = $2 AND columns = $3 LIMIT $4;

-- name: leads_of_keys
-- $1 run, $2 position, $3 columns (JSON), $4 keys.
SELECT old_key, new_key FROM {journal}.lead WHERE run = $1 AND position = $2 AND columns = $3 AND old_key = ANY ($4::bytea[]);

-- name: forget_leads
-- $1 run, $2 position: before a table starts over.
DELETE FROM {journal}.lead WHERE run = $1 AND position = $2;
