-- One row per enabled event trigger (t), publication that covers a relation in scope (p) and cast of the user's (c).
-- Every server since 11. $1 OIDs of the schemas in scope, $2 OIDs of the relations in scope.
select 't' as kind, e.evtname::text as text
from pg_catalog.pg_event_trigger e
where e.evtenabled <> 'D'
  and not exists (
    select from pg_catalog.pg_depend d where d.classid = 'pg_catalog.pg_event_trigger'::regclass and d.objid = e.oid and d.deptype = 'e')
union all
select 'p', p.pubname::text || case when p.puballtables then ' (all tables)' else '' end
from pg_catalog.pg_publication p
where p.puballtables
  or exists (select from pg_catalog.pg_publication_rel r where r.prpubid = p.oid and r.prrelid = any ($2::oid[]))
  or {{published_schema}}
union all
select 'c', format_type(c.castsource, null) || ' -> ' || format_type(c.casttarget, null)
from pg_catalog.pg_cast c
-- OIDs from 16384 on are given to users' objects (FirstNormalObjectId); what an extension or a range brought along is left out below.
where c.oid >= 16384
  and not exists (
    select from pg_catalog.pg_depend d where d.classid = 'pg_catalog.pg_cast'::regclass and d.objid = c.oid and d.deptype in ('e', 'i'))
order by 1, 2
