-- A row: one rewrite rule of $1 (a relation's oid) or of any partition below it that acts on one of the events $2.
-- state is pg_rewrite.ev_enabled; ev_type 2 is UPDATE, 4 is DELETE; owned: this role may disable it. home and oid: the OIDs of relation and name.
-- PostgreSQL 11 and newer.
WITH RECURSIVE family(id) AS (
  SELECT $1::oid
  UNION
  SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN family f ON i.inhparent = f.id JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid WHERE c.relispartition
)
SELECT n.nspname AS schema, c.relname AS relation, r.rulename AS name, r.ev_enabled::text AS state,
       pg_catalog.pg_has_role(c.relowner, 'USAGE') AS owned, c.oid::bigint AS home, r.oid::bigint AS oid
FROM family f
JOIN pg_catalog.pg_class c ON c.oid = f.id
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_rewrite r ON r.ev_class = c.oid
WHERE r.ev_type::text = ANY ($2::text[])
ORDER BY 1, 2, 3
