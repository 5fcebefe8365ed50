-- One row per follower of NEW that is at work: its name and the bytes of WAL it has yet to take. A role that may not see positions
-- (no pg_monitor) gets none. An idle slot is left out: waiting would not help it. PostgreSQL 11 and newer.
SELECT 'standby ' OPERATOR(pg_catalog.||) r.application_name AS follower,
       pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), COALESCE(r.replay_lsn, r.flush_lsn, r.write_lsn))::bigint AS behind
FROM pg_catalog.pg_stat_replication r
WHERE COALESCE(r.replay_lsn, r.flush_lsn, r.write_lsn) IS NOT NULL AND r.state <> 'backup'
UNION ALL
SELECT 'replication slot ' OPERATOR(pg_catalog.||) s.slot_name::text,
       pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), COALESCE(s.confirmed_flush_lsn, s.restart_lsn))::bigint
-- A logical slot confirms positions, a physical one only restarts from them.
FROM pg_catalog.pg_replication_slots s
WHERE s.active AND COALESCE(s.confirmed_flush_lsn, s.restart_lsn) IS NOT NULL
ORDER BY behind DESC
