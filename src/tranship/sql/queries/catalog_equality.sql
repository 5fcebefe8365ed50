-- One row per type with its own equality, from its default btree operator class, else the hash one.
-- Every server since 11.
select distinct on (oc.opcintype) oc.opcintype as type, 'OPERATOR(' || quote_ident(n.nspname) || '.' || o.oprname::text || ')' as operator
from pg_catalog.pg_opclass oc
join pg_catalog.pg_am am on am.oid = oc.opcmethod and am.amname in ('btree', 'hash')
join pg_catalog.pg_amop ao on ao.amopfamily = oc.opcfamily and ao.amoplefttype = oc.opcintype and ao.amoprighttype = oc.opcintype
  -- Strategy 3 of a B-tree and 1 of a hash index is equality (PostgreSQL documentation, "Index Method Strategies").
  and ao.amopstrategy = case am.amname when 'btree' then 3 else 1 end
join pg_catalog.pg_operator o on o.oid = ao.amopopr
join pg_catalog.pg_namespace n on n.oid = o.oprnamespace
where oc.opcdefault
-- By name btree comes before hash, so distinct on keeps the B-tree's.
order by oc.opcintype, am.amname
