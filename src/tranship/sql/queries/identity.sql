-- One row: what tells this database from another: cluster, database, whether it is a standby, who and where we are. PostgreSQL 11 and newer.
SELECT (SELECT system_identifier FROM pg_catalog.pg_control_system())::text AS system, d.oid::bigint AS database_oid, d.datname AS database,
       pg_catalog.pg_is_in_recovery() AS standby, pg_catalog.pg_backend_pid() AS backend,
       pg_catalog.current_setting('server_version_num')::integer AS version
FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()
