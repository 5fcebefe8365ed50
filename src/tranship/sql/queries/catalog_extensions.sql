-- One row per installed extension, by name.
-- Every server since 11.
select x.extname::text as name, x.extversion as version, n.nspname::text as schema
from pg_catalog.pg_extension x
join pg_catalog.pg_namespace n on n.oid = x.extnamespace
order by x.extname::text collate "C"
