-- One row per schema in scope, in configured order, else by name.
-- Every server since 11. $1 names or NULL for all of the user's, $2 the journal's schema.
select n.oid, n.nspname::text as name, has_schema_privilege(n.oid, 'USAGE') as usable
from pg_catalog.pg_namespace n
left join unnest($1::text[]) with ordinality as wanted(name, position) on wanted.name = n.nspname::text
where n.nspname::text <> $2
  and case
    when $1::text[] is null then
      -- Names that begin with pg_ are reserved for the server.
      n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
      and not exists (
        select from pg_catalog.pg_depend e
        where e.classid = 'pg_catalog.pg_namespace'::regclass and e.objid = n.oid and e.deptype = 'e')
    else wanted.name is not null
  end
order by wanted.position, n.nspname::text collate "C"
