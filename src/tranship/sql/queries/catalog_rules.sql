-- One row per rewrite rule of the given relations that is not a view's own, by relation and name.
-- Every server since 11. $1 OIDs of relations.
select
  r.ev_class as relation, r.rulename::text as name,
  case r.ev_type when '1' then 'SELECT' when '2' then 'UPDATE' when '3' then 'INSERT' else 'DELETE' end as event,
  r.is_instead as instead, r.ev_enabled::text as enabled, pg_get_ruledef(r.oid) as definition
from pg_catalog.pg_rewrite r
where r.ev_class = any ($1::oid[]) and r.rulename <> '_RETURN'
order by r.ev_class, r.rulename::text collate "C"
