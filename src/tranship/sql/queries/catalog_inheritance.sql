-- One row per link between a given relation and a parent of it or a child (classic inheritance and partitioning), in the parents' order.
-- Every server since 11. $1 OIDs of relations.
select
  i.inhrelid as child, cn.nspname::text as child_schema, c.relname::text as child_name,
  i.inhparent as parent, pn.nspname::text as parent_schema, p.relname::text as parent_name,
  c.relispartition as partition
from pg_catalog.pg_inherits i
join pg_catalog.pg_class c on c.oid = i.inhrelid
join pg_catalog.pg_namespace cn on cn.oid = c.relnamespace
join pg_catalog.pg_class p on p.oid = i.inhparent
join pg_catalog.pg_namespace pn on pn.oid = p.relnamespace
-- Partitions are read with their tree (catalog_partitions.sql); here a partition only names its parent.
where (i.inhrelid = any ($1::oid[]) or (i.inhparent = any ($1::oid[]) and p.relkind <> 'p')) and c.relpersistence <> 't'
order by i.inhrelid, i.inhseqno
