-- One row per CHECK of a domain, by domain and name.
-- Every server since 11.
select c.contypid as type, c.conname::text as name, pg_get_expr(c.conbin, 0) as expression, c.convalidated as validated
from pg_catalog.pg_constraint c
where c.contypid <> 0 and c.contype = 'c'
order by c.contypid, c.conname::text collate "C"
