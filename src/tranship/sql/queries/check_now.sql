-- The CHECK $2 of the relation $1 (oid), with its comment; no row: there is none. PostgreSQL 11 and newer.
SELECT c.oid::bigint AS oid, pg_catalog.pg_get_constraintdef(c.oid) AS definition, pg_catalog.obj_description(c.oid, 'pg_constraint') AS comment
FROM pg_catalog.pg_constraint c WHERE c.conrelid = $1::oid AND c.conname = $2 AND c.contype = 'c'
