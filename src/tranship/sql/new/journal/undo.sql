-- What is switched off in NEW, recorded in the transaction that switches it off.

-- name: insert_undo
-- $1 run, $2 kind, $3 facts (JSON). Returns its number.
INSERT INTO {journal}.undo (run, seq, kind, facts)
SELECT $1, COALESCE(pg_catalog.max(seq), 0) + 1, $2, $3 FROM {journal}.undo WHERE run = $1 RETURNING seq;

-- name: undo_there
-- $1 run, $2 kind, $3 facts. Whether it is open.
SELECT EXISTS (SELECT FROM {journal}.undo WHERE run = $1 AND kind = $2 AND facts = $3 AND NOT done);

-- name: open_undo
-- Everything that is switched off, latest first; server: the database in which the run began.
SELECT u.run, u.seq, u.kind, u.facts, COALESCE(r.new_identity, '') AS server
FROM {journal}.undo u LEFT JOIN {journal}.run r ON r.id = u.run WHERE NOT u.done ORDER BY u.run, u.seq DESC;

-- name: insert_undo_1
-- Format 1. $1 run, $2 what, $3 SQL, $4 index (JSON or NULL). Returns its number.
INSERT INTO {journal}.undo (run, seq, what, sql, index)
SELECT $1, COALESCE(pg_catalog.max(seq), 0) + 1, $2, $3, $4 FROM {journal}.undo WHERE run = $1 RETURNING seq;

-- name: undo_there_1
-- Format 1. $1 run, $2 what, $3 SQL, $4 index. Whether it is open.
SELECT EXISTS (SELECT FROM {journal}.undo WHERE run = $1 AND what = $2 AND sql = $3 AND index IS NOT DISTINCT FROM $4::pg_catalog.bytea AND NOT done);

-- name: open_undo_1
-- Format 1. Everything that is switched off, latest first.
SELECT u.run, u.seq, u.what, u.sql, u.index, COALESCE(r.new_identity, '') AS server
FROM {journal}.undo u LEFT JOIN {journal}.run r ON r.id = u.run WHERE NOT u.done ORDER BY u.run, u.seq DESC;

-- name: undone
-- $1 run, $2 number.
UPDATE {journal}.undo SET done = true WHERE run = $1 AND seq = $2 AND NOT done RETURNING seq;
