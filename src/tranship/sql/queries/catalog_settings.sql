-- One row per setting: its value before, and the value given for the rest of the transaction.
-- Every server since 11. $1 names, $2 values.
-- The target list is evaluated from left to right, so before is read before it is set.
select s.name, pg_catalog.current_setting(s.name) as before, pg_catalog.set_config(s.name, s.value, true) as now
from rows from (pg_catalog.unnest($1::pg_catalog.text[]), pg_catalog.unnest($2::pg_catalog.text[])) as s(name, value)
