-- One row per relation that can hold or show rows, by name; partitions below a partitioned table in scope, temporary and extension-owned ones left out.
-- Options that begin with pg_ are a server's own notes, as in catalog_columns.sql.
-- Every server since 11. $1 OIDs of the schemas in scope; $2 schemas and $3 names of partitions that are wanted as tables of their own all the same.
with recursive below as (
  select i.inhrelid as oid
  from pg_catalog.pg_inherits i
  join pg_catalog.pg_class p on p.oid = i.inhparent and p.relkind = 'p' and p.relnamespace = any ($1::oid[])
  union
  select i.inhrelid
  from below b
  join pg_catalog.pg_inherits i on i.inhparent = b.oid
  join pg_catalog.pg_class p on p.oid = i.inhparent and p.relkind = 'p'
)
select
  c.oid, n.nspname::text as schema, c.relname::text as name, c.relkind::text as kind,
  c.relpersistence::text as persistence, c.relrowsecurity as row_security, c.relforcerowsecurity as force_row_security,
  case when c.relrowsecurity then row_security_active(c.oid) else false end as row_security_active,
  case when c.relkind = 'p' then pg_get_partkeydef(c.oid) end as partition_key,
  coalesce(am.amname::text, 'heap') as access_method,
  case when c.reloftype <> 0 then format_type(c.reloftype, null) end as of_type,
  pg_get_userbyid(c.relowner)::text as owner,
  -- USAGE: the role may act with the owner's rights without SET ROLE.
  pg_has_role(c.relowner, 'USAGE') as owned,
  array(
    select p.privilege
    from unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) as p(privilege)
    where has_schema_privilege(c.relnamespace, 'USAGE') and has_table_privilege(c.oid, p.privilege)
  ) as privileges,
  c.reltuples::float8 as row_estimate,
  case when c.relkind in ('r', 'm') then coalesce(pg_relation_size(c.oid), 0) / current_setting('block_size')::int else 0 end as pages,
  case when c.relkind in ('r', 'm') then coalesce(pg_table_size(c.oid), 0) else 0 end as bytes,
  obj_description(c.oid, 'pg_class') as comment,
  case when c.relkind in ('v', 'm') then pg_get_viewdef(c.oid) end as definition,
  array(
    select o.option from unnest(c.reloptions) as o(option) where o.option not like 'pg\_%'
    union all
    select 'toast.' || o.option from pg_catalog.pg_class x, unnest(x.reloptions) as o(option) where x.oid = c.reltoastrelid
    order by 1
  ) as options,
  case c.relreplident
    when 'n' then 'NOTHING' when 'f' then 'FULL'
    when 'i' then (select 'USING INDEX ' || x.relname::text from pg_catalog.pg_index i join pg_catalog.pg_class x on x.oid = i.indexrelid
      where i.indrelid = c.oid and i.indisreplident)
  end as replica_identity,
  (select s.spcname::text from pg_catalog.pg_tablespace s where s.oid = c.reltablespace) as tablespace,
  array(
    select case g.grantee when 0 then 'PUBLIC' else pg_get_userbyid(g.grantee)::text end || ': ' || g.privilege_type || coalesce(' (' || g.attname || ')', '')
    from (
      select a.grantee, a.privilege_type, null::text as attname from aclexplode(c.relacl) as a
      union all
      select a.grantee, a.privilege_type, t.attname::text
      from pg_catalog.pg_attribute t, aclexplode(t.attacl) as a where t.attrelid = c.oid and t.attnum > 0 and not t.attisdropped
    ) g
    where g.grantee <> c.relowner
    order by 1
  ) as grants
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
left join pg_catalog.pg_am am on am.oid = c.relam
where c.relkind in ('r', 'p', 'v', 'm', 'f')
  and c.relpersistence <> 't'
  and c.relnamespace = any ($1::oid[])
  and (c.oid not in (select b.oid from below b)
    or (n.nspname::text, c.relname::text) in (select w.schema, w.name from rows from (unnest($2::text[]), unnest($3::text[])) as w (schema, name)))
  and not exists (
    select from pg_catalog.pg_depend e
    where e.classid = 'pg_catalog.pg_class'::regclass and e.objid = c.oid and e.objsubid = 0 and e.deptype = 'e')
order by n.nspname::text collate "C", c.relname::text collate "C"
