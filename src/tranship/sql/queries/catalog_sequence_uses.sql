-- One row per tie between a sequence and a column: a owned by it, i behind its identity, n named by its default.
-- Every server since 11. $1 OIDs of sequences.
select d.objid as sequence, d.deptype::text as tie, d.refobjid as relation, n.nspname::text as schema, c.relname::text as name, a.attname::text as column
from pg_catalog.pg_depend d
join pg_catalog.pg_class c on c.oid = d.refobjid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum = d.refobjsubid
where d.classid = 'pg_catalog.pg_class'::regclass and d.objid = any ($1::oid[]) and d.objsubid = 0
  and d.refclassid = 'pg_catalog.pg_class'::regclass and d.refobjsubid > 0 and d.deptype in ('a', 'i')
union
-- A default that calls nextval on a sequence depends on it. A partition repeats its root's default.
select d.refobjid, 'n', c.oid, n.nspname::text, c.relname::text, a.attname::text
from pg_catalog.pg_depend d
join pg_catalog.pg_attrdef f on f.oid = d.objid
join pg_catalog.pg_class c on c.oid = f.adrelid and not c.relispartition
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
join pg_catalog.pg_attribute a on a.attrelid = f.adrelid and a.attnum = f.adnum
where d.classid = 'pg_catalog.pg_attrdef'::regclass and d.refclassid = 'pg_catalog.pg_class'::regclass and d.refobjid = any ($1::oid[])
order by 4, 5, 6, 2
