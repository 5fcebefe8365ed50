-- Of the relations of schemas $1 and names $2 (text arrays side by side): OID, whether this role may read it, whether its rows have versions that
-- can be compared (a table or a materialized view in a heap), and whether it is a materialized view. PostgreSQL 11 and newer.
SELECT n.nspname::text AS schema, c.relname::text AS name, c.oid::bigint AS oid,
  pg_catalog.has_table_privilege(c.oid, 'SELECT') AS readable,
  c.relkind IN ('r', 'm') AND EXISTS (SELECT FROM pg_catalog.pg_am m WHERE m.oid = c.relam AND m.amname = 'heap') OR
    -- Before 12 there is no other kind of table, and relam is 0.
    c.relkind IN ('r', 'm') AND c.relam = 0 AS versioned,
  c.relkind = 'm' AS materialized
FROM ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[])) AS wanted (schema, relation)
JOIN pg_catalog.pg_namespace n ON n.nspname = wanted.schema
JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = wanted.relation
