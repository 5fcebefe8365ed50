-- One row per function, procedure, aggregate or window function in the schemas in scope, by name and arguments; those of an extension or made for a range left out.
-- Every server since 11. $1 OIDs of the schemas in scope.
select
  n.nspname::text as schema, p.proname::text as name, pg_get_function_identity_arguments(p.oid) as arguments, p.prokind::text as kind,
  -- pg_get_functiondef raises for aggregates, so what defines one is put together by hand.
  encode(sha256(textsend(case
    when p.prokind <> 'a' then pg_get_functiondef(p.oid)
    else concat_ws(' ', pg_get_function_result(p.oid), a.aggkind, a.aggtransfn, a.aggfinalfn, a.aggcombinefn, format_type(a.aggtranstype, null), a.agginitval,
      a.aggsortop::regoperator)
  end)), 'hex') as definition_hash
from pg_catalog.pg_proc p
join pg_catalog.pg_namespace n on n.oid = p.pronamespace
left join pg_catalog.pg_aggregate a on a.aggfnoid = p.oid
where p.pronamespace = any ($1::oid[])
  and not exists (
    select from pg_catalog.pg_depend e where e.classid = 'pg_catalog.pg_proc'::regclass and e.objid = p.oid and e.deptype in ('e', 'i'))
order by n.nspname::text collate "C", p.proname::text collate "C", pg_get_function_identity_arguments(p.oid) collate "C"
