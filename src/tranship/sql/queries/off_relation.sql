-- A row: the table of schema $1 and name $2 (named), and the one whose OID is $3, with its columns by attnum. PostgreSQL 11 and newer.
SELECT c.oid::bigint AS oid, n.nspname::text AS schema, c.relname::text AS name, n.nspname = $1 AND c.relname = $2 AS named,
  ARRAY(SELECT a.attnum::integer FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum) AS numbers,
  ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum) AS columns
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND (n.nspname = $1 AND c.relname = $2 OR c.oid = $3::bigint::oid)
