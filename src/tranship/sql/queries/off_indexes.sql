-- A row: one index of the table $1 (oid), by name. valid: no CREATE INDEX CONCURRENTLY is at work on it or has failed. PostgreSQL 11 and newer.
SELECT c.relname::text AS name, pg_catalog.pg_get_indexdef(i.indexrelid) AS definition, i.indisvalid AND i.indisready AS valid
FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = $1::bigint::oid ORDER BY c.relname
