-- A row: one user trigger of $1 (a relation's oid) or of any partition below it that fires on the events in the bits of $2 (4 INSERT, 8 DELETE, 16 UPDATE).
-- state is pg_trigger.tgenabled; owned: this role may disable it. home and oid: the OIDs of relation and name. PostgreSQL 11 and newer.
WITH RECURSIVE family(id) AS (
  SELECT $1::oid
  UNION
  SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN family f ON i.inhparent = f.id JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid WHERE c.relispartition
)
SELECT n.nspname AS schema, c.relname AS relation, t.tgname AS name, t.tgenabled::text AS state,
       pg_catalog.pg_has_role(c.relowner, 'USAGE') AS owned, c.oid::bigint AS home, t.oid::bigint AS oid
FROM family f
JOIN pg_catalog.pg_class c ON c.oid = f.id
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_trigger t ON t.tgrelid = c.oid
WHERE NOT t.tgisinternal AND t.tgtype::integer & $2::integer <> 0
ORDER BY 1, 2, 3
