-- One row per live column of the given relations, by relation and position. The default's volatility is read off the functions
-- its stored tree calls: the dependencies name no built-in function. Of a column's options only the documented ones are read (ALTER TABLE:
-- n_distinct, n_distinct_inherited): minor releases keep notes of their own there (pg_attver of 15.20), which say nothing of the schema.
-- Every server since 11. $1 OIDs of relations.
select
  a.attrelid as relation, a.attnum::int as attnum, a.attname::text as name, a.atttypid as type, a.atttypmod as modifier,
  a.attnotnull as not_null,
  -- PostgreSQL 18 keeps a NOT NULL as a constraint of type n, which may be NOT VALID; older servers have none.
  a.attnotnull and exists (
    select from pg_catalog.pg_constraint v where v.conrelid = a.attrelid and v.contype = 'n' and v.conkey[1] = a.attnum and not v.convalidated
  ) as null_before,
  a.attidentity::text as identity, {{generated}} as generated,
  pg_get_expr(d.adbin, d.adrelid) as expression,
  -- A collation is part of the column only where it is not the type's own.
  case when a.attcollation <> t.typcollation then quote_ident(cn.nspname) || '.' || quote_ident(co.collname) end as collation,
  concat_ws(', ',
    case when a.attstorage <> t.typstorage then case a.attstorage when 'p' then 'PLAIN' when 'e' then 'EXTERNAL' when 'm' then 'MAIN' else 'EXTENDED' end end,
    case {{compression}} when 'p' then 'COMPRESSION pglz' when 'l' then 'COMPRESSION lz4' end,
    -- -1 is the default target, NULL since PostgreSQL 17; either way concat_ws leaves it out.
    'STATISTICS ' || nullif(a.attstattarget, -1),
    (select string_agg(o.option, ', ') from unnest(a.attoptions) as o(option) where o.option like 'n\_distinct%')
  ) as storage,
  col_description(a.attrelid, a.attnum) as comment,
  d.adbin is not null and exists (
    -- adbin is an expression tree; its text names each function and operator function by OID.
    select from regexp_matches(d.adbin::text, ':(?:funcid|opfuncid) (\d+)', 'g') as called(ids)
    join pg_catalog.pg_proc p on p.oid = called.ids[1]::oid and p.provolatile = 'v'
  ) as volatile
from pg_catalog.pg_attribute a
join pg_catalog.pg_type t on t.oid = a.atttypid
left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
left join pg_catalog.pg_collation co on co.oid = a.attcollation and a.attcollation <> t.typcollation
left join pg_catalog.pg_namespace cn on cn.oid = co.collnamespace
where a.attrelid = any ($1::oid[]) and a.attnum > 0 and not a.attisdropped
order by a.attrelid, a.attnum
