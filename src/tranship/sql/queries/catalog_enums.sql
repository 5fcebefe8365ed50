-- One row per enum: its labels in their order.
-- Every server since 11.
select e.enumtypid as type, array_agg(e.enumlabel::text order by e.enumsortorder) as labels
from pg_catalog.pg_enum e
group by e.enumtypid
