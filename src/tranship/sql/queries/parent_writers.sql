-- The transactions of others that may have written to one of the relations $1 (oids) or to a partition of one, and have not ended: "transaction", and "pid", NULL for a prepared one.
-- A transaction that writes to a table holds ROW EXCLUSIVE on it until its end (PostgreSQL documentation, "Explicit Locking"). Every role may read pg_locks.
-- PostgreSQL 11 and newer.
WITH RECURSIVE family(id) AS (
  SELECT r.id FROM pg_catalog.unnest($1::oid[]) AS r(id)
  UNION
  SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN family f ON i.inhparent = f.id
)
SELECT DISTINCT l.virtualtransaction AS transaction, l.pid
FROM pg_catalog.pg_locks l JOIN family f ON l.relation = f.id
WHERE l.locktype = 'relation' AND l.granted
  AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())
  AND l.mode IN ('RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
  AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()
ORDER BY 1
