-- The backend that holds the advisory lock $1 (bigint) of the current database: its pid and since when it is connected. PostgreSQL 11 and newer.
SELECT l.pid, a.backend_start, a.usename AS role, a.client_addr::text AS client, a.application_name AS application
FROM pg_catalog.pg_locks l
JOIN pg_catalog.pg_database d ON d.oid = l.database
LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
-- A lock by one bigint has objsubid 1 and its key in two halves (PostgreSQL documentation, "pg_locks").
WHERE l.locktype = 'advisory' AND d.datname = pg_catalog.current_database() AND l.granted AND l.objsubid = 1
  AND ((l.classid::bigint << 32) | l.objid::bigint) = $1
