-- A row: one of the relations $1 (oids) of which, or of a partition of which, any user trigger or any rule besides that of a view might act on rows.
-- PostgreSQL 11 and newer.
WITH RECURSIVE family(root, id) AS (
  SELECT r.id, r.id FROM pg_catalog.unnest($1::oid[]) AS r(id)
  UNION
  SELECT f.root, i.inhrelid FROM pg_catalog.pg_inherits i JOIN family f ON i.inhparent = f.id JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid WHERE c.relispartition
)
SELECT DISTINCT f.root::bigint AS oid
FROM family f
WHERE EXISTS (SELECT FROM pg_catalog.pg_trigger t WHERE t.tgrelid = f.id AND NOT t.tgisinternal)
   OR EXISTS (SELECT FROM pg_catalog.pg_rewrite r WHERE r.ev_class = f.id AND r.ev_type::text <> '1')
