-- One row per key column of each unique or exclusion index of some relations of NEW (schema, relation), in the order in which the server checks them, and by position.
-- operator: what the constraint compares with (its own for EXCLUDE and WITHOUT OVERLAPS, else equality of the operator class).
-- type_schema, type_name: of the key after expression evaluation; a domain's or polymorphic class's own type.
-- PostgreSQL 11 and newer; before 15 an index has no nulls_not_distinct, so the row is read as JSON. $1 schemas, $2 relations, in pairs.
select
  rns.nspname::text as schema, r.relname::text as relation,
  c.relname::text as index, coalesce(con.conname, c.relname)::text as constraint, k.n as position,
  pg_catalog.pg_get_indexdef(i.indexrelid, k.n, false) as expression,
  'OPERATOR(' || pg_catalog.quote_ident(ons.nspname) || '.' || o.oprname::text || ')' as operator,
  o.oprcanhash or o.oprcanmerge as joinable,
  case when i.indcollation[k.n - 1] operator(pg_catalog.<>) 0::pg_catalog.oid then pg_catalog.quote_ident(cns.nspname) || '.' || pg_catalog.quote_ident(co.collname) end as collation,
  coalesce(co.collisdeterministic, true) as deterministic,
  tns.nspname::text as type_schema, t.typname::text as type_name, t.typtype::text as type_kind,
  pg_catalog.pg_get_expr(i.indpred, i.indrelid) as predicate, coalesce((pg_catalog.to_jsonb(i) operator(pg_catalog.->>) 'indnullsnotdistinct')::boolean, false) as nulls_not_distinct,
  con.conexclop is not null as exclusion
from pg_catalog.pg_index i
join pg_catalog.pg_class c on c.oid = i.indexrelid
join pg_catalog.pg_class r on r.oid = i.indrelid
join pg_catalog.pg_namespace rns on rns.oid = r.relnamespace
left join pg_catalog.pg_constraint con on con.conindid = i.indexrelid and con.conrelid = i.indrelid and con.contype in ('p', 'u', 'x')
cross join lateral pg_catalog.generate_series(1, i.indnkeyatts::int) as k(n)
join pg_catalog.pg_opclass oc on oc.oid = i.indclass[k.n - 1]
join pg_catalog.pg_attribute a on a.attrelid = i.indexrelid and a.attnum = k.n
join pg_catalog.pg_type t on t.oid = a.atttypid
join pg_catalog.pg_namespace tns on tns.oid = t.typnamespace
-- Strategy 3 of a B-tree is equality (PostgreSQL documentation, "Index Method Strategies").
left join pg_catalog.pg_amop am on am.amopfamily = oc.opcfamily and am.amopstrategy = 3 and con.conexclop is null
  and am.amoplefttype = oc.opcintype and am.amoprighttype = oc.opcintype
join pg_catalog.pg_operator o on o.oid = coalesce(con.conexclop[k.n], am.amopopr)
join pg_catalog.pg_namespace ons on ons.oid = o.oprnamespace
left join pg_catalog.pg_collation co on co.oid = i.indcollation[k.n - 1]
left join pg_catalog.pg_namespace cns on cns.oid = co.collnamespace
join rows from (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[])) as wanted(schema, relation) on rns.nspname = wanted.schema and r.relname = wanted.relation
where i.indisvalid and (i.indisunique or con.contype = 'x')
-- The server opens a relation's indexes by OID, and checks deferrable ones only at the end of the statement or transaction.
order by 1, 2, coalesce(con.condeferrable, false), i.indexrelid, k.n
