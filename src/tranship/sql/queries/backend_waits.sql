-- A row: the backend $1 works on something; no row: it is gone, idle, or waits for its client. PostgreSQL 11 and newer.
SELECT 1 AS works FROM pg_catalog.pg_stat_activity a
WHERE a.pid = $1 AND a.state IN ('active', 'fastpath function call') AND a.wait_event_type IS DISTINCT FROM 'Client'
