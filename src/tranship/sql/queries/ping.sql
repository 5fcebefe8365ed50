-- One row: who this session is and what its server says about itself; encrypted is NULL where the view is hidden. PostgreSQL 11 and newer.
select pg_catalog.clock_timestamp() as clock, pg_catalog.current_setting('server_version') as version,
  pg_catalog.pg_is_in_recovery() as standby, session_user::pg_catalog.text as "user",
  (select s.ssl from pg_catalog.pg_stat_ssl as s where s.pid operator(pg_catalog.=) pg_catalog.pg_backend_pid()) as encrypted
