-- One row per row-level security policy of the given relations, by relation and name.
-- Every server since 11. $1 OIDs of relations.
select
  p.polrelid as relation, p.polname::text as name,
  concat(
    case when p.polpermissive then 'AS PERMISSIVE' else 'AS RESTRICTIVE' end,
    ' FOR ', case p.polcmd when 'r' then 'SELECT' when 'a' then 'INSERT' when 'w' then 'UPDATE' when 'd' then 'DELETE' else 'ALL' end,
    ' TO ', (
      select string_agg(case when r.oid = 0 then 'PUBLIC' else quote_ident(pg_get_userbyid(r.oid)) end, ', ' order by pg_get_userbyid(r.oid)::text collate "C")
      from unnest(p.polroles) as r(oid)),
    ' USING (' || pg_get_expr(p.polqual, p.polrelid) || ')',
    ' WITH CHECK (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')'
  ) as definition
from pg_catalog.pg_policy p
where p.polrelid = any ($1::oid[])
order by p.polrelid, p.polname::text collate "C"
