-- A row: one constraint of the table $1 (oid), by name. PostgreSQL 11 and newer.
SELECT c.conname::text AS name, c.contype = 'f' AS foreign, pg_catalog.pg_get_constraintdef(c.oid) AS definition, c.convalidated AS validated,
  pg_catalog.obj_description(c.oid, 'pg_constraint') AS comment
FROM pg_catalog.pg_constraint c WHERE c.conrelid = $1::bigint::oid ORDER BY c.conname
