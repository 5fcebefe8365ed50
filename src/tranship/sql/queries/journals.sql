-- Schemas beside $1 (text) that hold tables of a journal, with their owner, by name. PostgreSQL 11 and newer.
SELECT n.nspname::text AS schema, pg_catalog.pg_get_userbyid(n.nspowner)::text AS owner
FROM pg_catalog.pg_namespace n
-- The columns by which every format of the journal is known.
WHERE n.nspname <> $1 AND NOT EXISTS (
  SELECT FROM (VALUES ('run', 'old_identity'), ('task', 'old_table'), ('batch', 'xids')) AS known (relation, mark)
  WHERE NOT EXISTS (
    SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
    WHERE c.relnamespace = n.oid AND c.relkind = 'r' AND c.relname = known.relation AND a.attname = known.mark
  )
)
ORDER BY 1
