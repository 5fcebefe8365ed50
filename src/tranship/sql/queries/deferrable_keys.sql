-- Whether one of the relations $1 (oids), or a partition of one, has a DEFERRABLE primary key, unique or exclusion constraint.
-- Its check at the end of a statement or transaction is a trigger, which session_replication_role = replica silences (PostgreSQL documentation, "CREATE TABLE").
-- PostgreSQL 11 and newer.
WITH RECURSIVE family(id) AS (
  SELECT r.id FROM pg_catalog.unnest($1::oid[]) AS r(id)
  UNION
  SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN family f ON i.inhparent = f.id JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid WHERE c.relispartition
)
SELECT EXISTS (
  SELECT FROM family f JOIN pg_catalog.pg_constraint c ON c.conrelid = f.id AND c.contype IN ('p', 'u', 'x') AND c.condeferrable)
