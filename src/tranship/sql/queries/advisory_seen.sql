-- A row where the advisory lock $1 (bigint) of the current database is held by the backend $2. PostgreSQL 11 and newer.
SELECT 1 AS seen FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_database d ON d.oid = l.database
WHERE l.locktype = 'advisory' AND d.datname = pg_catalog.current_database() AND l.granted AND l.objsubid = 1 AND l.pid = $2
  AND ((l.classid::bigint << 32) | l.objid::bigint) = $1
