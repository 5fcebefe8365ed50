-- One row per setting that this server knows: set for the session; backend: its process id, version: its server_version_num.
-- client_connection_check_interval only works on Linux servers; elsewhere setting it is an error.
-- Every server since 11. $1 names, $2 values.
-- pg_settings holds names in mixed case (DateStyle), while SET takes any case.
select s.name, pg_catalog.set_config(s.name, given.value, false) as now, pg_catalog.pg_backend_pid() as backend,
  pg_catalog.current_setting('server_version_num')::pg_catalog.int4 as version
from rows from (pg_catalog.unnest($1::pg_catalog.text[]), pg_catalog.unnest($2::pg_catalog.text[])) as given (name, value)
join pg_catalog.pg_settings as s on pg_catalog.lower(s.name) operator(pg_catalog.=) pg_catalog.lower(given.name)
where given.name operator(pg_catalog.<>) 'client_connection_check_interval' or pg_catalog.version() like '%linux%'
