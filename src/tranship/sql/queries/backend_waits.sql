-- A row: the backend $1 works on a statement, or the role may not see what it does; no row: it is gone, idle, or waits for its client.
-- With track_activities off its state is 'disabled', and its wait event is still shown. PostgreSQL 11 and newer.
SELECT 1 AS works FROM pg_catalog.pg_stat_activity a
WHERE a.pid = $1 AND COALESCE(a.state, 'hidden') IN ('active', 'fastpath function call', 'disabled', 'hidden')
  AND a.wait_event_type IS DISTINCT FROM 'Client'
