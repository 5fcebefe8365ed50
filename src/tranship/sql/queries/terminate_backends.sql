-- Ends those of the backends $1 (integer[]) that still belong to this role and to tranship; a row per backend ended. PostgreSQL 11 and newer.
SELECT a.pid, pg_catalog.pg_terminate_backend(a.pid) AS ended
FROM pg_catalog.pg_stat_activity a
WHERE a.pid = ANY ($1) AND a.usename = CURRENT_USER AND a.application_name LIKE 'tranship%' AND a.pid <> pg_catalog.pg_backend_pid()
