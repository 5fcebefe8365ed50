-- One row per given setting that this server knows: its present value.
-- Every server since 11. $1 names.
select given.name, pg_catalog.current_setting(given.name) as now, pg_catalog.pg_backend_pid() as backend
from pg_catalog.unnest($1::pg_catalog.text[]) as given (name)
where pg_catalog.current_setting(given.name, true) is not null
  and (given.name operator(pg_catalog.<>) 'client_connection_check_interval' or pg_catalog.version() operator(pg_catalog.~~) '%linux%')
