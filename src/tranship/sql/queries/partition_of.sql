-- The table of which the relation of schema $1 and name $2 is a partition, the one directly above it; no row: it is none. PostgreSQL 11 and newer.
SELECT n.nspname::text AS schema, p.relname::text AS name
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace s ON s.oid = c.relnamespace
JOIN pg_catalog.pg_inherits i ON i.inhrelid = c.oid
JOIN pg_catalog.pg_class p ON p.oid = i.inhparent JOIN pg_catalog.pg_namespace n ON n.oid = p.relnamespace
WHERE s.nspname = $1 AND c.relname = $2 AND c.relispartition
