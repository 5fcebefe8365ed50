-- One row per installed extension, by name, with the tables that belong to it.
-- A condition tells which rows of a table are the user's (pg_extension.extcondition, as pg_dump reads it); '' is all of them, NULL: the extension does not tell.
-- Every server since 11.
select x.extname::text as name, x.extversion as version, n.nspname::text as schema,
  coalesce(t.schemas, '{}') as table_schemas, coalesce(t.names, '{}') as table_names, coalesce(t.conditions, '{}') as conditions
from pg_catalog.pg_extension x
join pg_catalog.pg_namespace n on n.oid = x.extnamespace
left join lateral (
  select
    array_agg(s.nspname::text order by s.nspname::text collate "C", c.relname::text collate "C") as schemas,
    array_agg(c.relname::text order by s.nspname::text collate "C", c.relname::text collate "C") as names,
    array_agg(x.extcondition[array_position(x.extconfig, c.oid)] order by s.nspname::text collate "C", c.relname::text collate "C") as conditions
  from pg_catalog.pg_depend d
  join pg_catalog.pg_class c on c.oid = d.objid and c.relkind in ('r', 'p')
  join pg_catalog.pg_namespace s on s.oid = c.relnamespace
  where d.classid = 'pg_catalog.pg_class'::regclass and d.objsubid = 0 and d.deptype = 'e'
    and d.refclassid = 'pg_catalog.pg_extension'::regclass and d.refobjid = x.oid
) t on true
order by x.extname::text collate "C"
