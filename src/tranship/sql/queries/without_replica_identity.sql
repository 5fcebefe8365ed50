-- A row: one of the relations $1 (oids), or a partition of one, that publishes deletes ($2: updates) and lacks the replica identity to do so: no row of it
-- can be deleted (updated).
-- PostgreSQL documentation, "Publication": such a relation refuses UPDATE and DELETE. PostgreSQL 11 and newer.
WITH RECURSIVE family(id) AS (
  SELECT r.id FROM pg_catalog.unnest($1::oid[]) AS r(id)
  UNION
  SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN family f ON i.inhparent = f.id JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid WHERE c.relispartition
)
SELECT n.nspname AS schema, c.relname AS relation, pg_catalog.min(p.pubname) AS publication
FROM family f
JOIN pg_catalog.pg_class c ON c.oid = f.id AND c.relkind = 'r'
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_publication_tables t ON t.schemaname = n.nspname AND t.tablename = c.relname
JOIN pg_catalog.pg_publication p ON p.pubname = t.pubname AND CASE WHEN $2 THEN p.pubupdate ELSE p.pubdelete END
-- n: nothing identifies a row; d: the primary key does, if there is one.
WHERE c.relreplident = 'n'
   OR (c.relreplident = 'd' AND NOT EXISTS (SELECT FROM pg_catalog.pg_index x WHERE x.indrelid = c.oid AND x.indisprimary))
GROUP BY 1, 2
ORDER BY 1, 2
