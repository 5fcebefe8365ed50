-- What tells the relation of schema $1 and name $2 from another of that name: its OID, the file that holds its rows (none: a partitioned table), and its
-- persistence (p, u: unlogged). No row: there is none. PostgreSQL 11 and newer.
SELECT c.oid::bigint AS oid, pg_catalog.pg_relation_filenode(c.oid)::bigint AS filenode, c.relpersistence::text AS persistence
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relname = $2
