-- One row per index of the given relations, those behind constraints included, by relation and name.
-- A key's collation is named only where it is not the plain column's own.
-- Every server since 11. $1 OIDs of relations.
select
  i.indrelid as relation, c.relname::text as name, pg_get_indexdef(i.indexrelid) as definition, am.amname::text as method,
  -- While CREATE INDEX CONCURRENTLY runs, indisready comes first: rows go in, but queries may not use it yet.
  i.indisunique as unique, i.indisvalid and i.indisready as valid, i.indimmediate as immediate, {{nulls_not_distinct}} as nulls_not_distinct,
  array(
    -- A key that is no plain column has number 0.
    select case when k.attnum = 0 then pg_get_indexdef(i.indexrelid, k.position::int, true) else quote_ident(a.attname) end
    from unnest(i.indkey::int2[]) with ordinality as k(attnum, position)
    left join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
    where k.position <= i.indnkeyatts order by k.position
  ) as keys,
  array(
    select a.attname::text
    from unnest(i.indkey::int2[]) with ordinality as k(attnum, position)
    left join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
    where k.position <= i.indnkeyatts order by k.position
  ) as columns,
  array(
    select case when k.effective <> 0 and k.effective is distinct from a.attcollation then quote_ident(n.nspname) || '.' || quote_ident(co.collname) end
    from unnest(i.indkey::int2[], i.indcollation::oid[]) with ordinality as k(attnum, effective, position)
    left join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
    left join pg_catalog.pg_collation co on co.oid = k.effective
    left join pg_catalog.pg_namespace n on n.oid = co.collnamespace
    where k.position <= i.indnkeyatts order by k.position
  ) as collations,
  pg_get_expr(i.indpred, i.indrelid) as predicate,
  con.conname::text as constraint, coalesce(con.contype::text, '') as constraint_kind, coalesce(con.condeferrable, false) as deferrable,
  array(
    select 'OPERATOR(' || quote_ident(n.nspname) || '.' || o.oprname::text || ')'
    from unnest(con.conexclop) with ordinality as x(operator, position)
    join pg_catalog.pg_operator o on o.oid = x.operator
    join pg_catalog.pg_namespace n on n.oid = o.oprnamespace order by x.position
  ) as exclusion_operators
from pg_catalog.pg_index i
join pg_catalog.pg_class c on c.oid = i.indexrelid
join pg_catalog.pg_am am on am.oid = c.relam
left join pg_catalog.pg_constraint con on con.conindid = i.indexrelid and con.conrelid = i.indrelid and con.contype in ('p', 'u', 'x')
where i.indrelid = any ($1::oid[])
order by i.indrelid, c.relname::text collate "C"
