-- One row per function of users that may run queries: not in C or internal, and not an extension's. printed is its name as expressions print it.
-- relations and functions are what a body in standard SQL refers to (PostgreSQL 14); a body that is a string refers to nothing here.
-- Every server since 11.
select
  quote_ident(n.nspname) || '.' || quote_ident(p.proname) as printed, p.proname::text as name,
  l.lanname in ('sql', 'plpgsql') as readable, p.prosrc as source,
  array(
    select c.relname::text from pg_catalog.pg_depend d join pg_catalog.pg_class c on c.oid = d.refobjid
    where d.classid = 'pg_catalog.pg_proc'::regclass and d.objid = p.oid and d.refclassid = 'pg_catalog.pg_class'::regclass
  ) as relations,
  array(
    select f.proname::text from pg_catalog.pg_depend d join pg_catalog.pg_proc f on f.oid = d.refobjid
    where d.classid = 'pg_catalog.pg_proc'::regclass and d.objid = p.oid and d.refclassid = 'pg_catalog.pg_proc'::regclass
  ) as functions
from pg_catalog.pg_proc p
join pg_catalog.pg_namespace n on n.oid = p.pronamespace
join pg_catalog.pg_language l on l.oid = p.prolang
where n.nspname not in ('pg_catalog', 'information_schema') and l.lanname not in ('internal', 'c')
  and not exists (
    select from pg_catalog.pg_depend e where e.classid = 'pg_catalog.pg_proc'::regclass and e.objid = p.oid and e.deptype = 'e')
order by 1
