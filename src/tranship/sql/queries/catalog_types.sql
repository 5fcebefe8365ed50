-- One row per type of the database.
-- Every server since 11.
select
  t.oid, t.typnamespace as schema_oid, n.nspname::text as schema, t.typname::text as name, t.typtype::text as kind, t.typcategory::text as category,
  t.typrelid as relation, coalesce(c.relkind::text, '') as relation_kind,
  -- An array is what its element names in typarray: name, point and others have a typelem, too, and are none.
  case when e.oid is not null then e.oid else t.typbasetype end as element, e.oid is not null as is_array,
  t.typtypmod as modifier, t.typnotnull as not_null, pg_get_expr(t.typdefaultbin, 0) as default,
  t.typdefaultbin is not null and exists (
    select from regexp_matches(t.typdefaultbin::text, ':(?:funcid|opfuncid) (\d+)', 'g') as called(ids)
    join pg_catalog.pg_proc p on p.oid = called.ids[1]::oid and p.provolatile = 'v'
  ) as volatile_default,
  t.typcollation as collation_oid, quote_ident(cn.nspname) || '.' || quote_ident(co.collname) as collation,
  x.extname::text as extension, case when t.typtype in ('e', 'd', 'r', 'c') then obj_description(t.oid, 'pg_type') end as comment
from pg_catalog.pg_type t
join pg_catalog.pg_namespace n on n.oid = t.typnamespace
left join pg_catalog.pg_class c on c.oid = t.typrelid
left join pg_catalog.pg_type e on e.oid = t.typelem and e.typarray = t.oid
left join pg_catalog.pg_collation co on co.oid = t.typcollation
left join pg_catalog.pg_namespace cn on cn.oid = co.collnamespace
left join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_type'::regclass and d.objid = t.oid and d.objsubid = 0 and d.deptype = 'e'
left join pg_catalog.pg_extension x on x.oid = d.refobjid
