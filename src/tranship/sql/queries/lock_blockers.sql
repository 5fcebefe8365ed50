-- One row per session that keeps the backend $1 from a lock: who it is, for how long its transaction is open, and what the backend waits for.
-- Process 0 stands for a prepared transaction. A role without pg_read_all_stats sees process ids alone of other roles' sessions.
-- Sessions of tranship itself wait for one another now and then, which is nothing to tell. PostgreSQL 11 and newer.
SELECT b.pid, a.usename AS role, a.application_name AS application, a.state,
       EXTRACT(epoch FROM pg_catalog.clock_timestamp() - a.xact_start)::bigint AS seconds,
       CASE WHEN c.oid IS NOT NULL THEN pg_catalog.format('%I.%I', n.nspname, c.relname) END AS relation
FROM (SELECT DISTINCT u.pid FROM pg_catalog.unnest(pg_catalog.pg_blocking_pids($1)) AS u(pid)) AS b
LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = b.pid
LEFT JOIN LATERAL (SELECT l.relation FROM pg_catalog.pg_locks l WHERE l.pid = $1 AND NOT l.granted LIMIT 1) AS w ON true
LEFT JOIN pg_catalog.pg_class c ON c.oid = w.relation
LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE a.application_name IS NULL OR a.application_name NOT LIKE 'tranship%'
ORDER BY a.xact_start NULLS LAST, b.pid
-- A message has room for no more.
LIMIT 5
