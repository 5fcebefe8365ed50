-- A row: a session of somebody else that holds a lock on one of the relations $1 (oid[]) as writers do; autovacuum, which has no role and makes way,
-- and sessions that are just ending are none. PostgreSQL 11 and newer.
SELECT DISTINCT l.pid, c.relname AS relation, a.usename AS role, a.application_name AS application
FROM pg_catalog.pg_locks l
JOIN pg_catalog.pg_class c ON c.oid = l.relation
JOIN pg_catalog.pg_database d ON d.oid = l.database
JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid AND a.usename IS NOT NULL
WHERE d.datname = pg_catalog.current_database() AND l.relation = ANY ($1) AND l.granted AND l.pid <> pg_catalog.pg_backend_pid()
  -- These two are the locks of SELECT and of SELECT FOR UPDATE or SHARE.
  AND l.mode NOT IN ('AccessShareLock', 'RowShareLock') AND COALESCE(a.application_name, '') NOT LIKE 'tranship%'
ORDER BY 1
