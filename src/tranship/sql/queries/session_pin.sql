-- One row per setting that this server knows: set for the session; backend: its process id, version: its server_version_num;
-- durability and replication_role: what ALTER ROLE or ALTER DATABASE gave two settings that change what happens to rows or to commits.
-- client_connection_check_interval only works on Linux servers; elsewhere setting it is an error.
-- Every server since 11. $1 names, $2 values.
-- current_setting gives NULL for a name that the server does not know; the view pg_settings would print every setting.
select given.name, pg_catalog.set_config(given.name, given.value, false) as now, pg_catalog.pg_backend_pid() as backend,
  pg_catalog.current_setting('server_version_num')::pg_catalog.int4 as version,
  pg_catalog.current_setting('synchronous_commit') as durability,
  pg_catalog.current_setting('session_replication_role') as replication_role
from rows from (pg_catalog.unnest($1::pg_catalog.text[]), pg_catalog.unnest($2::pg_catalog.text[])) as given (name, value)
where pg_catalog.current_setting(given.name, true) is not null
  and (given.name operator(pg_catalog.<>) 'client_connection_check_interval' or pg_catalog.version() operator(pg_catalog.~~) '%linux%')
