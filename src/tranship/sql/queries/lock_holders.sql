-- One row per session of others that holds locks on user tables of this database: who it is, on what, and for how long its transaction is
-- open. Longest first. PostgreSQL 11 and newer; a role without pg_read_all_stats sees process ids and tables alone.
SELECT l.pid, a.usename AS role, a.application_name AS application, a.state,
       EXTRACT(epoch FROM pg_catalog.clock_timestamp() - a.xact_start)::bigint AS seconds,
       pg_catalog.string_agg(DISTINCT l.relation::regclass::text, ', ') AS relations
FROM pg_catalog.pg_locks l
JOIN pg_catalog.pg_class c ON c.oid = l.relation AND c.relkind IN ('r', 'p')
JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
WHERE l.granted AND l.locktype = 'relation' AND l.pid <> pg_catalog.pg_backend_pid() AND a.application_name IS DISTINCT FROM 'tranship'
  AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
  AND c.relnamespace NOT IN (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname IN ('pg_catalog', 'information_schema', 'pg_toast'))
GROUP BY l.pid, a.usename, a.application_name, a.state, a.xact_start
ORDER BY a.xact_start NULLS LAST, l.pid
-- The oldest five: a message has room for no more.
LIMIT 5
