-- Ends the backends of this role and of tranship that have table run of the journal schema $1 in use, so that an epoch can rise; a row each.
-- PostgreSQL 11 and newer.
SELECT a.pid, pg_catalog.pg_terminate_backend(a.pid) AS ended
FROM pg_catalog.pg_locks l
JOIN pg_catalog.pg_class c ON c.oid = l.relation
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_database d ON d.oid = l.database
JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
WHERE d.datname = pg_catalog.current_database() AND n.nspname = $1 AND c.relname = 'run' AND l.granted
  -- A role may end its own backends without further rights (PostgreSQL documentation, "Server Signaling Functions").
  AND a.usename = CURRENT_USER AND a.application_name LIKE 'tranship%' AND a.pid <> pg_catalog.pg_backend_pid()
