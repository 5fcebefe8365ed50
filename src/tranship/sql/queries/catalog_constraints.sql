-- One row per PRIMARY KEY, UNIQUE, CHECK or FOREIGN KEY constraint of the given relations, by relation and name;
-- foreign keys only as declared, and with $2 also the copies a partition has of its parent's (never those made for a target's partitions).
-- Every server since 11. $1 OIDs of relations, $2 whether copies count.
select
  c.conrelid as relation, c.conname::text as name, c.contype::text as kind,
  -- A CHECK that reads the whole row (attnum 0) reads every column.
  array(
    select a.attname::text from unnest(c.conkey) with ordinality as k(attnum, position)
    join pg_catalog.pg_attribute a on a.attrelid = c.conrelid
      and (a.attnum = k.attnum or (k.attnum = 0 and a.attnum > 0 and not a.attisdropped and a.attnum <> all (c.conkey)))
    order by k.position, a.attnum
  ) as columns,
  tn.nspname::text as target_schema, tc.relname::text as target_name,
  array(
    select a.attname::text from unnest(c.confkey) with ordinality as k(attnum, position)
    join pg_catalog.pg_attribute a on a.attrelid = c.confrelid and a.attnum = k.attnum order by k.position
  ) as target_columns,
  {{set_columns}} as set_columns,
  array(
    select 'OPERATOR(' || quote_ident(n.nspname) || '.' || o.oprname::text || ')' from unnest(c.conpfeqop) with ordinality as e(operator, position)
    join pg_catalog.pg_operator o on o.oid = e.operator join pg_catalog.pg_namespace n on n.oid = o.oprnamespace order by e.position
  ) as operators,
  -- The parent's collations where the child's are other ones.
  array(
    select case when p.attcollation not in (0, a.attcollation) then quote_ident(n.nspname) || '.' || quote_ident(o.collname) end
    from unnest(c.conkey, c.confkey) with ordinality as k(child, parent, position)
    join pg_catalog.pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.child
    join pg_catalog.pg_attribute p on p.attrelid = c.confrelid and p.attnum = k.parent
    left join pg_catalog.pg_collation o on o.oid = p.attcollation left join pg_catalog.pg_namespace n on n.oid = o.collnamespace
    order by k.position
  ) as collations,
  c.confmatchtype::text as match, c.confupdtype::text as on_update, c.confdeltype::text as on_delete,
  c.condeferrable as deferrable, c.condeferred as deferred, c.convalidated as validated, {{enforced}} as enforced, {{period}} as period,
  c.connoinherit as no_inherit,
  case when c.contype = 'f' then pg_get_constraintdef(c.oid) end as definition,
  case when c.contype = 'c' then pg_get_expr(c.conbin, c.conrelid) end as expression,
  coalesce({{nulls_not_distinct}}, false) as nulls_not_distinct
from pg_catalog.pg_constraint c
left join pg_catalog.pg_class tc on tc.oid = c.confrelid
left join pg_catalog.pg_namespace tn on tn.oid = tc.relnamespace
left join pg_catalog.pg_index i on i.indexrelid = c.conindid and c.contype in ('p', 'u')
where c.conrelid = any ($1::oid[])
  and (c.contype in ('p', 'u', 'c') or (c.contype = 'f' and (
    -- A copy with its parent on another relation belongs to a partition; one on the same relation was made for a partition
    -- of the target, and is no constraint of its own.
    c.conparentid = 0 or ($2::bool and c.conrelid <> (select p.conrelid from pg_catalog.pg_constraint p where p.oid = c.conparentid)))))
order by c.conrelid, c.conname::text collate "C", c.oid
