-- One row per relation of the trees below the given partitioned tables, the roots included;
-- selectable: by itself, and whole; a root shows its partitions' rows whatever row security they have of their own.
-- complete: a default partition, or hash partitions for every remainder.
-- Every server since 11. $1 OIDs of partitioned tables.
with recursive tree as (
  select r.oid as root, r.oid from unnest($1::oid[]) as r(oid)
  union all
  select t.root, i.inhrelid from tree t join pg_catalog.pg_inherits i on i.inhparent = t.oid
)
select
  t.root, c.oid, n.nspname::text as schema, c.relname::text as name, c.relkind::text as kind,
  coalesce(pt.partdefid <> 0 or (pt.partstrat = 'h' and (
    -- A partition of modulus m takes 1/m of all hash values, so complete ones add up to 1, less what rounding loses.
    select sum(1.0 / substring(pg_get_expr(k.relpartbound, k.oid) from 'modulus (\d+)')::numeric) > 0.999999
    from pg_catalog.pg_inherits i join pg_catalog.pg_class k on k.oid = i.inhrelid where i.inhparent = c.oid)), false) as complete,
  case when c.relkind <> 'p' then pg_get_partition_constraintdef(c.oid) end as constraint,
  has_schema_privilege(c.relnamespace, 'USAGE') and has_table_privilege(c.oid, 'SELECT') and not row_security_active(c.oid) as selectable,
  c.reltuples::float8 as row_estimate,
  -- A size is NULL where the relation was dropped meanwhile.
  case when c.relkind = 'r' then coalesce(pg_relation_size(c.oid), 0) / current_setting('block_size')::int else 0 end as pages,
  case when c.relkind = 'r' then coalesce(pg_table_size(c.oid), 0) else 0 end as bytes
from tree t
join pg_catalog.pg_class c on c.oid = t.oid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
left join pg_catalog.pg_partitioned_table pt on pt.partrelid = c.oid
order by t.root, n.nspname::text collate "C", c.relname::text collate "C"
