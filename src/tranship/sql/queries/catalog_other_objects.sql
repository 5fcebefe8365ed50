-- One row per object that the moving never touches, with its meaning as a text: by kind, schema and name; extension-owned ones left out.
-- Every server since 11; columns that only some versions have are read through to_jsonb. $1 OIDs of the schemas in scope, $2 OIDs of the relations in scope.
with found as (
  select 'pg_catalog.pg_statistic_ext'::regclass as class, o.oid, 'extended statistics' as kind, o.stxnamespace as namespace, o.stxname::text as name,
    pg_get_statisticsobjdef(o.oid) as definition
  from pg_catalog.pg_statistic_ext o
  union all
  select 'pg_catalog.pg_ts_config'::regclass, o.oid, 'text search configuration', o.cfgnamespace, o.cfgname::text, concat_ws('; ', (select p.prsname::text from pg_catalog.pg_ts_parser p where p.oid = o.cfgparser), (
    select string_agg(m.maptokentype || ' ' || m.mapdict::regdictionary::text, ', ' order by m.maptokentype, m.mapseqno)
    from pg_catalog.pg_ts_config_map m where m.mapcfg = o.oid))
  from pg_catalog.pg_ts_config o
  union all
  select 'pg_catalog.pg_ts_dict'::regclass, o.oid, 'text search dictionary', o.dictnamespace, o.dictname::text, concat_ws('; ', t.tmplname::text, o.dictinitoption)
  from pg_catalog.pg_ts_dict o join pg_catalog.pg_ts_template t on t.oid = o.dicttemplate
  union all
  select 'pg_catalog.pg_operator'::regclass, o.oid, 'operator', o.oprnamespace,
    o.oprname::text || ' (' || concat_ws(', ', nullif(format_type(nullif(o.oprleft, 0), null), '-'), format_type(nullif(o.oprright, 0), null)) || ')',
    o.oprcode::regprocedure::text
  from pg_catalog.pg_operator o
  union all
  select 'pg_catalog.pg_opclass'::regclass, o.oid, 'operator class', o.opcnamespace, o.opcname::text || ' USING ' || a.amname::text,
    format_type(o.opcintype, null) || case when o.opcdefault then ' DEFAULT' else '' end
  from pg_catalog.pg_opclass o join pg_catalog.pg_am a on a.oid = o.opcmethod
  union all
  select 'pg_catalog.pg_collation'::regclass, o.oid, 'collation', o.collnamespace, o.collname::text, concat_ws(' ', 'provider ' || o.collprovider::text,
    coalesce(j ->> 'colllocale', j ->> 'colliculocale', o.collcollate::text), nullif(o.collctype::text, o.collcollate::text), j ->> 'collicurules',
    case j ->> 'collisdeterministic' when 'false' then 'not deterministic' end)
  from pg_catalog.pg_collation o, lateral to_jsonb(o) as j
  union all
  select 'pg_catalog.pg_conversion'::regclass, o.oid, 'conversion', o.connamespace, o.conname::text,
    concat_ws(' ', pg_encoding_to_char(o.conforencoding), pg_encoding_to_char(o.contoencoding), o.conproc::regprocedure::text)
  from pg_catalog.pg_conversion o
  union all
  select 'pg_catalog.pg_language'::regclass, o.oid, 'language', null, o.lanname::text, concat_ws(' ', nullif(o.lanplcallfoid, 0)::regprocedure::text, o.lanpltrusted::text)
  from pg_catalog.pg_language o where o.lanispl
  union all
  select 'pg_catalog.pg_am'::regclass, o.oid, 'access method', null, o.amname::text, o.amtype::text || ' ' || o.amhandler::regprocedure::text
  -- OIDs from 16384 on are given to users' objects (FirstNormalObjectId).
  from pg_catalog.pg_am o where o.oid >= 16384
  union all
  select 'pg_catalog.pg_foreign_data_wrapper'::regclass, o.oid, 'foreign data wrapper', null, o.fdwname::text, concat_ws(' ', nullif(o.fdwhandler, 0)::regprocedure::text)
  from pg_catalog.pg_foreign_data_wrapper o
  union all
  select 'pg_catalog.pg_foreign_server'::regclass, o.oid, 'foreign server', null, o.srvname::text, concat_ws(' ', w.fdwname::text, o.srvtype, o.srvversion)
  from pg_catalog.pg_foreign_server o join pg_catalog.pg_foreign_data_wrapper w on w.oid = o.srvfdw
  union all
  select 'pg_catalog.pg_subscription'::regclass, o.oid, 'subscription', null, o.subname::text,
    concat_ws(' ', array_to_string(o.subpublications, ', '), case when o.subenabled then 'enabled' else 'disabled' end)
  from pg_catalog.pg_subscription o where o.subdbid = (select d.oid from pg_catalog.pg_database d where d.datname = current_database())
  union all
  select 'pg_catalog.pg_event_trigger'::regclass, o.oid, 'event trigger', null, o.evtname::text, concat_ws(' ', 'ON ' || o.evtevent::text,
    'WHEN TAG IN (' || array_to_string(o.evttags, ', ') || ')', 'calls ' || o.evtfoid::regprocedure::text,
    case o.evtenabled when 'D' then 'disabled' when 'R' then 'for replica' when 'A' then 'always' end)
  from pg_catalog.pg_event_trigger o
  union all
  select 'pg_catalog.pg_publication'::regclass, o.oid, 'publication', null, o.pubname::text, concat_ws(', ', case when o.puballtables then 'all tables' end,
    case when o.pubinsert then 'insert' end, case when o.pubupdate then 'update' end, case when o.pubdelete then 'delete' end,
    case when o.pubtruncate then 'truncate' end)
  from pg_catalog.pg_publication o, lateral (select o.oid) as p
  where o.puballtables
    or exists (select from pg_catalog.pg_publication_rel r where r.prpubid = o.oid and r.prrelid = any ($2::oid[]))
    or {{published_schema}}
  union all
  select 'pg_catalog.pg_cast'::regclass, o.oid, 'cast', null, format_type(o.castsource, null) || ' -> ' || format_type(o.casttarget, null), concat_ws(' ',
    case o.castmethod when 'i' then 'WITH INOUT' when 'b' then 'WITHOUT FUNCTION' else 'WITH FUNCTION ' || o.castfunc::regprocedure::text end,
    case o.castcontext when 'i' then 'AS IMPLICIT' when 'a' then 'AS ASSIGNMENT' end)
  from pg_catalog.pg_cast o where o.oid >= 16384
)
select f.kind, n.nspname::text as schema, f.name, f.definition
from found f
left join pg_catalog.pg_namespace n on n.oid = f.namespace
where (f.namespace is null or f.namespace = any ($1::oid[]))
  and not exists (
    select from pg_catalog.pg_depend d
    where d.classid = f.class and d.objid = f.oid and (d.deptype = 'e' or (d.deptype = 'i' and d.classid = 'pg_catalog.pg_cast'::regclass)))
order by f.kind collate "C", n.nspname::text collate "C", f.name collate "C"
