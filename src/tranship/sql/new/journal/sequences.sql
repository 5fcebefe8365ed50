-- Sequences that a run moved.

-- name: insert_sequence
-- $1 run, $2 name, $3 value and $4 called before, $5 value and $6 called after.
INSERT INTO {journal}.sequence VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (run, name) DO UPDATE SET after_value = $5, after_called = $6;

-- name: left_sequence
-- $1 run, $2 name, $3 value and $4 called after.
UPDATE {journal}.sequence SET after_value = $3, after_called = $4 WHERE run = $1 AND name = $2;

-- name: sequences
-- $1 run.
SELECT * FROM {journal}.sequence WHERE run = $1 ORDER BY name;
