-- One row per implicit cast that changes no byte, the preferred targets first: such a type compares with its target's equality.
-- Every server since 11.
select c.castsource as source, c.casttarget as target
from pg_catalog.pg_cast c
join pg_catalog.pg_type t on t.oid = c.casttarget
where c.castmethod = 'b' and c.castcontext = 'i'
order by c.castsource, t.typispreferred desc, c.casttarget
