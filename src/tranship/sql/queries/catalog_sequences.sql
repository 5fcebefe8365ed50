-- One row per sequence in the schemas in scope or used by a relation in scope, by name; temporary and extension-owned ones left out.
-- Every server since 11. $1 OIDs of the schemas in scope, $2 OIDs of the relations in scope.
with used as (
  select d.refobjid as oid
  from pg_catalog.pg_attrdef a
  join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_attrdef'::regclass and d.objid = a.oid and d.refclassid = 'pg_catalog.pg_class'::regclass
  where a.adrelid = any ($2::oid[])
  union
  select d.objid
  from pg_catalog.pg_depend d
  where d.refclassid = 'pg_catalog.pg_class'::regclass and d.refobjid = any ($2::oid[]) and d.refobjsubid > 0
    and d.classid = 'pg_catalog.pg_class'::regclass and d.deptype in ('a', 'i')
)
select
  c.oid, n.nspname::text as schema, c.relname::text as name, format_type(s.seqtypid, null) as type,
  s.seqstart as start, s.seqincrement as increment, s.seqmin as minimum, s.seqmax as maximum, s.seqcycle as cycle, s.seqcache as cache,
  array(
    select p.privilege from unnest(array['SELECT', 'USAGE', 'UPDATE']) as p(privilege)
    where has_schema_privilege(c.relnamespace, 'USAGE') and has_sequence_privilege(c.oid, p.privilege)
  ) as privileges,
  pg_has_role(c.relowner, 'USAGE') as owned
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
join pg_catalog.pg_sequence s on s.seqrelid = c.oid
where c.relkind = 'S' and c.relpersistence <> 't'
  and (c.relnamespace = any ($1::oid[]) or c.oid in (select u.oid from used u))
  and not exists (
    select from pg_catalog.pg_depend e
    where e.classid = 'pg_catalog.pg_class'::regclass and e.objid = c.oid and e.objsubid = 0 and e.deptype = 'e')
order by n.nspname::text collate "C", c.relname::text collate "C"
