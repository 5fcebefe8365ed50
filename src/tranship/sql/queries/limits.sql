-- One row: what bounds the connections and locks of the role that logged in, whatever role it takes on. -1: no bound. PostgreSQL 11 and newer.
SELECT r.rolconnlimit AS role_limit, d.datconnlimit AS database_limit,
       (SELECT count(*) FROM pg_catalog.pg_stat_activity a WHERE a.usename = SESSION_USER AND a.backend_type = 'client backend') AS role_used,
       (SELECT count(*) FROM pg_catalog.pg_stat_activity a WHERE a.backend_type = 'client backend') AS used,
       pg_catalog.current_setting('max_connections')::integer
         - pg_catalog.current_setting('superuser_reserved_connections')::integer AS max_connections,
       -- The shared lock table has max_locks_per_transaction entries for each of so many processes and prepared transactions (MaxBackends in postinit.c).
       pg_catalog.current_setting('max_locks_per_transaction')::bigint AS locks_each,
       (SELECT pg_catalog.sum(pg_catalog.current_setting(s.name, true)::bigint)::bigint FROM pg_catalog.unnest('{max_connections,max_prepared_transactions,max_worker_processes,max_wal_senders}'::text[]) AS s(name))
         + COALESCE(pg_catalog.current_setting('autovacuum_worker_slots', true), pg_catalog.current_setting('autovacuum_max_workers'))::bigint + 1 AS lockers,
       r.rolsuper AS superuser
FROM pg_catalog.pg_roles r, pg_catalog.pg_database d
WHERE r.rolname = SESSION_USER AND d.datname = pg_catalog.current_database()
