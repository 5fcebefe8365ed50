-- For each of the schemas $1 with the names $2, numbered from 1 in their order (n), what tells the relation of that name from another: its OID, the file
-- that holds its rows (none: a partitioned table), and its persistence (p, u: unlogged). No row: there is none.
-- PostgreSQL 11 and newer.
SELECT m.n, c.oid::bigint AS oid, pg_catalog.pg_relation_filenode(c.oid)::bigint AS filenode, c.relpersistence::text AS persistence
FROM ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[])) WITH ORDINALITY AS m (schema, name, n)
JOIN pg_catalog.pg_namespace n ON n.nspname = m.schema
JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = m.name
