-- One row per user trigger of the given relations, by relation and name.
-- Every server since 11. $1 OIDs of relations.
select
  t.tgrelid as relation, t.tgname::text as name, t.tgenabled::text as enabled, pg_get_triggerdef(t.oid) as definition,
  -- Bit 4 of tgtype is INSERT (TRIGGER_TYPE_INSERT in the server's source).
  quote_ident(n.nspname) || '.' || quote_ident(p.proname) as function, t.tgtype & 4 <> 0 as on_insert, {{inherited}} as inherited
from pg_catalog.pg_trigger t
join pg_catalog.pg_proc p on p.oid = t.tgfoid
join pg_catalog.pg_namespace n on n.oid = p.pronamespace
where t.tgrelid = any ($1::oid[]) and not t.tgisinternal
order by t.tgrelid, t.tgname::text collate "C"
